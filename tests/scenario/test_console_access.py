"""Who gets into the console, and how far."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.cache import cache

from coax.base.tenancy import Tenant, create_tenant, tenant_transaction
from coax.interfaces.console.access import ATTEMPTS_MAX
from coax.party.operations.save_staff import change_staff
from coax.party.types import StaffRole
from tests.builders.billed_operators import a_billed_operator
from tests.builders.consoles import PASSWORD, AConsole, at_console, ensure_staff

PAGES = (
    "",
    "password/",
    "configuration/",
    "configuration/export.yaml",
    "configuration/price_plan/",
    "configuration/price_plan/of/main/",
    "configuration/price_plan/of/main/history",
    "configuration/price_plan/of/main/yaml",
    "accounts/",
    "accounts/of/ada",
    "accounts/journal/ada",
    "runs/",
    "runs/1/",
    "bills/",
    "bills/of/1",
    "bills/pdf/1",
    "bills/json/1",
    "audit/",
)
# What a role may open or do beside reading: the pages of the rights.
RIGHTS = {
    "accounts/preview/ada": {"clerk", "supervisor", "administrator"},
    "runs/new": {"supervisor", "administrator"},
    "configuration/price_plan/new": {"administrator"},
    "configuration/price_plan/row?path=rates.0": {"administrator"},
    "staff/": {"administrator"},
    "staff/new": {"administrator"},
    "staff/of/administrator": {"administrator"},
    "programs/": {"administrator"},
    "programs/new": {"administrator"},
    "programs/token/shop/secret": {"administrator"},
}
WRITES = {
    "accounts/bill/nobody": {"supervisor", "administrator"},
    "runs/999/execute": {"supervisor", "administrator"},
    "runs/999/cancel": {"supervisor", "administrator"},
    "configuration/price_plan/of/main/": {"administrator"},
}


@pytest.fixture(scope="module")
def billed(database: str, tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    tenant = a_billed_operator(Path(tmp_path_factory.mktemp("console")))
    create_tenant(code=f"{tenant.code}-b", name="Other", currency="EUR", time_zone="UTC", locale="en")
    return tenant


def _log_in(console: AConsole, username: str, password: str, operator: str | None = None) -> int:
    code = console.tenant.code if operator is None else operator
    return console.post("login/", {"operator": code, "username": username, "password": password}).status


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_a_page_without_logging_in(billed: Tenant, page: str) -> None:
    shown = AConsole(billed, StaffRole.CLERK).get(page)
    assert shown.status == 302
    assert shown.location.startswith("/console/login/")


@pytest.mark.parametrize("role", StaffRole)
def test_every_role_reads_every_page_but_staff(billed: Tenant, role: StaffRole) -> None:
    console = at_console(billed, role)
    assert {page: console.get(page).status for page in PAGES} == dict.fromkeys(PAGES, 200)


@pytest.mark.parametrize("role", StaffRole)
def test_the_other_pages_want_their_right(billed: Tenant, role: StaffRole) -> None:
    console = at_console(billed, role)
    opened = {page: console.get(page).status for page in RIGHTS}
    assert opened == {page: 200 if role.value in roles else 403 for page, roles in RIGHTS.items()}
    refused = {page: console.post(page).status == 403 for page in WRITES}
    assert refused == {page: role.value not in roles for page, roles in WRITES.items()}


def test_buttons_show_only_what_the_role_may_do(billed: Tenant) -> None:
    shown = at_console(billed, StaffRole.AUDITOR)
    assert "Bill account" not in shown.get("accounts/of/ada").text
    assert "Preview" not in shown.get("accounts/of/ada").text
    assert "disabled" in shown.get("configuration/price_plan/of/main/").text
    assert "New run" not in shown.get("runs/").text
    assert 'href="/console/staff/"' not in shown.get("").text


def test_a_wrong_name_password_or_operator_is_told_apart_by_nobody(billed: Tenant) -> None:
    ensure_staff(billed, StaffRole.CLERK)
    cache.clear()
    console = AConsole(billed, StaffRole.CLERK)
    answers = {
        console.post("login/", {"operator": operator, "username": name, "password": password}).text.count(
            "Operator, user name or password is wrong."
        )
        for operator, name, password in (
            (billed.code, "clerk", "something else"),
            (billed.code, "nobody", PASSWORD),
            ("nowhere", "clerk", PASSWORD),
            (billed.code, "clerk", ""),
        )
    }
    assert answers <= {0, 1}
    assert console.get("").status == 302
    assert _log_in(console, "clerk", PASSWORD) == 302
    assert console.get("").status == 200


def test_where_there_is_one_operator_it_is_not_asked_for(billed: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_staff(billed, StaffRole.CLERK)
    cache.clear()
    console = AConsole(billed, StaffRole.CLERK)
    assert '<label for="operator">' in console.get("login/").text
    monkeypatch.setattr("coax.interfaces.console.access.list_tenant_codes", lambda: [billed.code])
    assert '<label for="operator">' not in console.get("login/").text
    assert _log_in(console, "clerk", PASSWORD, operator="") == 302
    assert console.get("").status == 200


def test_too_many_attempts_have_to_wait(billed: Tenant) -> None:
    ensure_staff(billed, StaffRole.SUPERVISOR)
    cache.clear()
    console = AConsole(billed, StaffRole.SUPERVISOR)
    for _ in range(ATTEMPTS_MAX):
        assert _log_in(console, "supervisor", "guess") == 200
    data = {"operator": billed.code, "username": "supervisor", "password": PASSWORD}
    assert "Too many attempts" in console.post("login/", data).text
    cache.clear()
    assert _log_in(console, "supervisor", PASSWORD) == 302


def test_the_same_name_at_two_operators_is_two_people(billed: Tenant, empty_tenant: Tenant) -> None:
    ours, theirs = at_console(billed, StaffRole.CLERK), at_console(empty_tenant, StaffRole.CLERK)
    assert ours.get("accounts/of/ada").status == 200
    assert theirs.get("accounts/of/ada").status == 404
    assert theirs.get("runs/1/").status == 404
    assert theirs.get("bills/of/1").status == 404
    assert theirs.get("configuration/price_plan/of/main/").status == 404
    assert "There are no accounts yet" in theirs.get("accounts/").text
    assert billed.code not in theirs.get("audit/").text


def test_somebody_shut_out_is_out_at_once(empty_tenant: Tenant) -> None:
    clerk, _ = at_console(empty_tenant, StaffRole.CLERK), at_console(empty_tenant, StaffRole.ADMINISTRATOR)
    assert clerk.get("").status == 200
    with tenant_transaction(empty_tenant.id):
        change_staff(
            tenant_id=empty_tenant.id, username="clerk", role=StaffRole.CLERK, is_active=False, full_name="", email=""
        )
    assert clerk.get("").status == 302
    assert _log_in(clerk, "clerk", PASSWORD) == 200


def test_logging_out_ends_the_session(empty_tenant: Tenant) -> None:
    console = at_console(empty_tenant)
    assert console.post("logout/").location == "/console/login/"
    assert console.get("").status == 302


def test_pages_may_load_nothing_from_elsewhere(billed: Tenant) -> None:
    shown = at_console(billed).get("")
    policy = shown.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "http://" not in shown.text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in shown.text


def test_an_unknown_address_and_a_wrong_method_are_answered_in_words(billed: Tenant) -> None:
    console = at_console(billed)
    assert console.get("nowhere/").status == 404
    assert console.get("accounts/bill/ada").status == 405
    missing = console.get("accounts/of/zoe")
    assert (missing.status, "There is no account 'zoe'." in missing.text) == (404, True)


def test_a_fault_undoes_the_request_and_says_so(billed: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    console = at_console(billed, StaffRole.ADMINISTRATOR)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken for the test")

    monkeypatch.setattr("coax.interfaces.console.pages.staff.messages.success", fail)
    answer = console.post(
        "staff/new", {"username": "half-done", "role": "clerk", "password": PASSWORD, "is_active": "on"}
    )
    assert (answer.status, "Nothing of what you asked was saved" in answer.text) == (500, True)
    assert "half-done" not in console.get("staff/").text


def test_an_operator_without_anything_has_all_its_pages(database: str, empty_tenant: Tenant) -> None:
    create_tenant(code=f"{empty_tenant.code}-x", name="Other", currency="EUR", time_zone="UTC", locale="en")
    console = at_console(empty_tenant)
    pages = ("", "configuration/", "configuration/product/", "accounts/", "runs/", "runs/new", "bills/", "audit/")
    assert {page: console.get(page).status for page in pages} == dict.fromkeys(pages, 200)
