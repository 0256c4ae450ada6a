"""An account in the ledger, and what is posted to it, inside the test's own transaction."""

from __future__ import annotations

from datetime import date
from typing import Any

from coax.base.db import execute, fetch_rows
from coax.base.ids import bucket_of, compose_account_id
from coax.base.numbers import next_ids
from coax.base.tenancy import Tenant
from coax.ledger.operations.open_ledger import open_ledger
from coax.ledger.operations.post_transaction import post_transaction
from coax.ledger.rules import list_legs
from coax.ledger.types import SingleTransaction, TransactionKind

AUGUST = date(2026, 8, 10)


def an_account(tenant: Tenant) -> int:
    """Open the ledger and an account of the balance zero; return its key."""
    open_ledger(tenant_id=tenant.id)
    account_id = compose_account_id(next_ids("base_account_seq", 1)[0])
    execute(
        "INSERT INTO ledger_account_balance VALUES (%s, %s, %s, 0, 0, 0, 0, 0)",
        [bucket_of(account_id), account_id, tenant.id],
    )
    return account_id


def owe(tenant: Tenant, account_id: int, amount_minor: int, due: date = AUGUST) -> tuple[int, int]:
    """Post an invoice made by hand and return its key."""
    invoice = SingleTransaction(
        account_id=account_id,
        kind=TransactionKind.INVOICE,
        currency="EUR",
        net_minor=amount_minor,
        tax_minor=0,
        legs=list_legs(TransactionKind.INVOICE, net_minor=amount_minor),
        transaction_date=date(2026, 7, 21),
        due_date=due,
    )
    posted = post_transaction(tenant_id=tenant.id, transaction=invoice)
    return posted.origin_id, posted.line


def entries(tenant: Tenant, origin_id: int) -> list[tuple[Any, ...]]:
    """Kind and amount of each leg."""
    return fetch_rows(
        """SELECT l.kind, e.amount_minor FROM ledger_entry e JOIN ledger_ledger_account l ON l.id = e.ledger_account_id
           WHERE e.tenant_id = %s AND e.origin_id = %s ORDER BY e.seq""",
        [tenant.id, origin_id],
    )


def balance(tenant: Tenant, account_id: int) -> tuple[int, ...]:
    """Balance, unallocated, debited and credited since the last bill."""
    return fetch_rows(
        """SELECT balance_minor, unallocated_minor, debited_since_bill_minor, credited_since_bill_minor
           FROM ledger_account_balance WHERE tenant_id = %s AND account_id = %s""",
        [tenant.id, account_id],
    )[0]
