"""Refunds as people and programs read them; a transaction of the tenant is open."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.ledger.types import LedgerAccountKind
from coax.payment.types import RefundRow, RefundState

PAGE_ROWS: Final = 50
_REFUNDS: Final = """
SELECT r.id AS refund_id, r.account_id, a.code AS account_code, r.mode, r.state, r.money, r.amount_minor, r.currency,
       r.refunded_on, r.reason, r.payment_id, r.transaction_id, r.asked_by, r.asked_at, r.decided_by, r.decision_reason
  FROM payment_refund r
  JOIN party_account a ON a.bucket = r.bucket AND a.account_id = r.account_id
 WHERE r.tenant_id = %(tenant_id)s
   AND (%(bucket)s::smallint IS NULL OR (r.bucket = %(bucket)s AND r.account_id = %(account_id)s))
   AND (%(state)s::text IS NULL OR r.state = %(state)s)
   AND (%(before)s::bigint IS NULL OR r.id < %(before)s)
 ORDER BY r.id DESC LIMIT %(limit)s
"""
_ONE: Final = _REFUNDS.replace(" ORDER BY", " AND r.id = %(refund_id)s ORDER BY")
_ACCOUNT: Final = "SELECT account_id FROM payment_refund_key WHERE tenant_id = %s AND refund_id = %s"
_GIVEN_BACK: Final = """
SELECT coalesce(sum(amount_minor), 0)::bigint FROM payment_refund
 WHERE bucket = %s AND account_id = %s AND tenant_id = %s AND payment_id = %s AND state IN ('pending', 'posted')
"""


class RefundUnknown(DomainError):
    """The operator has no such refund."""

    code: ClassVar[str] = "refund_unknown"


def get_refund(*, tenant_id: int, refund_id: int, using: str = APP_ALIAS) -> RefundRow:
    """Return a refund by its key. Raises: RefundUnknown."""
    owner = fetch_rows(_ACCOUNT, [tenant_id, refund_id], using=using)
    if not owner:
        raise RefundUnknown(f"refund: there is no refund {refund_id}.", refund=refund_id)
    wanted = {**_make_filter(tenant_id, account_id=owner[0][0]), "refund_id": refund_id}
    return _make_row(fetch_dicts(_ONE, wanted, using=using)[0])


def find_refunds(
    *,
    tenant_id: int,
    account_id: int | None = None,
    state: RefundState | None = None,
    before: int | None = None,
    limit: int = PAGE_ROWS,
    using: str = APP_ALIAS,
) -> list[RefundRow]:
    """Return refunds, the latest first; `before` is the last key of the page before."""
    wanted = {
        **_make_filter(tenant_id, account_id=account_id, limit=limit),
        "state": state.value if state else None,
        "before": before,
    }
    return [_make_row(row) for row in fetch_dicts(_REFUNDS, wanted, using=using)]


def sum_given_back(*, tenant_id: int, account_id: int, payment_id: int, using: str = APP_ALIAS) -> int:
    """Return how much of a payment was given back, or waits to be, in minor units."""
    rows = fetch_rows(_GIVEN_BACK, [bucket_of(account_id), account_id, tenant_id, payment_id], using=using)
    given: int = rows[0][0]
    return given


def _make_filter(tenant_id: int, *, account_id: int | None = None, limit: int = 1) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "bucket": None if account_id is None else bucket_of(account_id),
        "account_id": account_id,
        "limit": limit,
        **dict.fromkeys(("state", "before")),
    }


def _make_row(row: dict[str, Any]) -> RefundRow:
    return RefundRow(**{**row, "money": LedgerAccountKind(row["money"]), "state": RefundState(row["state"])})
