"""Reading bills: one by its number, pages of them, all of a run, all of some accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.billing.types import BillClassification
from coax.billing.types.document import BillKey, BillRow

PAGE_ROWS: Final = 50
PAGE_ROWS_MAX: Final = 10_000

_NUMBERS: Final = (
    "previous_run_id",
    "brought_forward_minor",
    "debited_between_minor",
    "credited_between_minor",
    "net_micro",
    "tax_micro",
    "rounding_micro",
    "total_minor",
)
_SELECT: Final = f"""
SELECT b.bucket, b.account_id, b.run_id, b.number, r.number, a.code, b.classification, b.currency,
       b.period_from, b.period_to, b.transaction_date, b.due_date, {", ".join(f"b.{name}" for name in _NUMBERS)}
"""
_FROM: Final = """
JOIN billing_run r ON r.id = b.run_id
JOIN party_account a ON a.bucket = b.bucket AND a.account_id = b.account_id
"""
_PAGE: Final = f"""{_SELECT} FROM billing_bill b {_FROM}
WHERE b.tenant_id = %(tenant_id)s AND b.number > %(after)s
  AND (%(run_id)s::bigint IS NULL OR b.run_id = %(run_id)s)
  AND (%(account_id)s::bigint IS NULL OR (b.bucket = %(bucket)s AND b.account_id = %(account_id)s))
  AND (%(is_exceptional)s::boolean IS NULL OR (b.classification <> 'normal') = %(is_exceptional)s)
ORDER BY b.number LIMIT %(limit)s"""
_LATEST: Final = f"""{_SELECT} FROM billing_bill b {_FROM}
WHERE b.tenant_id = %(tenant_id)s AND (%(before)s::bigint IS NULL OR b.number < %(before)s)
  AND (%(is_exceptional)s::boolean IS NULL OR (b.classification <> 'normal') = %(is_exceptional)s)
ORDER BY b.number DESC LIMIT %(limit)s"""
_BY_NUMBER: Final = f"{_SELECT} FROM billing_bill b {_FROM} WHERE b.tenant_id = %s AND b.number = %s"
_OF_ACCOUNTS: Final = f"""{_SELECT}
FROM unnest(%s::smallint[], %s::bigint[]) AS wanted (bucket, account_id)
JOIN billing_bill b ON b.bucket = wanted.bucket AND b.account_id = wanted.account_id {_FROM}
WHERE b.tenant_id = %s ORDER BY b.bucket, b.account_id, b.run_id"""
_OF_RUN: Final = """
SELECT bucket, account_id, run_id, number FROM billing_bill
WHERE tenant_id = %s AND run_id = %s ORDER BY number"""


class BillUnknown(DomainError):
    """No bill has this number."""

    code: ClassVar[str] = "bill_unknown"


def get_bill(*, tenant_id: int, number: int, using: str = "default") -> BillRow:
    """Return the bill with this number.

    Raises:
        BillUnknown: if there is none; it names the latest.
    """
    rows = fetch_rows(_BY_NUMBER, [tenant_id, number], using=using)
    if not rows:
        latest = fetch_rows("SELECT max(number) FROM billing_bill WHERE tenant_id = %s", [tenant_id], using=using)[0][0]
        raise BillUnknown(f"There is no bill {number}; the latest is {latest or 'none yet'}.", bill=number)
    return _make_row(rows[0])


def find_bills(
    *,
    tenant_id: int,
    run_id: int | None = None,
    account_id: int | None = None,
    is_exceptional: bool | None = None,
    after: int = 0,
    limit: int = PAGE_ROWS,
    using: str = "default",
) -> list[BillRow]:
    """Return a page of bills in the order of their numbers, at most `PAGE_ROWS_MAX`.

    `after` is the number of the last bill of the page before; `is_exceptional` asks for bills that are to be
    looked into, or for the others.
    """
    params = {
        "tenant_id": tenant_id,
        "run_id": run_id,
        "account_id": account_id,
        "bucket": None if account_id is None else bucket_of(account_id),
        "is_exceptional": is_exceptional,
        "after": after,
        "limit": min(limit, PAGE_ROWS_MAX),
    }
    return [_make_row(row) for row in fetch_rows(_PAGE, params, using=using)]


def find_latest_bills(
    *,
    tenant_id: int,
    is_exceptional: bool | None = None,
    before: int | None = None,
    limit: int = PAGE_ROWS,
    using: str = "default",
) -> list[BillRow]:
    """Return a page of bills, the latest number first; `before` is the last number of the page before."""
    params = {
        "tenant_id": tenant_id,
        "is_exceptional": is_exceptional,
        "before": before,
        "limit": min(limit, PAGE_ROWS_MAX),
    }
    return [_make_row(row) for row in fetch_rows(_LATEST, params, using=using)]


def find_bills_of_accounts(*, tenant_id: int, account_ids: Iterable[int], using: str = "default") -> list[BillRow]:
    """Return every bill of some accounts, by account in the order of their runs."""
    wanted = sorted(set(account_ids))
    params = [[bucket_of(account_id) for account_id in wanted], wanted, tenant_id]
    return [_make_row(row) for row in fetch_rows(_OF_ACCOUNTS, params, using=using)]


def find_bill_keys(*, tenant_id: int, run_id: int, using: str = "default") -> list[tuple[BillKey, int]]:
    """Return the keys and numbers of a run's bills in the order of the numbers."""
    rows = fetch_rows(_OF_RUN, [tenant_id, run_id], using=using)
    return [(BillKey(bucket, account, run), number) for bucket, account, run, number in rows]


def _make_row(row: tuple[Any, ...]) -> BillRow:
    bucket, account_id, run_id, number, run_number, account_code, classification, currency, *rest = row
    period_from, period_to, transaction_date, due_date, *numbers = rest
    return BillRow(
        key=BillKey(bucket, account_id, run_id),
        number=number,
        run_number=run_number,
        account_code=account_code,
        classification=BillClassification(classification),
        currency=currency,
        period_from=period_from,
        period_to=period_to,
        transaction_date=transaction_date,
        due_date=due_date,
        **dict(zip(_NUMBERS, numbers, strict=True)),
    )
