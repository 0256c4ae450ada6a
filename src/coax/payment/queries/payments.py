"""Payments as people and programs read them; a transaction of the tenant is open."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.configuration.types.payment_mode import Payer
from coax.ledger.types import LedgerAccountKind
from coax.payment.types import PaymentRow, PaymentState

PAGE_ROWS: Final = 50
_PAYMENTS: Final = """
SELECT p.id AS payment_id, p.account_id, a.code AS account_code, p.mode, p.payer, p.state, p.money, p.amount_minor,
       p.moved_minor, p.currency, p.received_on, p.reference, p.details::text AS details, p.transaction_id,
       p.against_bill, p.came_from_payment, p.recorded_by, p.recorded_at, p.decided_by, p.decided_on, p.reason
  FROM payment_payment p
  JOIN party_account a ON a.bucket = p.bucket AND a.account_id = p.account_id
 WHERE p.tenant_id = %(tenant_id)s
   AND (%(bucket)s::smallint IS NULL OR (p.bucket = %(bucket)s AND p.account_id = %(account_id)s))
   AND (%(state)s::text IS NULL OR p.state = %(state)s)
   AND (%(mode)s::text IS NULL OR p.mode = %(mode)s)
   AND (%(from)s::date IS NULL OR p.received_on >= %(from)s) AND (%(until)s::date IS NULL OR p.received_on <= %(until)s)
   AND (%(before)s::bigint IS NULL OR p.id < %(before)s)
 ORDER BY p.id DESC LIMIT %(limit)s
"""
_ONE: Final = _PAYMENTS.replace(" ORDER BY", " AND p.id = %(payment_id)s ORDER BY")
_ACCOUNT: Final = "SELECT account_id FROM payment_payment_key WHERE tenant_id = %s AND payment_id = %s"


class PaymentUnknown(DomainError):
    """The operator has no such payment."""

    code: ClassVar[str] = "payment_unknown"


def get_payment(*, tenant_id: int, payment_id: int, using: str = APP_ALIAS) -> PaymentRow:
    """Return a payment by its key. Raises: PaymentUnknown."""
    owner = fetch_rows(_ACCOUNT, [tenant_id, payment_id], using=using)
    if not owner:
        raise PaymentUnknown(f"payment: there is no payment {payment_id}.", payment=payment_id)
    wanted = {**_make_filter(tenant_id, account_id=owner[0][0]), "payment_id": payment_id}
    return _make_row(fetch_dicts(_ONE, wanted, using=using)[0])


def find_payments(
    *,
    tenant_id: int,
    account_id: int | None = None,
    state: PaymentState | None = None,
    mode: str | None = None,
    received_from: date | None = None,
    received_until: date | None = None,
    before: int | None = None,
    limit: int = PAGE_ROWS,
    using: str = APP_ALIAS,
) -> list[PaymentRow]:
    """Return payments, the latest first; `before` is the last key of the page before."""
    wanted = {
        **_make_filter(tenant_id, account_id=account_id, limit=limit),
        "state": state.value if state else None,
        "mode": mode,
        "from": received_from,
        "until": received_until,
        "before": before,
    }
    return [_make_row(row) for row in fetch_dicts(_PAYMENTS, wanted, using=using)]


def _make_filter(tenant_id: int, *, account_id: int | None = None, limit: int = 1) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "bucket": None if account_id is None else bucket_of(account_id),
        "account_id": account_id,
        "limit": limit,
        **dict.fromkeys(("state", "mode", "from", "until", "before")),
    }


def _make_row(row: dict[str, Any]) -> PaymentRow:
    money = LedgerAccountKind(row["money"])
    values = {**row, "money": money, "payer": Payer(row["payer"]), "state": PaymentState(row["state"])}
    return PaymentRow(**{**values, "details": json.loads(row["details"])})
