"""Job types: what an order is for, what is done and delivered, and whether it is billed (R163-R165, reference 7.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import Choice, Code, Issue, Many, Ref, Spec, Text, refuse

QUANTITY_MAX: Final = 1_000_000
DAYS_MAX: Final = 3650
DURATION_MAX: Final = 36_500
ProductRef = Annotated[Code, Ref("product")]


class FulfilmentScope(Choice):
    """What the completion of a job does."""

    NEW_SUBSCRIPTION = "new_subscription"
    GENERIC_PURPOSE = "generic_purpose"
    SUBSCRIPTION_ACTIVATION = "subscription_activation"
    SUBSCRIPTION_DEACTIVATION = "subscription_deactivation"
    SUBSCRIPTION_CANCELLATION = "subscription_cancellation"
    SERVICES_ADDITION = "services_addition"
    SERVICES_CANCELLATION = "services_cancellation"
    SERVICES_SWAP = "services_swap"
    SWAP_INSTALLED_ITEMS = "swap_installed_items"
    CHANGE_LOCATION = "change_location"
    REPLACE_PHYSICAL_GOODS = "replace_physical_goods"


class JobState(Choice):
    DRAFT = "draft"
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class JobTask(Spec):
    """Work that each job of the type begins with, such as an installation."""

    product: ProductRef = Field(description="One-time service or expense that the work is.")
    quantity: int = Field(default=1, ge=1, le=QUANTITY_MAX, description="How many.")
    duration: int = Field(default=0, ge=0, le=DURATION_MAX, description="Units of a duration-tiered rate.")
    billed: bool = Field(default=True, description="Charged when the job is completed.")


class JobStatus(Spec):
    """The operator's own name for where a job stands within a state."""

    code: Code = Field(description="Stable key.")
    name: Text = Field(description="Name that people read.")
    state: JobState = Field(description="State that a job with this status is in.")


class JobType(Entity):
    """A kind of order: its purpose, its work, its goods and how it is billed."""

    fulfilment: FulfilmentScope = Field(
        default=FulfilmentScope.GENERIC_PURPOSE, description="What completing a job of this type does."
    )
    billable: bool = Field(default=True, description="Its goods and work are billed under a contract of its own.")
    schemes: Many[Annotated[Code, Ref("billing_term_scheme")]] = Field(
        default=(), description="Allowed billing term schemes of classification jobs."
    )
    physical_goods: Many[ProductRef] = Field(default=(), description="Goods that may be ordered; empty for all.")
    tasks: Many[JobTask] = Field(default=(), description="Work that each job begins with.")
    estimated_days: int = Field(
        default=0, ge=0, le=DAYS_MAX, description="Days from the start of a job to its expected completion."
    )
    statuses: Many[JobStatus] = Field(default=(), description="Own names within the states.")
    subscription_types: Many[Annotated[Code, Ref("subscription_type")]] = Field(
        default=(), description="Types of subscriptions that it is for; empty for all."
    )
    organisational_units: Many[Annotated[Code, Ref("organisational_unit")]] = Field(
        default=(), description="Units that may order it; empty for all."
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        refuse("job_type", list(_check(self)))
        return self


def _check(job_type: JobType) -> Iterator[Issue]:
    if job_type.billable and not job_type.schemes:
        yield Issue(("schemes",), "a billable job needs at least one billing term scheme of classification jobs")
    if not job_type.billable and job_type.schemes:
        yield Issue(("schemes",), "goes only with billable: true", list(job_type.schemes))
    seen: set[str] = set()
    for i, status in enumerate(job_type.statuses):
        if status.code in seen:
            yield Issue(("statuses", i, "code"), "the status is listed twice", status.code)
        seen.add(status.code)
