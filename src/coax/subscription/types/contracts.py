"""Values of subscriptions: states, the contract and the services as read, what a scheme says of cycle days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class SubscriptionState(StrEnum):
    """Life cycle of a subscription (reference 3.1)."""

    DRAFT = "draft"
    EFFECTIVE = "effective"
    NOT_EFFECTIVE = "not_effective"
    IN_RESTING = "in_resting"
    SHORT_TERM_EFFECTIVE = "short_term_effective"
    SHORT_TERM_NOT_EFFECTIVE = "short_term_not_effective"
    REGRETTED = "regretted"
    CANCELLED = "cancelled"
    REPLACED = "replaced"


ENDED = frozenset({SubscriptionState.REGRETTED, SubscriptionState.CANCELLED, SubscriptionState.REPLACED})


@dataclass(frozen=True, slots=True)
class CycleDayRules:
    """What a scheme says of its contracts' cycle day; no allowed days means any."""

    is_anniversary: bool
    allowed_days: tuple[int, ...]
    is_automated: bool
    is_last_day_of_month: bool


@dataclass(frozen=True, slots=True)
class BillingTermRow:
    """A contract as read; `effective_to` is its exclusive end, None while it is the open one."""

    billing_term_id: int
    scheme_version_id: int
    price_plan_id: int
    frequency: str
    cycle_day: int
    agreement_date: date
    binding_period: str
    binding_start_date: date | None
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as read, with the first day that is not billed yet."""

    service_id: int
    code: str
    product_id: int
    quantity: int
    effective_from: date
    effective_to: date | None
    billable_from: date
    billing_effective_date: date
    agreed_price_micro: int | None
    extra_discount_ppm: int
    rated_up_to: date
    state: str = "effective"
    state_from: date | None = None
    bundle_id: int | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription as read: its contracts from the oldest on, its services by code."""

    subscription_id: int
    account_id: int
    code: str
    type_id: int | None
    state: SubscriptionState
    created_on: date
    billing_terms: tuple[BillingTermRow, ...]
    services: tuple[ServiceRow, ...]
    state_from: date | None = None
    state_ends_on: date | None = None
    grace_until: date | None = None
    location: str = ""

    @property
    def billing_term(self) -> BillingTermRow | None:
        """Return the open contract."""
        return next((term for term in self.billing_terms if term.effective_to is None), None)
