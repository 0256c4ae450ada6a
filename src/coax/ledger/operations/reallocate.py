"""Let a credit settle what a person wants it to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from coax.base.errors import DomainError
from coax.base.numbers import next_ids
from coax.base.tenancy import APP_ALIAS
from coax.ledger.operations.allocate_credits import store_remaining
from coax.ledger.operations.change_allocations import Credit, Wanted, find_settled_by, settle_anew
from coax.ledger.operations.lock_balance import lock_balance
from coax.ledger.queries import find_open_items


class AllocationRefused(DomainError):
    """A credit is to settle a debit that is not there, or more of it than is open."""

    code: ClassVar[str] = "allocation_refused"


def reallocate(
    credit: Credit,
    wanted: Sequence[tuple[int, int | None, int]],
    *,
    on: date,
    tenant_id: int,
    using: str = APP_ALIAS,
) -> None:
    """Let a credit settle just these debits (origin, line or None for all of it, amount), oldest lines first.

    What it settled before is released; what is left of it settles nothing until the next posting of the account.

    Raises: BalanceUnknown, AllocationRefused, CreditTooSmall.
    """
    lock_balance(tenant_id=tenant_id, account_id=credit.account_id, using=using)
    items = find_open_items(tenant_id=tenant_id, account_ids=[credit.account_id], using=using)
    free = {(item.origin_id, item.line): item.open_minor for item in items if item.is_debit}
    for one in find_settled_by(credit, tenant_id=tenant_id, using=using):
        key = (one.debit_origin_id, one.debit_line)
        free[key] = free.get(key, 0) + one.amount_minor
    chosen: list[Wanted] = []
    for origin_id, line, amount_minor in wanted:
        chosen += _spread(origin_id, line, amount_minor, free)
    (origin,) = next_ids("base_document_seq", 1, using=using)
    settle_anew(credit, chosen, origin_id=origin, on=on, tenant_id=tenant_id, using=using)
    left = sum(
        item.open_minor
        for item in find_open_items(tenant_id=tenant_id, account_ids=[credit.account_id], using=using)
        if not item.is_debit
    )
    store_remaining([(credit.account_id, left)], {credit.account_id}, tenant_id=tenant_id, using=using)


def _spread(origin_id: int, line: int | None, amount_minor: int, free: dict[tuple[int, int], int]) -> list[Wanted]:
    """Hand an amount out over the lines of a document, and take it from what is free of them."""
    if amount_minor <= 0:
        raise AllocationRefused(f"amount: {amount_minor} minor units settle nothing; it must be above zero.")
    left, found = amount_minor, []
    for key in sorted(key for key in free if key[0] == origin_id and line in {None, key[1]}):
        part = min(left, free[key])
        if part > 0:
            free[key] -= part
            left -= part
            found.append(Wanted(*key, part))
    if left > 0:
        text = f"amount: only {amount_minor - left} of {amount_minor} minor units are open of that debit."
        raise AllocationRefused(text, amount_minor=amount_minor)
    return found
