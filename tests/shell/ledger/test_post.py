"""Single postings as the application's own role: legs, balance row, what they settle, how the account then stands."""

from __future__ import annotations

from datetime import date

import pytest

from coax.base.db import fetch_rows
from coax.base.tenancy import Tenant, create_tenant, tenant_transaction
from coax.ledger.operations.post_credit_note import post_credit_note
from coax.ledger.operations.post_payment import post_payment
from coax.ledger.operations.write_off import write_off
from coax.ledger.queries import BalanceUnknown, find_settled, find_statement, get_position
from coax.ledger.types import AmountRefused, TransactionKind
from tests.shell.ledger.stored import AUGUST, an_account, balance, entries, owe

SEPTEMBER = date(2026, 9, 10)


def pay(tenant: Tenant, account_id: int, amount: int, **fields):
    return post_payment(
        tenant_id=tenant.id, account_id=account_id, amount_minor=amount, currency="EUR", on=AUGUST, **fields
    )


def test_a_payment_settles_the_oldest_invoice_first(tenant: Tenant) -> None:
    account_id = an_account(tenant)
    later = owe(tenant, account_id, 3000, SEPTEMBER)
    first = owe(tenant, account_id, 2000)
    posted = pay(tenant, account_id, 2500, reference="RF18")
    assert entries(tenant, posted.origin_id) == [("receivable", -2500), ("cash", 2500)]
    settled = find_settled(tenant_id=tenant.id, account_id=account_id, origin_id=posted.origin_id)
    assert [(row.origin_id, row.line, row.amount_minor) for row in settled] == [(*first, 2000), (*later, 500)]
    assert balance(tenant, account_id) == (2500, 0, 5000, 2500)
    assert (posted.balance_minor, posted.unallocated_minor, posted.allocations) == (2500, 0, 2)


def test_a_payment_settles_the_invoice_it_is_meant_for(tenant: Tenant) -> None:
    account_id = an_account(tenant)
    owe(tenant, account_id, 2000)
    later = owe(tenant, account_id, 3000, SEPTEMBER)
    posted = pay(tenant, account_id, 2500, against=later)
    settled = find_settled(tenant_id=tenant.id, account_id=account_id, origin_id=posted.origin_id)
    assert [(row.origin_id, row.amount_minor) for row in settled] == [(later[0], 2500)]


def test_what_is_paid_too_much_settles_the_next_invoice(tenant: Tenant) -> None:
    account_id = an_account(tenant)
    posted = pay(tenant, account_id, 5000)
    assert balance(tenant, account_id) == (-5000, 5000, 0, 5000)
    owe(tenant, account_id, 2000)
    assert balance(tenant, account_id) == (-3000, 3000, 2000, 5000)
    settled = find_settled(tenant_id=tenant.id, account_id=account_id, origin_id=posted.origin_id)
    assert [row.amount_minor for row in settled] == [2000]


def test_a_credit_note_takes_revenue_and_tax_back_and_a_write_off_is_a_loss(tenant: Tenant) -> None:
    account_id = an_account(tenant)
    owe(tenant, account_id, 20000)
    common = {"tenant_id": tenant.id, "account_id": account_id, "currency": "EUR", "on": AUGUST}
    note = post_credit_note(net_minor=10000, tax_minor=1900, **common)
    loss = write_off(amount_minor=8100, **common)
    assert entries(tenant, note.origin_id) == [("receivable", -11900), ("revenue", 10000), ("tax", 1900)]
    assert entries(tenant, loss.origin_id) == [("receivable", -8100), ("write_off", 8100)]
    assert balance(tenant, account_id) == (0, 0, 20000, 20000)


def test_a_debt_is_outstanding_from_the_day_after_it_was_due(tenant: Tenant) -> None:
    account_id = an_account(tenant)
    owe(tenant, account_id, 2000)
    owe(tenant, account_id, 3000, SEPTEMBER)
    pay(tenant, account_id, 500)
    for as_of, outstanding in ((AUGUST, 0), (date(2026, 8, 11), 1500), (date(2026, 9, 11), 4500)):
        position = get_position(tenant_id=tenant.id, account_id=account_id, as_of=as_of)
        assert (position.balance_minor, position.unsettled_minor, position.outstanding_minor) == (
            4500,
            4500,
            outstanding,
        )


def test_the_statement_runs_back_from_the_latest_with_the_balance_after_each(tenant: Tenant) -> None:
    account_id = an_account(tenant)
    owe(tenant, account_id, 2000)
    pay(tenant, account_id, 1200, reference="RF18")
    owe(tenant, account_id, 300)
    rows = find_statement(tenant_id=tenant.id, account_id=account_id)
    assert [(row.kind, row.amount_minor, row.balance_minor, row.open_minor, row.reference) for row in rows] == [
        (TransactionKind.INVOICE, 300, 1100, 300, ""),
        (TransactionKind.PAYMENT, -1200, 800, 0, "RF18"),
        (TransactionKind.INVOICE, 2000, 2000, 800, ""),
    ]
    latest = find_statement(tenant_id=tenant.id, account_id=account_id, limit=1)
    assert [row.balance_minor for row in latest] == [1100]


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refused_amount_changes_nothing(tenant: Tenant, amount: int) -> None:
    account_id = an_account(tenant)
    with pytest.raises(AmountRefused):
        pay(tenant, account_id, amount)
    assert balance(tenant, account_id) == (0, 0, 0, 0)
    assert fetch_rows("SELECT * FROM ledger_transaction") == []


def test_the_account_of_another_operator_is_unknown(tenant: Tenant) -> None:
    account_id = an_account(tenant)
    other = create_tenant(code=f"{tenant.code}-o", name="Other", currency="EUR", time_zone="UTC", locale="en")
    with tenant_transaction(other.id), pytest.raises(BalanceUnknown):
        pay(other, account_id, 100)
    with tenant_transaction(tenant.id):
        assert balance(tenant, account_id) == (0, 0, 0, 0)
