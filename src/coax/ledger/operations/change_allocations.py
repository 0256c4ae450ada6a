"""Change what a credit settles: taken back with the credit, or settled anew as a person wants it."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.ledger.operations.allocate_credits import find_last_seq, store_allocations
from coax.ledger.types import DEBIT_KINDS, TransactionKind

_OF_CREDIT: Final = """
SELECT a.debit_origin_id, a.debit_line, sum(a.amount_minor)::bigint
  FROM ledger_allocation a
  JOIN ledger_transaction t ON t.bucket = a.bucket AND t.account_id = a.account_id
       AND t.origin_id = a.debit_origin_id AND t.line = a.debit_line
 WHERE a.bucket = %s AND a.account_id = %s AND a.tenant_id = %s AND a.credit_origin_id = %s AND a.credit_line = %s
   AND t.kind = ANY(%s)
 GROUP BY a.debit_origin_id, a.debit_line HAVING sum(a.amount_minor) > 0
 ORDER BY max(a.origin_id) DESC, max(a.seq) DESC
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
    """Let a credit settle just these invoices, in place of those it settled; `origin_id` is of the change.

    What of it was given back, or taken back, is gone and settles nothing else. The balance row is locked; that the
    debits are open is the caller's to see to. Raises: CreditTooSmall.
    """
    whole = _get_amount(credit, tenant_id, using)
    gone = find_settled_by(credit, tenant_id=tenant_id, using=using, kinds=DEBIT_KINDS - {TransactionKind.INVOICE})
    gone_minor = sum(one.amount_minor for one in gone)
    if sum(one.amount_minor for one in wanted) > whole - gone_minor:
        text = f"The credit is of {whole} minor units, {gone_minor} of them given back; it cannot settle more."
        raise CreditTooSmall(text)
    invoices = find_settled_by(credit, tenant_id=tenant_id, using=using, kinds={TransactionKind.INVOICE})
    present = {(one.debit_origin_id, one.debit_line): one.amount_minor for one in invoices}
    target = {(one.debit_origin_id, one.debit_line): one.amount_minor for one in wanted}
    changes = [Wanted(*key, target.get(key, 0) - present.get(key, 0)) for key in sorted(present | target)]
    changed = [one for one in changes if one.amount_minor]
    _append(credit, changed, origin_id=origin_id, on=on, tenant_id=tenant_id, using=using)


def find_settled_by(
    credit: Credit, *, tenant_id: int, using: str, kinds: AbstractSet[TransactionKind] = DEBIT_KINDS
) -> list[Wanted]:
    """Return which debits of these kinds a credit settles at present, the latest first."""
    key = [bucket_of(credit.account_id), credit.account_id, tenant_id, credit.origin_id, credit.line]
    return [Wanted(*row) for row in fetch_rows(_OF_CREDIT, [*key, sorted(kinds)], using=using)]


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
