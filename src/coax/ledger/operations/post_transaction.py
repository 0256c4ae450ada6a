"""Post one financial transaction that a single action makes: its legs, the balance, what credits settle."""

from __future__ import annotations

from typing import Final

from coax.base.db import execute, fetch_rows
from coax.base.ids import bucket_of
from coax.base.numbers import next_ids
from coax.base.tenancy import APP_ALIAS
from coax.ledger.operations.allocate_credits import allocate_credits
from coax.ledger.operations.change_allocations import Credit, take_back_credit
from coax.ledger.queries import BalanceUnknown, get_ledger_accounts
from coax.ledger.types import PostedTransaction, SingleTransaction

LINE: Final = 1

_LOCK: Final = """
SELECT 1 FROM ledger_account_balance WHERE bucket = %s AND account_id = %s AND tenant_id = %s FOR UPDATE"""
_INSERT: Final = """
INSERT INTO ledger_transaction (bucket, account_id, origin_id, line, tenant_id, kind, subscription_id,
    transaction_date, due_date, currency, amount_minor, net_minor, tax_minor, rounding_minor, rounding_micro,
    reference, posted_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, %s, now())"""
_INSERT_ENTRIES: Final = """
INSERT INTO ledger_entry (bucket, account_id, origin_id, line, seq, tenant_id, ledger_account_id, currency,
    amount_minor, booked_on)
SELECT %s, %s, %s, %s, leg.seq, %s, leg.ledger_account_id, %s, leg.amount_minor, %s
FROM unnest(%s::int[], %s::bigint[]) WITH ORDINALITY AS leg (ledger_account_id, amount_minor, seq)"""
_MOVE: Final = """
UPDATE ledger_account_balance SET balance_minor = balance_minor + %s,
    debited_since_bill_minor = debited_since_bill_minor + %s,
    credited_since_bill_minor = credited_since_bill_minor + %s
WHERE bucket = %s AND account_id = %s AND tenant_id = %s"""
_PRESENT: Final = """
SELECT balance_minor, unallocated_minor FROM ledger_account_balance
WHERE bucket = %s AND account_id = %s AND tenant_id = %s"""


def post_transaction(
    *,
    tenant_id: int,
    transaction: SingleTransaction,
    against: tuple[int, int | None] | None = None,
    takes_back: tuple[int, int] | None = None,
    using: str = APP_ALIAS,
) -> PostedTransaction:
    """Append a transaction with its legs in the open transaction, move the balance and settle what can be settled.

    The balance row is locked first, so postings to one account go one after the other and a billing run that read
    the old balance reads it again. `against` (origin, line or None for all of it) is what to settle before the rest.
    A debit that `takes_back` a credit (origin, line) is settled by that credit, which leaves what it settled before,
    the latest first, as far as it has to.

    Raises: BalanceUnknown, CreditTooSmall.
    """
    key = [bucket_of(transaction.account_id), transaction.account_id, tenant_id]
    if not fetch_rows(_LOCK, key, using=using):
        raise BalanceUnknown("This operator keeps no such account.", account_id=transaction.account_id)
    origin_id = next_ids("base_document_seq", 1, using=using)[0]
    _store(transaction, tenant_id, origin_id, using)
    _move_balance(transaction, key, using)
    if takes_back is not None:
        credit = Credit(transaction.account_id, *takes_back)
        take_back_credit(
            credit,
            by=(origin_id, LINE),
            amount_minor=transaction.amount_minor,
            on=transaction.transaction_date,
            tenant_id=tenant_id,
            using=using,
        )
    allocations = allocate_credits(
        tenant_id=tenant_id,
        account_ids=[transaction.account_id],
        origin_id=origin_id,
        on=transaction.transaction_date,
        against=against,
        using=using,
    )
    balance_minor, unallocated_minor = fetch_rows(_PRESENT, key, using=using)[0]
    return PostedTransaction(
        account_id=transaction.account_id,
        origin_id=origin_id,
        line=LINE,
        amount_minor=transaction.amount_minor,
        balance_minor=balance_minor,
        unallocated_minor=unallocated_minor,
        allocations=allocations,
    )


def _store(transaction: SingleTransaction, tenant_id: int, origin_id: int, using: str) -> None:
    key = [bucket_of(transaction.account_id), transaction.account_id, origin_id, LINE]
    execute(
        _INSERT,
        [
            *key,
            tenant_id,
            transaction.kind.value,
            transaction.subscription_id,
            transaction.transaction_date,
            transaction.due_date,
            transaction.currency,
            transaction.amount_minor,
            transaction.net_minor,
            transaction.tax_minor,
            transaction.reference,
        ],
        using=using,
    )
    accounts = get_ledger_accounts(tenant_id, using=using)
    legs = [[accounts[leg.kind] for leg in transaction.legs], [leg.amount_minor for leg in transaction.legs]]
    execute(_INSERT_ENTRIES, [*key, tenant_id, transaction.currency, transaction.transaction_date, *legs], using=using)


def _move_balance(transaction: SingleTransaction, key: list[int], using: str) -> None:
    amount = transaction.amount_minor
    debited, credited = (amount, 0) if transaction.is_debit else (0, amount)
    execute(_MOVE, [debited - credited, debited, credited, *key], using=using)
