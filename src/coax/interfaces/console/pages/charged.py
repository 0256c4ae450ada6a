"""What an account was charged once and what was used on it, as rows of one table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from coax.base.tenancy import Tenant
from coax.process.describe_charges import find_bill_numbers
from coax.subscription.queries.charges import find_charges
from coax.subscription.queries.usages import find_usages
from coax.subscription.rules.machine import TRANSITIONS
from coax.subscription.types import SubscriptionRow
from coax.subscription.types.actions import Behaviour
from coax.subscription.types.charges import ChargeRow, ChargeState, UsageRow


@dataclass(frozen=True, slots=True)
class ChargedView:
    """What was charged once or used; `bills` charge and credit it, `take_back` is the action that does so."""

    code: str
    performed_on: date
    what: str
    detail: str
    owner: str
    quantity: int
    price_micro: int | None
    is_usage: bool
    state: ChargeState
    bills: tuple[str, ...]
    take_back: str


def find_charged(
    *,
    tenant: Tenant,
    account_id: int,
    subscriptions: Collection[SubscriptionRow],
    jobs: Collection[str],
    limit: int,
) -> list[ChargedView]:
    """Return what was charged once and used on these subscriptions and by these jobs, the latest day first."""
    states = {row.code: row for row in subscriptions}
    numbers = find_bill_numbers(tenant_id=tenant.id, account_id=account_id)
    charges = find_charges(tenant_id=tenant.id, account_id=account_id, limit=limit)
    usages = find_usages(tenant_id=tenant.id, account_id=account_id, limit=limit)
    rows: list[tuple[date, int, ChargeRow | UsageRow]] = [
        *((row.performed_on, row.charge_id, row) for row in charges if _is_of(row, states, jobs)),
        *((row.performed_on, row.usage_id, row) for row in usages if row.subscription_code in states),
    ]
    rows.sort(key=lambda one: one[:2], reverse=True)
    zone = ZoneInfo(tenant.time_zone)
    return [_view(row, states, numbers, zone) for _, _, row in rows[:limit]]


def _is_of(row: ChargeRow, subscriptions: Collection[str], jobs: Collection[str]) -> bool:
    return row.subscription_code in subscriptions or row.job_code in jobs


def _view(
    row: ChargeRow | UsageRow,
    subscriptions: Mapping[str, SubscriptionRow],
    numbers: Mapping[int, str],
    zone: ZoneInfo,
) -> ChargedView:
    is_usage = isinstance(row, UsageRow)
    action = Behaviour.CANCEL_SERVICE_USAGE if is_usage else Behaviour.CANCEL_EXPENSE
    subscription = subscriptions.get(row.subscription_code or "")
    may = subscription is not None and subscription.state in TRANSITIONS[action].begins_from
    bills = [numbers.get(run_id, "") for run_id in (row.billed_by, row.credited_by) if run_id]
    return ChargedView(
        code=row.code,
        performed_on=row.performed_on,
        what=row.product_name,
        detail=_describe_use(row, zone) if isinstance(row, UsageRow) else "",
        owner=row.subscription_code or (f"job {row.job_code}" if isinstance(row, ChargeRow) else ""),
        quantity=row.quantity,
        price_micro=row.amount_micro if isinstance(row, UsageRow) else row.agreed_price_micro,
        is_usage=is_usage,
        state=row.state,
        bills=tuple(filter(None, bills)),
        take_back=action.value if may and row.withdrawn_on is None else "",
    )


def _describe_use(row: UsageRow, zone: ZoneInfo) -> str:
    began = row.used_from.astimezone(zone) if row.used_from else None
    is_same_day = began is not None and began.date() == row.performed_on
    when = f"{began:%H:%M}" if is_same_day else f"{began:%Y-%m-%d %H:%M}" if began else ""
    way = " to ".join(filter(None, (row.source, row.destination)))
    return ", ".join(filter(None, (when, way, row.method, row.device, row.category, f"on {row.service_code}")))
