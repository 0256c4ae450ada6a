"""Definitions of recurring processes on subscriptions: deactivation for debt (R116-R121), maintenance (R125-R128)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import Choice, Code, Frequency, Many, Price, Ref, Spec
from coax.configuration.types.schedule import Schedule

GROUP_MAX: Final = 5_000
PAUSE_S_MAX: Final = 3_600
EXECUTION_MAX: Final = 10_000_000
DAYS_MAX: Final = 366
SETTLED_WITHIN_DAYS: Final = 30

ClassificationRef = Annotated[Code, Ref("account_classification")]
SubscriptionTypeRef = Annotated[Code, Ref("subscription_type")]


class DebtBasis(Choice):
    """What deactivation goes by; both means both at once (R120, C16)."""

    OUTSTANDING_AMOUNT = "outstanding_amount"
    CREDIT_LIMIT = "credit_limit"
    BOTH = "both"


class SubscriptionCriteria(Spec):
    """Whom a deactivation is about; nothing named means all."""

    classifications: Many[ClassificationRef] = Field(default=(), description="Only accounts of these classifications.")
    subscription_types: Many[SubscriptionTypeRef] = Field(default=(), description="Only subscriptions of these types.")
    frequencies: Many[Frequency] = Field(default=(), description="Only subscriptions that are billed this often.")


class Occasions(Spec):
    """Which subscriptions are looked at; who is in grace is left alone until it ends (R119)."""

    unsettled: bool = Field(default=True, description="Those that are on, and were not in grace lately.")
    grace_ends: bool = Field(default=True, description="Those whose grace has just ended.")
    resting_ends: bool = Field(default=True, description="Those about to come back from a rest: they stay off instead.")
    short_term_ends: bool = Field(
        default=True, description="Those about to come back from a short-term deactivation: they stay off instead."
    )
    look_back_days: int = Field(
        default=7, ge=0, le=DAYS_MAX, description="An end counts on its day and for so many days after it."
    )


class Throttling(Spec):
    """How fast a process works, so that what listens to it can follow."""

    group_size: int = Field(
        default=GROUP_MAX, ge=1, le=GROUP_MAX, description="Subscriptions of a group; each group is one transaction."
    )
    pause_s: int = Field(default=0, ge=0, le=PAUSE_S_MAX, description="Seconds between two groups.")
    max_per_execution: int | None = Field(
        default=None, ge=1, le=EXECUTION_MAX, description="At most so many in one execution; the next takes the rest."
    )


class DeactivationRunDefinition(Entity):
    """Deactivates normal subscriptions of accounts that owe too much; without one only a person does."""

    basis: DebtBasis = Field(
        default=DebtBasis.BOTH, description="By the overdue amount, by the credit limit, or where both are exceeded."
    )
    threshold: Price = Field(default=Decimal(0), description="What may be overdue, in major units.")
    criteria: SubscriptionCriteria = Field(default=SubscriptionCriteria(), description="Whom it is about.")
    occasions: Occasions = Field(default=Occasions(), description="Which subscriptions are looked at.")
    throttling: Throttling = Field(default=Throttling(), description="How fast it works.")
    schedule: Schedule | None = Field(default=None, description="When it is executed; empty: only on request.")


class ActivateSettled(Spec):
    """Activate what is off, of accounts that have settled what they owed (R123, R126, C17)."""

    enabled: bool = Field(default=False, description="Whether it is done at all.")
    threshold: Price = Field(default=Decimal(0), description="What may be overdue, in major units.")
    within_days: int = Field(
        default=SETTLED_WITHIN_DAYS, ge=1, le=DAYS_MAX, description="The balance changed within so many days."
    )
    schedule: Schedule | None = Field(default=None, description="When it is executed; empty: only on request.")


class ExecuteScheduled(Spec):
    """Execute the scheduled actions whose day has come (R127)."""

    enabled: bool = Field(default=False, description="Whether it is done at all.")
    schedule: Schedule | None = Field(default=None, description="When it is executed; empty: only on request.")


class SubscriptionMaintenanceDefinition(Entity):
    """Processes that maintain subscriptions; only one is active, and without it nothing is done by itself."""

    activate_settled: ActivateSettled = Field(
        default=ActivateSettled(), description="Bring back who has settled the debt."
    )
    execute_scheduled: ExecuteScheduled = Field(
        default=ExecuteScheduled(), description="Do what was scheduled for a day."
    )
