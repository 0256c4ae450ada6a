"""Change what a credit settles: taken back with the credit, or settled anew as a person wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.ledger.operations.allocate_credits import find_last_seq, store_allocations

_OF_CREDIT: Final = """
SELECT debit_origin_id, debit_line, sum(amount_minor)::bigint FROM ledger_allocation
 WHERE bucket = %s AND account_id = %s AND tenant_id = %s AND credit_origin_id = %s AND credit_line = %s
 GROUP BY debit_origin_id, debit_line HAVING sum(amount_minor) > 0 ORDER BY max(origin_id) DESC, max(seq) DESC
"""
_AMOUNT: Final = """
SELECT amount_minor FROM ledger_transaction
 WHERE bucket = %s AND account_id = %s AND tenant_id = %s AND origin_id = %s AND line = %s
"""


class CreditTooSmall(DomainError):
    """More is to be taken back, or settled, than the credit is."""

    code: ClassVar[str] = "credit_too_small"


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit of an account: its document and its line in it."""

    account_id: int
    origin_id: int
    line: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """So much of a credit is to settle this debit, in minor units."""

    debit_origin_id: int
    debit_line: int
    amount_minor: int


def take_back_credit(
    credit: Credit, *, by: tuple[int, int], amount_minor: int, on: date, tenant_id: int, using: str
) -> None:
    """Let a credit settle the debit `by` (origin, line) that takes it back.

    What it has settled is released as far as it has to be, the latest first. The balance row is locked.
    Raises: CreditTooSmall.
    """
    settled = find_settled_by(credit, tenant_id=tenant_id, using=using)
    whole = _get_amount(credit, tenant_id, using)
    needed = amount_minor - (whole - sum(one.amount_minor for one in settled))
    changes = []
    for one in settled:
        if needed <= 0:
            break
        released = min(needed, one.amount_minor)
        needed -= released
        changes.append(Wanted(one.debit_origin_id, one.debit_line, -released))
    if needed > 0:
        raise CreditTooSmall(f"The credit is of {whole} minor units; {amount_minor} cannot be taken back.")
    _append(credit, [*changes, Wanted(*by, amount_minor)], origin_id=by[0], on=on, tenant_id=tenant_id, using=using)


def settle_anew(
    credit: Credit, wanted: Sequence[Wanted], *, origin_id: int, on: date, tenant_id: int, using: str
) -> None:
    """Let a credit settle just these debits, in place of what it settled; `origin_id` is of the change.

    The balance row is locked; that the debits are open is the caller's to see to. Raises: CreditTooSmall.
    """
    whole = _get_amount(credit, tenant_id, using)
    if sum(one.amount_minor for one in wanted) > whole:
        raise CreditTooSmall(f"The credit is of {whole} minor units; it cannot settle more.")
    present = {
        (one.debit_origin_id, one.debit_line): one.amount_minor
        for one in find_settled_by(credit, tenant_id=tenant_id, using=using)
    }
    target = {(one.debit_origin_id, one.debit_line): one.amount_minor for one in wanted}
    changes = [Wanted(*key, target.get(key, 0) - present.get(key, 0)) for key in sorted(present | target)]
    changed = [one for one in changes if one.amount_minor]
    _append(credit, changed, origin_id=origin_id, on=on, tenant_id=tenant_id, using=using)


def find_settled_by(credit: Credit, *, tenant_id: int, using: str) -> list[Wanted]:
    """Return what a credit settles at present, the latest first."""
    key = [bucket_of(credit.account_id), credit.account_id, tenant_id, credit.origin_id, credit.line]
    return [Wanted(*row) for row in fetch_rows(_OF_CREDIT, key, using=using)]


def _get_amount(credit: Credit, tenant_id: int, using: str) -> int:
    key = [bucket_of(credit.account_id), credit.account_id, tenant_id, credit.origin_id, credit.line]
    amount: int = fetch_rows(_AMOUNT, key, using=using)[0][0]
    return amount


def _append(credit: Credit, changes: Sequence[Wanted], *, origin_id: int, on: date, tenant_id: int, using: str) -> None:
    after = find_last_seq(account_id=credit.account_id, origin_id=origin_id, using=using)
    key = (bucket_of(credit.account_id), credit.account_id, origin_id)
    rows: list[tuple[object, ...]] = [
        (
            *(*key, after + seq, tenant_id, credit.origin_id, credit.line),
            *(one.debit_origin_id, one.debit_line, one.amount_minor, on),
        )
        for seq, one in enumerate(changes, start=1)
    ]
    store_allocations(rows, using=using)
