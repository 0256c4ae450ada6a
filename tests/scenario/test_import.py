"""A clerk imports the subscribers of another system: what is taken, what is refused and why."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest

from coax.base.tenancy import Tenant
from coax.process.import_subscribers import ColumnsRefused, FileUnreadable
from tests.scenario.import_stories import (
    HEADER,
    configure,
    count_rows,
    list_reasons,
    run_import,
    select,
    write_csv,
)

NOTHING = dict.fromkeys(
    (
        "contacts",
        "contact codes",
        "accounts",
        "account codes",
        "subscriptions",
        "subscription codes",
        "contracts",
        "services",
        "rating states",
        "balances",
    ),
    0,
)
CONTRACTS = """
SELECT u.code, p.code AS plan, t.frequency, t.cycle_day, t.agreement_date, t.binding_period, t.binding_start_date,
       t.effective_from, s.code AS service, s.quantity, s.effective_to, s.billable_from, s.billing_effective_date,
       s.agreed_price_micro, s.extra_discount_ppm, r.rated_up_to
  FROM subscription_subscription u
  JOIN subscription_billing_term t ON t.subscription_id = u.id
  JOIN configuration_entity p ON p.id = t.price_plan_id
  JOIN subscription_service s ON s.subscription_id = u.id
  JOIN subscription_service_rating r ON r.service_id = s.id ORDER BY u.code, s.code
"""


@pytest.fixture
def operator(empty_tenant: Tenant) -> Tenant:
    configure(empty_tenant)
    return empty_tenant


def test_a_whole_row_arrives_as_it_was_written(operator, tmp_path):
    path = tmp_path / "all.csv"
    path.write_bytes(
        b"\xef\xbb\xbf"
        b"contact_code;name;email;phone;street;postal_code;city;country;locale;account_code;classification;"
        b"credit_limit;credit_rating;credit_period_days;currency;subscription_code;subscription_type;scheme;"
        b"price_plan;frequency;cycle_day;agreement_date;binding_period;binding_start_date;service_code;product;"
        b"quantity;effective_from;effective_to;agreed_price;discount_percent;billed_until\r\n"
        b'C1;" Meyer; Anna ";anna@example.org;+49 431 1;"Deich 7";24103;Kiel;Germany;de_DE;A1;business;'
        b"250.50;AA;7;EUR;S1;television;period;old;6_months;1;2026-01-10;annual;2026-02-01;main-tv;tv;"
        b"3;2026-01-15;2027-01-01;9.99;7.5;2026-07-01\r\n"
    )
    outcome = run_import(operator, path)
    assert list_reasons(outcome) == []
    assert (outcome.rows, outcome.contacts, outcome.accounts, outcome.subscriptions, outcome.services) == (
        1,
        1,
        1,
        1,
        1,
    )
    account = select(
        operator,
        """SELECT a.code, c.code AS contact, c.name, c.city, c.locale, e.code AS classification, a.credit_limit_minor,
                  a.credit_rating, a.credit_period_days, a.currency, a.created_on, a.bucket = c.bucket AS is_together
             FROM party_account a JOIN party_contact c ON c.id = a.contact_id
             JOIN configuration_entity e ON e.id = a.classification_id""",
    )
    assert account == [
        {
            "code": "A1",
            "contact": "C1",
            "name": "Meyer; Anna",
            "city": "Kiel",
            "locale": "de_DE",
            "classification": "business",
            "credit_limit_minor": 25050,
            "credit_rating": "AA",
            "credit_period_days": 7,
            "currency": "EUR",
            "created_on": date(2026, 6, 1),
            "is_together": True,
        }
    ]
    assert select(operator, CONTRACTS) == [
        {
            "code": "S1",
            "plan": "old",
            "frequency": "biannual",
            "cycle_day": 1,
            "agreement_date": date(2026, 1, 10),
            "binding_period": "annual",
            "binding_start_date": date(2026, 2, 1),
            "effective_from": date(2026, 1, 15),
            "service": "main-tv",
            "quantity": 3,
            "effective_to": date(2027, 1, 1),
            "billable_from": date(2026, 1, 15),
            "billing_effective_date": date(2026, 1, 15),
            "agreed_price_micro": 9_990_000,
            "extra_discount_ppm": 75_000,
            "rated_up_to": date(2026, 7, 1),
        }
    ]


def test_what_the_file_does_not_say_comes_from_the_configuration(operator, tmp_path):
    header = f"{HEADER},frequency,agreement_date,billed_until,effective_to"
    lines = [
        "A1,Anna,S1,period,tv,2026-05-15,monthly,,,",
        "A2,Bert,S2,own-day,tv,2026-01-31,,,,",
        "A2,,S2,own-day,internet,2026-03-10,,,2026-06-30,2026-06-20",
        "A3,Cleo,S3,next-cycle,tv,2026-02-10,,2026-02-03,,",
    ]
    with_plan = [f"{line},{'old' if 'next-cycle' in line else ''}" for line in lines]
    outcome = run_import(operator, write_csv(tmp_path / "f.csv", with_plan, header=f"{header},price_plan"))
    assert list_reasons(outcome) == []
    names = ["code", "plan", "frequency", "cycle_day", "service", "billable_from", "billing_effective_date"]
    names += ["effective_from", "rated_up_to"]
    assert [tuple(row[name] for name in names) for row in select(operator, CONTRACTS)] == [
        ("S1", "main", "monthly", 1, "tv", *[date(2026, 5, 15)] * 4),
        (
            "S2",
            "main",
            "monthly",
            31,
            "internet",
            date(2026, 3, 10),
            date(2026, 3, 10),
            date(2026, 1, 31),
            date(2026, 6, 20),
        ),
        ("S2", "main", "monthly", 31, "tv", *[date(2026, 1, 31)] * 4),
        (
            "S3",
            "old",
            "monthly",
            31,
            "tv",
            date(2026, 2, 28),
            date(2026, 2, 3),
            date(2026, 2, 10),
            date(2026, 2, 28),
        ),
    ]
    accounts = select(operator, "SELECT code, credit_limit_minor, credit_rating FROM party_account ORDER BY code")
    assert accounts == [{"code": code, "credit_limit_minor": 10000, "credit_rating": ""} for code in ("A1", "A2", "A3")]


def test_the_same_file_twice_changes_nothing(operator, tmp_path):
    path = write_csv(
        tmp_path / "f.csv",
        ["A1,Anna,S1,period,tv,2026-05-15,monthly", "A1,Anna,S1,period,sports,2026-05-20,monthly"],
        header=f"{HEADER},frequency",
    )
    first = run_import(operator, path)
    before = count_rows(operator)
    second = run_import(operator, path)
    assert (first.services, first.unchanged_services) == (2, 0)
    assert (second.accounts, second.subscriptions, second.services, second.unchanged_services) == (0, 0, 0, 2)
    assert (second.is_refused, second.bad_rows) == (False, 0)
    assert count_rows(operator) == before


def test_a_new_service_joins_a_stored_subscription_and_takes_its_contract(operator, tmp_path):
    run_import(operator, write_csv(tmp_path / "a.csv", ["A1,Anna,S1,own-day,tv,2026-01-17"]))
    outcome = run_import(
        operator,
        write_csv(tmp_path / "b.csv", ["A1,,S1,own-day,tv,2026-01-17", "A1,,S1,own-day,internet,2026-03-02"]),
    )
    assert (outcome.services, outcome.unchanged_services, outcome.subscriptions) == (1, 1, 0)
    assert [(row["service"], row["cycle_day"]) for row in select(operator, CONTRACTS)] == [("internet", 17), ("tv", 17)]


def test_a_new_account_of_a_stored_contact_lies_in_its_bucket(operator, tmp_path):
    header = f"contact_code,{HEADER}"
    run_import(operator, write_csv(tmp_path / "a.csv", ["C,A1,Anna,S1,own-day,tv,2026-01-17"], header=header))
    outcome = run_import(operator, write_csv(tmp_path / "b.csv", ["C,A2,,S2,own-day,tv,2026-01-17"], header=header))
    assert (outcome.contacts, outcome.accounts) == (0, 1)
    buckets = select(
        operator,
        """SELECT DISTINCT a.bucket FROM party_account a
           UNION SELECT bucket FROM party_contact UNION SELECT bucket FROM subscription_service""",
    )
    assert len(buckets) == 1


def test_what_differs_from_what_is_stored_is_told_and_not_changed(operator, tmp_path):
    header = f"{HEADER},phone,credit_limit,quantity,agreed_price,frequency"
    run_import(
        operator, write_csv(tmp_path / "a.csv", ["A1,Anna,S1,period,tv,2026-05-15,1,50,2,9.5,monthly"], header=header)
    )
    before = select(operator, CONTRACTS)
    outcome = run_import(
        operator,
        write_csv(tmp_path / "b.csv", ["A1,Anna,S1,period,tv,2026-05-16,2,60.5,3,,biannual"], header=header),
    )
    reason = "differs from what is stored; an import changes nothing that exists"
    assert outcome.is_refused
    assert list_reasons(outcome) == [
        (2, "phone", "2", reason, "stored: 1"),
        (2, "credit_limit", "60.5", reason, "stored: 50.00"),
        (2, "frequency", "biannual", reason, "stored: monthly"),
        (2, "quantity", "3", reason, "stored: 2"),
        (2, "effective_from", "2026-05-16", reason, "stored: 2026-05-15"),
        (2, "agreed_price", "", reason, "stored: 9.500000"),
    ]
    assert select(operator, CONTRACTS) == before


def test_a_subscription_of_another_account_is_refused(operator, tmp_path):
    run_import(operator, write_csv(tmp_path / "a.csv", ["A1,Anna,S1,own-day,tv,2026-01-17"]))
    outcome = run_import(operator, write_csv(tmp_path / "b.csv", ["A2,Bert,S1,own-day,tv,2026-01-17"]))
    assert list_reasons(outcome) == [
        (2, "subscription_code", "S1", "is the code of another account's subscription", "")
    ]


BAD_CELLS = [
    ("scheme", "none", "is not an active scheme of normal subscriptions", "next-cycle, own-day, period"),
    ("product", "radio", "is not an active product", "film, internet, sports, tv"),
    ("product", "visit", "is of class one_time; a subscription holds services", "film, internet, sports, tv"),
    ("product", "internet", "is not a service of the scheme", "tv, sports"),
    ("price_plan", "best", "is not an active price plan", "main, old, other"),
    ("price_plan", "other", "is not a price plan of the scheme", "main, old"),
    ("frequency", "weekly", "is not a frequency of the scheme", "monthly, biannual"),
    ("frequency", "often", "is not a frequency of the scheme", "monthly, biannual"),
    ("frequency", "", "is required: the scheme has more than one frequency", "monthly, biannual"),
    ("binding_period", "two_years", "is not a binding period of the scheme", "annual"),
    ("binding_start_date", "2026-01-01", "goes only with a binding period", "empty"),
    ("cycle_day", "2", "is not allowed by the scheme", "1"),
    ("cycle_day", "32", "cannot be read", "a whole number from 1 to 31"),
    ("classification", "vip", "is not an active account classification", "business, residential"),
    ("subscription_type", "radio", "is not an active subscription type", "television"),
    (
        "credit_rating",
        "Z",
        "is not a credit rating of the receivable definition",
        "AAA, AA, A, BAA, BA, B, CAA, CA, C",
    ),
    ("credit_period_days", "15", "is outside the proximity range of the receivable definition", "from 0 to 14"),
    ("credit_limit", "1.005", "cannot be read", "an amount of at most 2 decimals, such as 250"),
    ("currency", "USD", "is not the operator's currency", "EUR"),
    ("quantity", "0", "cannot be read", "a whole number from 1 to 1000000"),
    ("quantity", "1.5", "cannot be read", "a whole number from 1 to 1000000"),
    ("effective_from", "15.05.2026", "is not a date", "YYYY-MM-DD from 1970-01-01 to 2150-12-31"),
    ("effective_from", "2026-02-30", "is not a date", "YYYY-MM-DD from 1970-01-01 to 2150-12-31"),
    ("effective_from", "", "is required", "a value in every row"),
    ("effective_to", "2026-05-15", "is not after effective_from (the end is exclusive)", "after 2026-05-15"),
    ("billed_until", "2026-05-14", "is before the service is billable", "2026-05-15 or later"),
    (
        "agreed_price",
        "12,50",
        "cannot be read",
        "an amount from 0 to 1000000000 of at most 6 decimals, such as 12.50",
    ),
    ("agreed_price", "-1", "cannot be read", "an amount from 0 to 1000000000 of at most 6 decimals, such as 12.50"),
    (
        "discount_percent",
        "100.0001",
        "cannot be read",
        "a percentage from 0 to 100 of at most 4 decimals, such as 7.5",
    ),
    ("email", "anna", "cannot be read", "an address such as name@example.org"),
    ("locale", "german", "cannot be read", "a locale such as de_DE"),
    ("name", "", "is required for a new contact", "a name on one of its rows"),
    ("account_code", "x" * 64, "cannot be read", "at most 63 printable characters"),
]
GOOD = {
    "account_code": "A1",
    "name": "Anna",
    "subscription_code": "S1",
    "scheme": "period",
    "product": "tv",
    "effective_from": "2026-05-15",
    "frequency": "monthly",
}


@pytest.mark.parametrize("cell", BAD_CELLS, ids=lambda cell: f"{cell[0]}-{cell[1][:12]}")
def test_a_bad_cell_is_named_with_what_is_allowed(operator, tmp_path, cell):
    field, value, reason, allowed = cell
    pl.DataFrame([{**GOOD, field: value}]).write_csv(tmp_path / "bad.csv", separator=";")
    outcome = run_import(operator, tmp_path / "bad.csv")
    assert (2, field, value, reason, allowed) in list_reasons(outcome)
    assert outcome.is_refused
    assert count_rows(operator) == NOTHING


def test_prices_and_discounts_need_the_schemes_leave(operator, tmp_path):
    header = f"{HEADER},agreed_price,discount_percent"
    lines = [
        "A1,Anna,S1,own-day,tv,2026-01-17,9.99,5",
        "A2,Bert,S2,next-cycle,tv,2026-01-17,9.99,5",
        "A3,Cleo,S3,next-cycle,tv,2026-01-17,,0",
    ]
    path = write_csv(
        tmp_path / "f.csv",
        [f"{line},{'old' if 'next' in line else ''}" for line in lines],
        header=f"{header},price_plan",
    )
    reason = "is not allowed by the scheme's discount options"
    assert list_reasons(run_import(operator, path)) == [
        (2, "agreed_price", "9.99", reason, "empty"),
        (3, "agreed_price", "9.99", reason, "empty"),
        (3, "discount_percent", "5", reason, "empty"),
    ]


def test_a_type_limits_schemes_and_services(operator, tmp_path):
    path = write_csv(
        tmp_path / "f.csv",
        ["A1,Anna,S1,own-day,tv,2026-01-17,television", "A2,Bert,S2,own-day,internet,2026-01-17,television"],
        header=f"{HEADER},subscription_type",
    )
    assert list_reasons(run_import(operator, path)) == [
        (2, "scheme", "own-day", "is not a scheme of the subscription type", "period"),
        (3, "scheme", "own-day", "is not a scheme of the subscription type", "period"),
        (3, "product", "internet", "is not a service of the subscription type", "sports, tv"),
    ]


def test_rows_of_one_account_must_not_contradict_each_other(operator, tmp_path):
    header = f"{HEADER},phone,credit_limit"
    lines = [
        "A1,Anna,S1,own-day,tv,2026-01-17,1,100",
        "A1,Anne,S1,own-day,internet,2026-01-17,,100.00",
        "A1,,S2,own-day,tv,2026-01-17,2,99",
        "A1,,S2,period,sports,2026-01-17,,",
        "A1,,S3,own-day,tv,2026-01-17,,",
        "A1,,S3,own-day,tv,2026-01-18,,",
        "A2,Bert,S1,own-day,tv,2026-01-17,,",
    ]
    found = list_reasons(run_import(operator, write_csv(tmp_path / "f.csv", lines, header=header)))
    assert [problem for problem in found if "frequency" not in problem[1]] == [
        (2, "subscription_code", "S1", "stands under accounts A1 and A2; a subscription has one", ""),
        (3, "name", "Anne", "contradicts line 2 of the same contact", "Anna"),
        (3, "subscription_code", "S1", "stands under accounts A1 and A2; a subscription has one", ""),
        (4, "phone", "2", "contradicts line 2 of the same contact", "1"),
        (4, "credit_limit", "99", "contradicts line 2 of the same account", "100"),
        (5, "scheme", "period", "contradicts line 4 of the same subscription", "own-day"),
        (7, "service_code", "tv", "is on line 6 already; a subscription has each service once", ""),
        (8, "subscription_code", "S1", "stands under accounts A1 and A2; a subscription has one", ""),
        (8, "service_code", "tv", "is on line 2 already; a subscription has each service once", ""),
    ]


def test_bad_rows_can_be_left_out_with_their_subscription(operator, tmp_path):
    lines = [
        "A1,Anna,S1,own-day,tv,2026-01-17,",
        "A1,Anna,S1,own-day,radio,2026-01-17,",
        "A1,Anna,S2,own-day,tv,2026-01-17,",
        "A2,Bert,S3,own-day,tv,2026-01-17,abc",
        "A2,Bert,S4,own-day,tv,2026-01-17,",
        "A3,Cleo,S5,own-day,tv,2026-01-17,",
    ]
    path = write_csv(tmp_path / "f.csv", lines, header=f"{HEADER},credit_limit")
    outcome = run_import(operator, path, skip_bad=True)
    assert (outcome.is_refused, outcome.rows, outcome.bad_rows, outcome.skipped_rows) == (False, 6, 2, 4)
    assert [row["code"] for row in select(operator, "SELECT code FROM subscription_subscription ORDER BY code")] == [
        "S2",
        "S5",
    ]
    assert [row["code"] for row in select(operator, "SELECT code FROM party_account ORDER BY code")] == ["A1", "A3"]
    assert count_rows(operator)["balances"] == 2


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 100])
def test_the_size_of_chunks_changes_nothing(operator, tmp_path, chunk_rows):
    header = f"contact_code,{HEADER}"
    lines = [
        "C1,A1,Anna,S1,own-day,tv,2026-01-17",
        "C2,A2,Bert,S2,own-day,tv,2026-01-17",
        ",,,,,,",
        "C1,A3,Anna,S3,own-day,tv,2026-01-17",
        "C2,A2,Bert,S2,own-day,internet,2026-01-17",
        ",A1,Anna,S1,own-day,internet,2026-01-17",
        "C3,A4,Cleo,S4,own-day,tv,2026-01-17",
    ]
    path = write_csv(tmp_path / "f.csv", lines, header=header)
    outcome = run_import(operator, path, chunk_rows=chunk_rows)
    assert (list_reasons(outcome), outcome.rows) == ([], 6)
    assert count_rows(operator) == {
        **dict.fromkeys(("contacts", "contact codes"), 3),
        **dict.fromkeys(("accounts", "account codes", "balances"), 4),
        **dict.fromkeys(("subscriptions", "subscription codes", "contracts"), 4),
        **dict.fromkeys(("services", "rating states"), 6),
    }


def test_a_late_bad_row_takes_the_whole_file_back(operator, tmp_path):
    lines = [f"A{n},Anna,S{n},own-day,{'tv' if n < 9 else 'radio'},2026-01-17" for n in range(10)]
    outcome = run_import(operator, write_csv(tmp_path / "f.csv", lines), chunk_rows=2)
    assert (outcome.is_refused, outcome.bad_rows, outcome.accounts) == (True, 1, 0)
    assert count_rows(operator) == NOTHING


def test_parquet_and_ndjson_say_the_same_as_csv(operator, tmp_path):
    rows = [
        {
            **GOOD,
            "effective_from": date(2026, 5, 15),
            "quantity": 2.0,
            "agreed_price": Decimal("9.990"),
            "billed_until": datetime(2026, 7, 1),  # noqa: DTZ001 - as a spreadsheet writes a date
        },
        {**GOOD, "account_code": "A2", "subscription_code": "S2", "effective_from": date(2026, 5, 16)},
    ]
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(tmp_path / "f.parquet")
    (tmp_path / "f.ndjson").write_text(
        '{"account_code": "A1", "name": "Anna", "subscription_code": "S1", "scheme": "period", "product": "tv", '
        '"effective_from": "2026-05-15", "frequency": "monthly", "quantity": 2, "agreed_price": "9.99"}\n'
        '{"account_code": "A2", "name": "Anna", "subscription_code": "S2", "scheme": "period", "product": "tv", '
        '"effective_from": "2026-05-16", "frequency": "monthly"}\n'
    )
    first = run_import(operator, tmp_path / "f.parquet")
    second = run_import(operator, tmp_path / "f.ndjson")
    assert (list_reasons(first), first.services) == ([], 2)
    assert (list_reasons(second), second.services, second.unchanged_services) == ([], 0, 2)
    assert [
        (row["quantity"], row["agreed_price_micro"], row["rated_up_to"]) for row in select(operator, CONTRACTS)
    ] == [(2, 9_990_000, date(2026, 7, 1)), (1, None, date(2026, 5, 16))]


def test_money_in_binary_floats_is_refused(operator, tmp_path):
    pl.DataFrame([{**GOOD, "agreed_price": 9.99}]).write_parquet(tmp_path / "f.parquet")
    with pytest.raises(ColumnsRefused, match="agreed_price holds binary floating-point numbers"):
        run_import(operator, tmp_path / "f.parquet")


@pytest.mark.parametrize(
    "case",
    [
        ("f.xlsx", b"x", FileUnreadable, r"known are .csv, .parquet, .ndjson, .jsonl"),
        ("f.csv", b"", FileUnreadable, "is empty"),
        ("f.csv", f"{HEADER}\nA1,Anna,S1,period,tv,\xe4\n".encode("latin-1"), FileUnreadable, "not UTF-8"),
        ("f.csv", f"{HEADER}\nA1,Anna,S1,period,tv,2026-05-15,extra\n".encode(), FileUnreadable, "more fields"),
        ("f.csv", f"{HEADER},colour\n".encode(), ColumnsRefused, "unknown: colour"),
        (
            "f.csv",
            b"account_code,name\n",
            ColumnsRefused,
            "missing: subscription_code, scheme, product, effective_from",
        ),
        ("f.csv", f"{HEADER},name\n".encode(), ColumnsRefused, "unknown: name_duplicated_0"),
        ("f.parquet", b"not parquet", FileUnreadable, "cannot be read"),
        ("f.ndjson", b"{nonsense\n", FileUnreadable, "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(operator, tmp_path, case):
    name, content, error, message = case
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=message):
        run_import(operator, tmp_path / name)


def test_a_missing_file_is_named(operator, tmp_path):
    with pytest.raises(FileUnreadable, match="There is no file"):
        run_import(operator, tmp_path / "none.csv")


def test_a_file_without_rows_imports_nothing(operator, tmp_path):
    outcome = run_import(operator, write_csv(tmp_path / "f.csv", []))
    assert (outcome.rows, outcome.is_refused, outcome.services) == (0, False, 0)


def test_progress_counts_the_rows(operator, tmp_path):
    seen: list[tuple[str, int, int]] = []
    lines = [f"A{n},Anna,S{n},own-day,tv,2026-01-17" for n in range(4)]
    run_import(
        operator,
        write_csv(tmp_path / "f.csv", lines),
        chunk_rows=2,
        progress=lambda step, done, total: seen.append((step, done, total)),
    )
    assert [call for call in seen if call[0] == "Importing"] == [
        ("Importing", 0, 4),
        ("Importing", 2, 4),
        ("Importing", 4, 4),
    ]
