"""Values of billing: runs, steps, outcomes, classifications."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final


class RunKind(StrEnum):
    """A run over the population, or one of Bill Account and Bill Subscription (R87)."""

    BATCH = "batch"
    INDIVIDUAL = "individual"


class RunStep(StrEnum):
    """The steps of a run in their order (reference 4.2)."""

    IDENTIFICATION = "identification"
    RATING = "rating"
    INVOICING = "invoicing"
    ASSEMBLING = "assembling"
    POSTING = "posting"
    FORMATTING = "formatting"


class RunState(StrEnum):
    """What a run has reached: a step's name says that the step is done, `posting` that it has begun to post."""

    DRAFT = "draft"
    IDENTIFICATION = "identification"
    RATING = "rating"
    INVOICING = "invoicing"
    ASSEMBLING = "assembling"
    POSTING = "posting"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


OPEN_STATES: Final = tuple(state for state in RunState if state not in {RunState.COMPLETED, RunState.CANCELLED})
STEP_ORDER: Final[dict[RunStep, int]] = {step: position for position, step in enumerate(RunStep)}


class BillClassification(StrEnum):
    """Whether a bill asks for a second look (reference 4.4, C2)."""

    NORMAL = "normal"
    MAX_CREDIT_AMOUNT_REACHED = "max_credit_amount_reached"
    MAX_CREDIT_LIMIT_AMOUNT_REACHED = "max_credit_limit_amount_reached"


class Outcome(StrEnum):
    """Why a due service is not on a bill of this run."""

    PENDING = "pending"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RunCriteria:
    """Which accounts and subscriptions a run considers; an empty tuple means all (reference 4.1)."""

    schemes: tuple[str, ...] = ()
    subscription_types: tuple[str, ...] = ()
    classifications: tuple[str, ...] = ()
    frequencies: tuple[str, ...] = ()
    account_ids: tuple[int, ...] = ()
    subscription_ids: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for the run's record."""
        return {name: list(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunCriteria:
        """Return the criteria from plain data."""
        return cls(**{name: tuple(data.get(name, ())) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as read."""

    id: int
    tenant_id: int
    number: int
    kind: RunKind
    state: RunState
    is_dry: bool
    execution_date: date
    bill_as_of: date
    transaction_date: date
    due_date: date
    criteria: RunCriteria
    definition: dict[str, Any]
    catalogue: dict[str, Any]
    parts: int
    totals: dict[str, Any]
    created_by: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AssemblyRules:
    """The amounts and thresholds of a run definition, in micros and minor units."""

    currency_scale: int
    decimal_scale: int
    rounding_method: str
    minimum_debit_minor: int
    maximum_credit_minor: int | None
    minimum_credit_minor: int | None
    classify_over_credit_limit: bool
