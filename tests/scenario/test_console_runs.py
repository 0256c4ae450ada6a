"""Billing runs at the console: begun, watched, inspected, posted, cancelled."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.bills import find_bills
from coax.billing.queries.runs import get_run_by_number
from coax.billing.types import RunState, RunStep
from coax.party.types import StaffRole
from coax.process.billing_run import background
from coax.process.billing_run.execute import execute_run
from coax.process.billing_run.plan import RunRequest, plan_run
from tests.builders.billed_operators import a_billed_operator, end_services, write
from tests.builders.consoles import AConsole, Shown, at_console

OCTOBER = {"execution_date": "2026-09-20", "bill_as_of": "2026-10-01", "due_rule": "", "until": "assembling"}


@pytest.fixture
def billed(database: str, tmp_path: Path) -> Tenant:
    return a_billed_operator(tmp_path)


@pytest.fixture
def console(billed: Tenant) -> AConsole:
    return at_console(billed, StaffRole.SUPERVISOR)


def _state(tenant: Tenant, number: int) -> RunState:
    with tenant_transaction(tenant.id):
        return get_run_by_number(tenant_id=tenant.id, number=number).state


def _begin(console: AConsole, **changes: str) -> Shown:
    begun = console.post("runs/new", {**OCTOBER, **changes})
    assert begun.status == 302, begun.faults or begun.text
    number = begun.location.split("/")[-2]
    return console.wait_for(f"runs/{number}/", lambda shown: "hx-trigger" not in shown.text)


def _count_bills(tenant: Tenant, number: int) -> int:
    with tenant_transaction(tenant.id):
        run = get_run_by_number(tenant_id=tenant.id, number=number)
        return len(find_bills(tenant_id=tenant.id, run_id=run.id))


def test_a_run_is_looked_at_before_it_is_posted(console: AConsole, billed: Tenant) -> None:
    shown = _begin(console)
    assert _state(billed, 3) is RunState.ASSEMBLING
    assert _count_bills(billed, 3) == 0
    assert "Bills to be posted" in shown.text
    assert "What is shown here is what will be posted." in shown.text
    assert 'value="formatting"' in shown.text
    assert 'value="rating"' not in shown.text
    answer = console.post("runs/3/execute", {"until": "formatting"})
    assert answer.location == "/console/runs/3/"
    posted = console.wait_for("runs/3/", lambda page: "Bills of this run" in page.text)
    assert "Completed" in posted.text
    assert "Go on" not in posted.text
    assert _count_bills(billed, 3) == 6


def test_a_run_goes_on_step_by_step(console: AConsole, billed: Tenant) -> None:
    _begin(console, until="identification")
    for step in ("identification", "rating", "invoicing", "assembling"):
        if step != "identification":
            console.post("runs/3/execute", {"until": step})
            console.wait_for("runs/3/", lambda page: "hx-trigger" not in page.text)
        assert _state(billed, 3).value == step


def test_what_is_refused_and_what_waits_is_shown_before_and_after_posting(console: AConsole, billed: Tenant) -> None:
    end_services(billed, "dee", date(2026, 7, 1))
    write(billed, "UPDATE party_account SET currency = 'USD' WHERE tenant_id = %s AND code = 'ben'", [billed.id])
    staged = _begin(console)
    assert "Refused and pending" in staged.text
    assert "Currency mismatch" in staged.text
    assert "account USD, operator EUR" in staged.text
    assert 'href="/console/accounts/of/ben"' in staged.text
    console.post("runs/3/execute", {"until": "formatting"})
    posted = console.wait_for("runs/3/", lambda page: "Bills of this run" in page.text)
    assert "Currency mismatch" in posted.text
    dashboard = console.get("").text
    assert "Refused in run 3" in dashboard


def test_a_run_is_cancelled_and_everything_stays_due(console: AConsole, billed: Tenant) -> None:
    _begin(console)
    answer = console.follow(console.post("runs/3/cancel"))
    assert "Run 3 is cancelled; what it considered stays due." in answer.text
    assert _state(billed, 3) is RunState.CANCELLED
    again = console.follow(console.post("runs/3/cancel"))
    assert "Run 3 is cancelled." in again.text
    refused = console.follow(console.post("runs/3/execute", {"until": "formatting"}))
    assert "it cannot be brought to formatting" in refused.text


def test_a_dry_run_is_never_posted(console: AConsole, billed: Tenant) -> None:
    shown = _begin(console, is_dry="on", until="formatting")
    assert _state(billed, 3) is RunState.ASSEMBLING
    assert "dry run" in shown.text
    assert 'value="formatting"' not in shown.text
    assert _count_bills(billed, 3) == 0


def test_a_second_run_waits_for_the_open_one(console: AConsole) -> None:
    _begin(console)
    refused = console.post("runs/new", OCTOBER)
    assert refused.status == 422
    assert "Run 3" in refused.text
    assert "has reached assembling and is not ended" in refused.text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"execution_date": ""}, "This field is required."),
        ({"bill_as_of": "tomorrow"}, "Enter a valid date."),
        ({"due_rule": "day_of_next_month"}, "This rule needs a number."),
        ({"due_rule": "fixed_date"}, "This rule needs a date."),
    ],
)
def test_a_form_says_what_is_wrong_with_it(console: AConsole, changes: dict[str, str], fault: str) -> None:
    refused = console.post("runs/new", {**OCTOBER, **changes})
    assert (refused.status, refused.faults) == (422, [fault])


def test_a_date_before_the_previous_run_is_refused_in_words(console: AConsole) -> None:
    refused = console.post("runs/new", {**OCTOBER, "bill_as_of": "2026-08-01"})
    assert refused.status == 422
    assert "Bill as of 2026-08-01 is before the previous run's 2026-09-01" in refused.text


def test_what_the_form_asks_for_is_what_the_run_does(console: AConsole, billed: Tenant) -> None:
    _begin(
        console,
        transaction_date="2026-09-25",
        due_rule="days_after_transaction",
        due_days="14",
        schemes="normal",
        frequencies="monthly",
    )
    with tenant_transaction(billed.id):
        run = get_run_by_number(tenant_id=billed.id, number=3)
    assert (str(run.transaction_date), str(run.due_date)) == ("2026-09-25", "2026-10-09")
    assert (run.criteria.schemes, run.criteria.frequencies) == (("normal",), ("monthly",))
    assert run.created_by == "supervisor"


def test_a_run_of_another_process_is_watched_too(console: AConsole, billed: Tenant) -> None:
    request = RunRequest(execution_date=date(2026, 9, 20), bill_as_of=date(2026, 10, 1), actor="night")
    run_id = plan_run(tenant=billed, request=request)
    seen: list[Shown] = []

    def look(step: str, done: int, total: int) -> None:
        if done == 0:
            seen.append(console.get("runs/3/progress"))
            seen.append(console.get("runs/3/"))

    execute_run(run_id=run_id, until=RunStep.IDENTIFICATION, progress=look, workers=1)
    assert [shown.status for shown in seen] == [200, 200]
    assert "Being executed by another process." in seen[0].text
    assert "every 1s" in seen[1].text
    ended = console.get("runs/3/progress")
    assert (ended.status, ended.headers["HX-Refresh"]) == (204, "true")


def test_a_run_that_stops_says_why_and_can_go_on(
    console: AConsole, billed: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begin(console)

    def break_down(**_: object) -> None:
        raise RuntimeError("broken for the test")

    with monkeypatch.context() as patch:
        patch.setattr(background, "execute_run", break_down)
        console.post("runs/3/execute", {"until": "formatting"})
        stopped = console.wait_for("runs/3/", lambda page: "The run stopped" in page.text)
    assert "RuntimeError" in stopped.text
    console.post("runs/3/execute", {"until": "formatting"})
    console.wait_for("runs/3/", lambda page: "Completed" in page.text)
    assert _count_bills(billed, 3) == 6


def test_runs_of_single_accounts_have_a_list_of_their_own(console: AConsole) -> None:
    assert "No runs yet" in console.get("runs/", kind="individual").text
    console.post("accounts/bill/ada", {"bill_as_of": "2026-10-01"})
    assert 'href="/console/runs/3/"' in console.get("runs/", kind="individual").text
    assert 'href="/console/runs/3/"' not in console.get("runs/").text
    assert "1 chosen" in console.get("runs/3/").text


def test_bills_to_look_into_are_listed_before_and_after_posting(console: AConsole, billed: Tenant) -> None:
    admin = at_console(billed)
    path = "configuration/normal_billing_run_definition/of/main/"
    form = admin.get(path).form(assembling__classify_over_credit_limit="on")
    assert admin.post(path, form).status == 302
    write(
        billed, "UPDATE party_account SET credit_limit_minor = 100 WHERE tenant_id = %s AND code = 'ada'", [billed.id]
    )
    staged = _begin(console)
    assert "Bills to look into" in staged.text
    assert "Max credit limit amount reached" in staged.text
    console.post("runs/3/execute", {"until": "formatting"})
    posted = console.wait_for("runs/3/", lambda page: "Bills of this run" in page.text)
    assert "Max credit limit amount reached" in posted.text
    listed = console.get("bills/", **{"class": "exceptional"}).text
    assert listed.count("Max credit limit amount reached") == 1
