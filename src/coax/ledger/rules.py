"""Pure decisions of the ledger: which credit settles which debit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coax.ledger.types import OpenItem, Settlement


def allocate_fifo(
    credits: Iterable[OpenItem],  # noqa: A002 - the accounting word
    debits: Iterable[OpenItem],
    *,
    against: tuple[int, int] | None = None,
) -> list[Settlement]:
    """Settle the oldest debit first with the oldest credit first (reference 6.1, allocation principle).

    `against` names the (origin, line) of a debit to settle before all others: Against item & FIFO.
    """
    waiting = sorted(debits, key=lambda item: ((item.origin_id, item.line) != against, *_age(item)))
    left = [item.open_minor for item in waiting]
    settlements: list[Settlement] = []
    for credit in sorted(credits, key=_age):
        _settle(credit, waiting, left, settlements)
    return settlements


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
