"""Values of actions: what may be done to a subscription, what is known when it is decided, what it changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from coax.configuration.types.action_type import Behaviour as Behaviour  # noqa: PLC0414 - named here for its users
from coax.configuration.types.billing_term_definition import BillingDirective
from coax.subscription.types.contracts import SubscriptionState

REASON_CHARS_MAX = 500


class ServiceState(StrEnum):
    """Life cycle of a service: that of a subscription, and two ways of its own to end (reference 3.1)."""

    DRAFT = "draft"
    EFFECTIVE = "effective"
    NOT_EFFECTIVE = "not_effective"
    IN_RESTING = "in_resting"
    SHORT_TERM_EFFECTIVE = "short_term_effective"
    SHORT_TERM_NOT_EFFECTIVE = "short_term_not_effective"
    REGRETTED = "regretted"
    CANCELLED = "cancelled"
    SWAPPED = "swapped"
    REMOVED = "removed"
    REPLACED = "replaced"


class Amendment(StrEnum):
    """What an amendment does to the binding period of a contract (reference 2.2)."""

    NEW = "new"
    RENEWED = "renewed"
    EXTENDED = "extended"
    ADJUSTED = "adjusted"
    CANCELLED = "cancelled"
    NONE = "none"


class ActionState(StrEnum):
    """What became of an action (reference 3.1)."""

    SCHEDULED = "scheduled"
    EXECUTED = "executed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDetail:
    """What is known of a usage beside service, amount and day (reference 2.8); what is not known stays empty.

    `amount_micro` is its price where it comes rated, `reference` what its source system calls it.
    """

    usage_type: str = ""
    catalog: str = ""
    is_billed: bool = True
    amount_micro: int | None = None
    used_from: datetime | None = None
    used_to: datetime | None = None
    source_system: str = ""
    reference: str = ""
    source: str = ""
    destination: str = ""
    device: str = ""
    method: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """One action as asked for; what a behaviour does not use stays empty.

    `performed_on` is the civil day on which it happens, `ends_on` the first day on which a state for a time is over,
    `service_code` the service it is about, `new_service_code` and `product_code` the one that comes; of an expense
    `product_code`, `quantity` and `duration` (in units of its rate) say what it is, `charge_code` which one.
    `product_codes` are the services that the bundle is to hold from then on, none where it is dissolved.
    """

    subscription_code: str
    behaviour: Behaviour
    performed_on: date
    action_type: str = ""
    sub_action_type: str = ""
    reason: str = ""
    ends_on: date | None = None
    service_code: str | None = None
    new_service_code: str | None = None
    product_code: str | None = None
    quantity: int = 1
    agreed_price_micro: int | None = None
    amendment: Amendment | None = None
    scheme_code: str | None = None
    price_plan_code: str | None = None
    frequency: str | None = None
    cycle_day: int | None = None
    agreement_date: date | None = None
    binding_period: str | None = None
    binding_start_date: date | None = None
    extension_days: int | None = None
    duration: int = 0
    location: str | None = None
    account_code: str | None = None
    charge_code: str | None = None
    usage: UsageDetail | None = None
    bundle_code: str | None = None
    product_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A service when an action is decided; `changed_on` is the first day of its present state.

    `stays_off`: it was stopped by itself, so activating its subscription does not bring it back. `served` are the
    half-open days on which it could be used (where that was asked for).
    """

    service_id: int
    code: str
    product_id: int
    state: ServiceState
    quantity: int
    effective_from: date
    effective_to: date | None
    billable_from: date
    rated_up_to: date
    has_history: bool
    changed_on: date
    swapped_from: int | None = None
    stays_off: bool = False
    bundle_id: int | None = None
    served: tuple[tuple[date, date | None], ...] = ()


@dataclass(frozen=True, slots=True)
class TermFacts:
    """The contract that holds when an action is decided."""

    billing_term_id: int
    scheme_version_id: int
    price_plan_id: int
    cycle_day: int
    agreement_date: date
    frequency: str
    binding_period: str
    binding_start_date: date | None
    binding_extension_days: int
    effective_from: date


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """What was charged once or used, and is not taken back, when an action is decided.

    `usage_id` and `service_id` are of what was used; usage that costs nothing has no `charge_id`.
    """

    charge_id: int | None
    usage_id: int | None
    service_id: int | None
    code: str
    product_id: int
    performed_on: date
    is_billed: bool


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """A subscription with its services when an action is decided.

    `rested` lists its former rests as half-open days, `products_elsewhere` the products of its account's other live
    services, `installed` the goods that are installed on it, `charges` what was charged once (each where that was asked
    for); `is_over_limit` tells whether the account owes more than it may.
    """

    subscription_id: int
    account_id: int
    code: str
    type_id: int | None
    state: SubscriptionState
    created_on: date
    changed_on: date
    has_no_history: bool
    state_ends_on: date | None
    grace_until: date | None
    revision: int
    account_state: str
    classification_id: int | None
    term: TermFacts | None
    services: tuple[ServiceFacts, ...]
    rested: tuple[tuple[date, date], ...] = ()
    products_elsewhere: tuple[int, ...] = ()
    installed: tuple[int, ...] = ()
    charges: tuple[ChargeFacts, ...] = ()
    is_over_limit: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """The bundle that a service goes over into, or none."""

    bundle_id: int | None


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """A service that goes over into another state on a day, and how its time is billed from then on.

    `credit_from` is set where the time before is taken back too, as by a regret; `rate_from` where what was billed
    ahead from there on is credited and charged anew.
    """

    service: ServiceFacts
    state: ServiceState
    on: date
    directive: BillingDirective
    billable_from: date | None = None
    billing_effective_date: date | None = None
    is_first: bool = False
    credit_from: date | None = None
    rate_from: date | None = None
    stays_off: bool = False
    membership: Membership | None = None

    @property
    def bundle_id(self) -> int | None:
        """Return the bundle that the service is in from then on."""
        return self.membership.bundle_id if self.membership else self.service.bundle_id


@dataclass(frozen=True, slots=True)
class NewService:
    """A service that an action adds."""

    code: str
    product_id: int
    state: ServiceState
    quantity: int
    on: date
    billable_from: date
    billing_effective_date: date
    agreed_price_micro: int | None = None
    swapped_from: int | None = None
    bundle_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewTerm:
    """The contract that takes the place of the present one from a day on."""

    on: date
    scheme_version_id: int
    price_plan_id: int
    frequency: str
    cycle_day: int
    agreement_date: date
    binding_period: str
    binding_start_date: date | None
    binding_extension_days: int
    is_rated_anew: bool = False


@dataclass(frozen=True, slots=True)
class NewCharge:
    """What an action costs once, such as a penalty; without a price of its own (for one) at the price plan's."""

    product_id: int
    price_micro: int | None
    on: date
    quantity: int = 1
    duration: int = 0


@dataclass(frozen=True, slots=True)
class NewUsage:
    """A use of a service, carried by a termed one, with what is known of it."""

    service_id: int
    product_id: int
    catalog_id: int
    usage_type_id: int | None
    on: date
    quantity: int
    detail: UsageDetail


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A charge that is taken back on a day: not billed, or credited where it was."""

    charge: ChargeFacts
    on: date


@dataclass(frozen=True, slots=True)
class Effects:
    """All that one action changes; nothing else is touched."""

    state: SubscriptionState | None = None
    on: date | None = None
    state_ends_on: date | None = None
    grace_until: date | None = None
    services: tuple[ServiceChange, ...] = ()
    new_services: tuple[NewService, ...] = ()
    new_term: NewTerm | None = None
    charges: tuple[NewCharge, ...] = ()
    usages: tuple[NewUsage, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()
    location: str | None = None


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An action as read."""

    action_id: int
    subscription_code: str
    service_code: str | None
    behaviour: Behaviour
    action_type: str
    sub_action_type: str
    state: ActionState
    performed_on: date
    ends_on: date | None
    submitted_at: datetime
    submitted_by: str
    executed_at: datetime | None
    reason: str
    detail: str
    type_id: int | None = None
