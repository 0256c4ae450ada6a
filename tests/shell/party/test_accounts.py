"""Accounts as a clerk finds them, and what is refused when they are created in bulk."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from coax.base.tenancy import Tenant
from coax.party.operations import AccountCodesTaken, create_accounts
from coax.party.queries import AccountUnknown, find_accounts, get_account
from coax.party.types import AccountState

PEOPLE = (
    ("A-1", "Anna Meyer", "anna@example.org", "+49 431 5550100"),
    ("A-2", "Bert Anders", "b.anders@example.org", "0431 5550101"),
    ("B-1", "anna-lena Voss", "voss@example.org", ""),
    ("B_2", "Cleo 100%", "cleo@example.org", "+49 30 77"),
)


def _create(tenant: Tenant, people=PEOPLE) -> pl.DataFrame:
    texts = ("street", "postal_code", "city", "country", "locale")
    contacts = pl.DataFrame(people, schema=["contact_code", "name", "email", "phone"], orient="row").with_columns(
        pl.lit("").alias(name) for name in texts
    )
    accounts = contacts.select(
        pl.col("contact_code").alias("account_code"),
        "contact_code",
        pl.lit(None, pl.Int64).alias("contact_id"),
        pl.lit(None, pl.Int64).alias("classification_id"),
        pl.lit("EUR").alias("currency"),
        pl.lit(None, pl.Int64).alias("credit_limit_minor"),
        pl.lit("").alias("credit_rating"),
        pl.lit(0).alias("credit_period_days"),
    )
    return create_accounts(tenant_id=tenant.id, contacts=contacts, accounts=accounts, created_on=date(2026, 6, 1))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["A-1", "A-2", "B-1", "B_2"]),
        ("a-", ["A-1", "A-2"]),
        ("B_", ["B_2"]),
        ("ANNA", ["A-1", "B-1"]),
        ("cleo 100%", ["B_2"]),
        ("%", []),
        ("b.anders@", ["A-2"]),
        ("0431 555", ["A-1", "A-2"]),
        ("+49 431 5550100", ["A-1"]),
        ("nobody", []),
    ],
)
def test_finds_by_code_name_mail_and_phone(empty_tenant, text, codes):
    _create(empty_tenant)
    assert [row.code for row in find_accounts(tenant_id=empty_tenant.id, text=text)] == codes


@pytest.mark.parametrize("text", ["", "b", "a"])
def test_pages_follow_each_other(empty_tenant, text):
    _create(empty_tenant)
    whole = find_accounts(tenant_id=empty_tenant.id, text=text)
    paged, after = [], ""
    while page := find_accounts(tenant_id=empty_tenant.id, text=text, limit=1, after=after):
        paged += page
        after = page[-1].code
    assert paged == whole


def test_gets_an_account_with_its_contact(empty_tenant):
    _create(empty_tenant)
    account = get_account(empty_tenant.id, "A-2")
    assert (account.name, account.contact_code, account.state) == ("Bert Anders", "A-2", AccountState.ACTIVE)
    assert (account.currency, account.credit_limit_minor, account.classification_id) == ("EUR", None, None)


def test_an_unknown_account_is_named(empty_tenant):
    with pytest.raises(AccountUnknown, match="There is no account 'A-9'"):
        get_account(empty_tenant.id, "A-9")


def test_accounts_of_another_operator_are_not_found(empty_tenant):
    _create(empty_tenant)
    assert find_accounts(tenant_id=empty_tenant.id + 1) == []


def test_a_code_that_was_taken_meanwhile_changes_nothing(empty_tenant):
    _create(empty_tenant, PEOPLE[:1])
    with pytest.raises(AccountCodesTaken):
        _create(empty_tenant)
    assert [row.code for row in find_accounts(tenant_id=empty_tenant.id)] == ["A-1"]


def test_accounts_spread_over_the_buckets(empty_tenant):
    made = _create(empty_tenant)
    assert (made["account_id"] & 1023).n_unique() == len(PEOPLE)
