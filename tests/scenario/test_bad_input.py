"""What is wrong is named, with its value and what is allowed instead, and changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.builders.commands import call_coax
from tests.builders.operators import EXAMPLES, AnOperator, an_operator
from tests.scenario.test_company_zx import assert_verified, day


@pytest.fixture(scope="module")
def zx(database: str, tmp_path_factory: pytest.TempPathFactory) -> AnOperator:
    """Company ZX, billed once; no test changes it."""
    operator = an_operator()
    path = tmp_path_factory.mktemp("subscribers")
    operator.subscribe(path, [{"account_code": code, "billed_until": "2026-07-01"} for code in "ABC"])
    operator.bill("2026-06-20", "2026-07-01")
    return operator


def read_all(operator: AnOperator) -> dict[str, tuple[int, str]]:
    """Return the count and a fingerprint of the operator's rows in every table."""
    tables = operator.rows(
        """SELECT table_name AS name FROM information_schema.columns JOIN information_schema.tables t
           USING (table_schema, table_name)
           WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' AND column_name = 'tenant_id'
             AND %s > 0 ORDER BY 1"""
    )
    statement = """SELECT count(*) AS n, md5(string_agg(t::text, '' ORDER BY t::text)) AS rows
                   FROM {} t WHERE tenant_id = %s"""
    found = {table["name"]: operator.rows(statement.format(table["name"]))[0] for table in tables}
    assert found["rating_rated_item"]["n"] > 0
    return {name: (row["n"], row["rows"]) for name, row in found.items()}


def copy_example(operator: AnOperator, directory: Path, file: str, old: str, new: str) -> Path:
    """Copy the operator's files with one passage changed."""
    copy = directory / "files"
    shutil.copytree(EXAMPLES / "company-zx", copy)
    named = copy / "operator.yaml"
    named.write_text(named.read_text().replace("code: company-zx", f"code: {operator.tenant.code}", 1))
    text = (copy / file).read_text()
    assert text.count(old) >= 1
    (copy / file).write_text(text.replace(old, new, 1))
    return copy


WRONG_FILES = {
    "unknown key": (
        "tax_inclusive: false",
        "tax_inclusiv: false",
        ":5 price_plans[0].tax_inclusiv unknown key (given: False) did you mean tax_inclusive? allowed: code, name,",
    ),
    "wrong type": (
        "price: 12.50",
        "price: cheap",
        ":7 price_plans[0].rates[0].price not a number: write it such as 12.50 (given: 'cheap')",
    ),
    "price in use": (
        "price: 12.50",
        "price: 13.50",
        ":2 price_plans[0] version 1 of 1970-01-01 is in use and stays; changed: rates[0].price",
    ),
    "no YAML": ("price_plans:", "price_plans: [", ":2 (file) not YAML: expected the node content, but found '-'"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_file_is_refused_as_a_whole(zx: AnOperator, tmp_path: Path, name: str) -> None:
    old, new, message = WRONG_FILES[name]
    files = copy_example(zx, tmp_path, "price-plans.yaml", old, new)
    before = read_all(zx)
    ended = call_coax("apply", files)
    assert (ended.code, ended.out) == (1, "")
    assert ended.message.startswith(f"{files}/price-plans.yaml{message}")
    assert ended.message.endswith("1 problem, nothing was changed")
    assert read_all(zx) == before


WRONG_RUNS = {
    "no date": (["--on", "2026-02-30"], 2, "--on: '2026-02-30' is no date; write it as YYYY-MM-DD."),
    "a day that the calendar lacks": (
        ["--on", "9999-12-31"],
        1,
        "execution date: 9999-12-31 is outside the calendar; allowed is 1900-01-01 to 2199-12-31.",
    ),
    "a year mistyped": (
        ["--bill-as-of", "20266-08-01"],
        2,
        "--bill-as-of: '20266-08-01' is no date; write it as YYYY-MM-DD.",
    ),
    "the far future": (
        ["--bill-as-of", "9999-12-31"],
        1,
        "bill as of: 9999-12-31 is outside the calendar; allowed is 1900-01-01 to 2199-12-31.",
    ),
    "back in time": (
        ["--bill-as-of", "2026-06-30"],
        1,
        "Bill as of 2026-06-30 is before the previous run's 2026-07-01; allowed is 2026-07-01 or later.",
    ),
    "no such step": (["--until", "shipping"], 2, "'identification', 'rating', 'invoicing', 'assembling', 'posting',"),
    "no due date": (
        ["--due", "soon"],
        1,
        "'soon' is no due-date rule; allowed: day_of_next_month:1..31, days_after_transaction:0..366, or a date as",
    ),
    "no such scheme": (["--scheme", "gold"], 1, "schemes: 'gold' is unknown; there are: jobs-bt, normal-bt."),
    "no such frequency": (
        ["--frequency", "hourly"],
        1,
        "frequencies: 'hourly' is unknown; there are: biannual, monthly.",
    ),
    "no such account": (["--account", "Z"], 1, "There is no account 'Z'."),
    "no such run": (["--resume", "99"], 1, "There is no run 99; the latest is 1."),
    "an ended run": (["--resume", "1"], 1, "Run 1 is completed."),
    "no workers": (["--workers", "0"], 2, "Invalid value for '--workers'"),
}


@pytest.mark.parametrize("name", WRONG_RUNS)
def test_a_run_is_refused_before_it_begins(zx: AnOperator, name: str) -> None:
    options, code, message = WRONG_RUNS[name]
    before = read_all(zx)
    ended = call_coax("run", "billing", "--tenant", zx.tenant.code, *options)
    assert (ended.code, ended.out) == (code, "")
    if code == 2 and not message.startswith("--"):
        assert message in ended.message.replace("│ ", "")  # in the frame that usage errors have
    else:
        assert ended.message.startswith(message)
    assert read_all(zx) == before


def test_an_operator_must_be_named_and_known(zx: AnOperator) -> None:
    other = an_operator()
    unknown = call_coax("run", "billing", "--tenant", "company-zy")
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.message.startswith("No operator has the code 'company-zy'; there are: ")
    assert zx.tenant.code in unknown.message
    unnamed = call_coax("run", "billing", "--json")
    answer = json.loads(unnamed.out)
    assert (unnamed.code, answer["code"]) == (2, "tenant_unclear")
    assert answer["message"].startswith("Say which operator with --tenant; there are: ")
    assert other.tenant.code in answer["message"]


def test_without_an_active_definition_there_is_no_run(database: str, tmp_path: Path) -> None:
    operator = an_operator(definition="threads: 1 -> state: inactive")
    operator.subscribe(tmp_path, [{"account_code": "A", "billed_until": "2026-07-01"}])
    ended = call_coax("run", "billing", "--tenant", operator.tenant.code, "--on", "2026-06-20")
    assert (ended.code, ended.out) == (1, "")
    assert ended.message == (
        "Company ZX has no active normal billing run definition on 2026-06-20: set one up and apply it first."
    )
    assert operator.rows("SELECT count(*) AS n FROM billing_run WHERE tenant_id = %s") == [{"n": 0}]
    assert operator.rows("SELECT count(*) AS n FROM base_number_series WHERE tenant_id = %s") == [{"n": 0}]


IMPOSSIBLE = {
    "currency": ("party_account SET currency = 'USD'", "currency_mismatch", "account USD, operator EUR"),
    "end": (
        "subscription_service SET effective_to = '2025-12-24'",
        "ends_before_it_begins",
        "effective from 2026-01-01 to 2025-12-24",
    ),
    "frequency": ("subscription_billing_term SET frequency = 'sometimes'", "unknown_frequency", "sometimes"),
    "price": ("subscription_billing_term SET frequency = 'weekly'", "no_price", None),
    "contract": ("subscription_billing_term SET effective_from = '2030-01-01'", "no_billing_term", "on 2026-07-01"),
    "scheme": ("subscription_billing_term SET scheme_version_id = 1", "service_not_in_scheme", None),
    "amount": ("subscription_service SET quantity = 9000000000000000000", "amount_too_large", None),
    "agreed": (
        "subscription_service SET agreed_price_micro = -1",
        "invalid_input",
        "agreed_price_micro is out of range: -1",
    ),
    "past": (
        "subscription_service_rating SET rated_up_to = '1850-01-01'",
        "invalid_input",
        "rated_up_to is out of range: 1850-01-01",
    ),
    "behind": (
        "subscription_service_rating SET rated_up_to = '1950-01-01'",
        "too_many_periods",
        "more than 400 periods are due since 1950-01-01",
    ),
}


def test_impossible_subscribers_are_refused_and_the_others_billed(database: str, tmp_path: Path) -> None:
    operator = an_operator()
    codes = [name for bad in IMPOSSIBLE for name in (bad, f"good-{bad}")]
    operator.subscribe(tmp_path, [{"account_code": code, "billed_until": "2026-07-01"} for code in codes])
    for name, (change, _, _) in IMPOSSIBLE.items():
        table, _, assignment = change.partition(" ")
        operator.execute(
            f"""UPDATE {table} {assignment} WHERE (bucket, account_id) IN (
                    SELECT bucket, account_id FROM party_account WHERE tenant_id = %s AND code = %s)""",
            operator.tenant.id,
            name,
        )
    before = {
        row["code"]: row["rated_up_to"]
        for row in operator.rows(
            """SELECT a.code, r.rated_up_to FROM subscription_service_rating r
               JOIN party_account a USING (bucket, account_id) WHERE r.tenant_id = %s"""
        )
    }

    bill = ("run", "billing", "--tenant", operator.tenant.code, "--on", "2026-06-20")
    ended = call_coax(*bill, "--json")
    assert ended.code == 0
    answer = json.loads(ended.out)
    assert (answer["due"], answer["billed"], answer["pending"], answer["refused"]) == (20, 10, 0, 10)
    said = {row["account"]: (row["outcome"], row["reason"], row["detail"]) for row in answer["not_billed"]}
    assert {name: row[:2] for name, row in said.items()} == {
        name: ("refused", reason) for name, (_, reason, _) in IMPOSSIBLE.items()
    }
    known = {name: detail for name, (_, _, detail) in IMPOSSIBLE.items() if detail is not None}
    assert {name: said[name][2] for name in known} == known
    assert {row["account"] for row in operator.bills()} == {f"good-{name}" for name in IMPOSSIBLE}
    assert {name: operator.rated_up_to(name) for name in IMPOSSIBLE} == {name: before[name] for name in IMPOSSIBLE}
    assert operator.rated_up_to("good-price") == day("2026-08-01")

    shown = call_coax("runs", "show", "1", "--tenant", operator.tenant.code)
    assert shown.code == 0
    assert "currency_mismatch account USD, operator EUR" in " ".join(shown.out.split())
    operator.execute("UPDATE party_account SET currency = 'EUR' WHERE tenant_id = %s", operator.tenant.id)
    assert_verified(operator)
