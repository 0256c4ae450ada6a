"""Pure decisions of the ledger: which credit settles which debit, which legs a transaction has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from coax.ledger.types import (
    DEBIT_KINDS,
    LedgerAccountKind,
    Leg,
    OpenItem,
    Settlement,
    TransactionKind,
)

# What stands against the receivable: money for payments, revenue and tax for what is billed by hand.
COUNTER_ACCOUNT: Final = {
    TransactionKind.PAYMENT: LedgerAccountKind.CASH,
    TransactionKind.PAYMENT_CANCELLATION: LedgerAccountKind.CASH,
    TransactionKind.REFUND: LedgerAccountKind.CASH,
    TransactionKind.INVOICE: LedgerAccountKind.REVENUE,
    TransactionKind.CREDIT_NOTE: LedgerAccountKind.REVENUE,
    TransactionKind.INVOICE_CANCELLATION: LedgerAccountKind.REVENUE,
    TransactionKind.WRITE_OFF: LedgerAccountKind.WRITE_OFF,
}


def list_legs(
    kind: TransactionKind, *, net_minor: int, tax_minor: int = 0, counter: LedgerAccountKind | None = None
) -> tuple[Leg, ...]:
    """Return the legs of a transaction in minor units: the receivable first, legs of zero left out.

    `counter` stands against the receivable in place of what its kind has by default.
    """
    sign = 1 if kind in DEBIT_KINDS else -1
    legs = (
        Leg(LedgerAccountKind.RECEIVABLE, sign * (net_minor + tax_minor)),
        Leg(counter or COUNTER_ACCOUNT[kind], -sign * net_minor),
        Leg(LedgerAccountKind.TAX, -sign * tax_minor),
    )
    return tuple(leg for leg in legs if leg.amount_minor)


def allocate_fifo(
    credits: Iterable[OpenItem],  # noqa: A002 - the accounting word
    debits: Iterable[OpenItem],
    *,
    against: tuple[int, int | None] | None = None,
) -> list[Settlement]:
    """Settle the oldest debit first with the oldest credit first (reference 6.1, allocation principle).

    `against` names the (origin, line) of a debit to settle before all others: Against item & FIFO. Without a line
    it names all debits of the origin, such as the invoices of a bill.
    """
    waiting = sorted(debits, key=lambda item: (not _is_named(item, against), *_age(item)))
    left = [item.open_minor for item in waiting]
    settlements: list[Settlement] = []
    for credit in sorted(credits, key=_age):
        _settle(credit, waiting, left, settlements)
    return settlements


def _is_named(item: OpenItem, against: tuple[int, int | None] | None) -> bool:
    return against is not None and item.origin_id == against[0] and against[1] in {None, item.line}


def _age(item: OpenItem) -> tuple[object, ...]:
    return (item.due_date or item.transaction_date, item.origin_id, item.line)


def _settle(credit: OpenItem, waiting: Sequence[OpenItem], left: list[int], settlements: list[Settlement]) -> None:
    remaining = credit.open_minor
    for number, debit in enumerate(waiting):
        amount = min(remaining, left[number])
        if amount <= 0:
            continue
        left[number] -= amount
        remaining -= amount
        settlements.append(Settlement(credit.origin_id, credit.line, debit.origin_id, debit.line, amount))
        if remaining == 0:
            return
