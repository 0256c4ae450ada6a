"""Values of jobs: what is ordered, what completion fulfils, what can be done with a job (R163-R165, reference 7.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from coax.base.errors import DomainError
from coax.configuration.types.job_type import FulfilmentScope, JobState
from coax.subscription.types.items import ItemCondition

TEXT_CHARS_MAX: Final = 500
LINES_MAX: Final = 200


class JobVerb(StrEnum):
    """What can be done with a job."""

    CREATE = "create"
    SUBMIT = "submit"
    PLAN = "plan"
    ADD_LINE = "add_line"
    REMOVE_LINE = "remove_line"
    EQUIP = "equip"
    NOTE = "note"
    START = "start"
    PUT_BACK = "put_back"
    COMPLETE = "complete"
    CANCEL = "cancel"


class JobRefused(DomainError):
    """The job, its type or its state does not allow this; `field` and the message name what does not."""

    code: ClassVar[str] = "job_refused"


class JobUnknown(DomainError):
    """No job has this code."""

    code: ClassVar[str] = "job_unknown"


def refuse_job(name: str, value: Any, allowed: str, *, said: str = "is not allowed") -> JobRefused:
    """Return the refusal of a value of a job, in the words of every such refusal."""
    shown = "empty" if value is None or value in {"", ()} else repr(value)
    return JobRefused(f"{name}: {shown} {said}; allowed: {allowed}.", field=name, value=value, allowed=allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleOrder:
    """The subscription that a job creates when it is completed; what is left out follows from scheme and account."""

    subscription_type: str
    products: tuple[str, ...]
    scheme: str | None = None
    subscription_code: str | None = None
    price_plan: str | None = None
    frequency: str | None = None
    cycle_day: int | None = None
    binding_period: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOrder:
    """A service that a job adds (`product`), cancels (`service`) or swaps (`service` for `product`)."""

    service: str | None = None
    product: str | None = None
    new_service: str | None = None
    quantity: int = 1
    agreed_price_micro: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOrder:
    """An installed item that a job takes back to `location` in a condition, and the one that takes its place."""

    old_serial: str
    location: str
    new_serial: str | None = None
    condition: ItemCondition = ItemCondition.USED


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """What completing a job does besides delivering and charging its lines; by its fulfilment scope."""

    sale: SaleOrder | None = None
    services: tuple[ServiceOrder, ...] = ()
    items: tuple[ItemOrder, ...] = ()
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRequest:
    """A good or work as ordered. `is_billed` None: as the job's type says. Prices in micros, for one."""

    product: str
    quantity: int = 1
    duration: int = 0
    is_billed: bool | None = None
    agreed_price_micro: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When and where a job is done, by whom, and how its customer is reached; None leaves a value as it is."""

    start_date: date | None = None
    expected_on: date | None = None
    location: str | None = None
    assigned_to: str | None = None
    organisational_unit: str | None = None
    is_private: bool | None = None
    contact_email: str | None = None
    contact_phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """A job as ordered; its contract (scheme, plan, agreement date) only where its type is billable."""

    account_code: str
    job_type: str
    subscription_code: str | None = None
    scheme: str | None = None
    price_plan: str | None = None
    agreement_date: date | None = None
    lines: tuple[LineRequest, ...] = ()
    order: JobOrder = field(default_factory=JobOrder)
    plan: Plan = field(default_factory=Plan)
    is_draft: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JobLineRow:
    """A line as read; `charge_id` once it is charged."""

    number: int
    product_id: int
    product: str
    quantity: int
    duration: int
    is_billed: bool
    agreed_price_micro: int | None
    serials: tuple[str, ...]
    charge_id: int | None
    billed_by: int | None


@dataclass(frozen=True, slots=True)
class JobEventRow:
    """One step of a job's history."""

    number: int
    verb: str
    state: str
    status: str
    performed_on: date
    actor: str
    reason: str
    detail: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as read."""

    job_id: int
    account_id: int
    code: str
    account_code: str
    job_type: str
    type_version_id: int
    fulfilment: FulfilmentScope
    state: JobState
    status: str
    subscription_id: int | None
    subscription_code: str | None
    order: JobOrder
    scheme: str | None
    start_date: date | None
    expected_on: date | None
    completed_on: date | None
    location: str
    assigned_to: str
    organisational_unit: str | None
    is_private: bool
    contact_email: str
    contact_phone: str
    revision: int
    created_on: date


def order_from_data(data: dict[str, Any]) -> JobOrder:
    """Return the order that was stored as plain data."""
    sale = data.get("sale")
    return JobOrder(
        sale=SaleOrder(**{**sale, "products": tuple(sale["products"])}) if sale else None,
        services=tuple(ServiceOrder(**one) for one in data.get("services", ())),
        items=tuple(
            ItemOrder(**{**one, "condition": ItemCondition(one["condition"])}) for one in data.get("items", ())
        ),
        location=data.get("location", ""),
    )
