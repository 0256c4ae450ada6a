"""Normal billing run definitions: how a run behaves, and its defaults (R83, R99-R104, reference 2.6)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import Field, Strict, model_validator

from coax.base.rounding import RoundingMethod
from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import (
    COUNT_MAX,
    Choice,
    CivilDate,
    Code,
    DayOfMonth,
    Issue,
    Price,
    Ref,
    Spec,
    TimeUnit,
    refuse,
)
from coax.configuration.types.schedule import Recurrence, Schedule, ScheduleRule, TimeOfDay

THREADS_MAX: Final = 1024
DECIMAL_SCALE_MAX: Final = 6

Count = Annotated[int, Field(ge=1, le=COUNT_MAX)]
TransactionTypeRef = Annotated[Code, Ref("financial_transaction_type")]


class AdvanceRule(Choice):
    BILLING_FREQUENCY_PERIOD = "billing_frequency_period"
    FIXED_PERIOD = "fixed_period"
    UP_TO_NEXT_CYCLE_DATE = "up_to_next_cycle_date"


class BillAsOfRule(Choice):
    X_UOT_AFTER_PREVIOUS_RUN = "x_uot_after_previous_run"
    DAY_OF_MONTH = "day_of_month"
    RUN_DATE_PLUS_DAYS = "run_date_plus_days"


class BillAsOfMonth(Choice):
    CURRENT = "current"
    NEXT = "next"


class PeriodCycleAdjustment(Choice):
    NONE = "none"
    PREVIOUS = "previous"
    NEXT = "next"


class RatingFormatting(Choice):
    NONE = "none"
    GROUP_PER_SERVICE = "group_per_service"
    GROUP_PER_SUBSCRIPTION = "group_per_subscription"
    GROUP_PER_RATE = "group_per_rate"


class PeriodToBillInAdvance(Spec):
    """How far ahead a pre-billed service is billed."""

    rule: AdvanceRule = Field(
        default=AdvanceRule.BILLING_FREQUENCY_PERIOD,
        description="One billing period, a fixed period, or up to the next cycle date.",
    )
    count: Count | None = Field(default=None, description="Length of a fixed period.")
    unit: TimeUnit | None = Field(default=None, description="Unit of a fixed period.")

    @model_validator(mode="after")
    def _rule_has_its_values(self) -> Self:
        needed = ("count", "unit") if self.rule is AdvanceRule.FIXED_PERIOD else ()
        refuse("period_to_bill_in_advance", list(_check_values(self, self.rule, needed, ("count", "unit"))))
        return self


class BillAsOf(Spec):
    """The default date up to which a run bills; it moves apart from the day of the run's execution (C6)."""

    rule: BillAsOfRule = Field(
        default=BillAsOfRule.X_UOT_AFTER_PREVIOUS_RUN,
        description="So long after the previous run's date, a day of the month, or days after this run.",
    )
    count: Annotated[int, Field(ge=0, le=COUNT_MAX)] | None = Field(default=None, description="How many units or days.")
    unit: TimeUnit | None = Field(default=None, description="Unit after the previous run's bill-as-of date.")
    first_date: CivilDate | None = Field(default=None, description="Bill-as-of date of the very first run.")
    day: DayOfMonth | None = Field(default=None, description="Day of the month; 31 is the month's last.")
    month: BillAsOfMonth | None = Field(default=None, description="The run's month, or the next.")

    @model_validator(mode="after")
    def _rule_has_its_values(self) -> Self:
        needed = _BILL_AS_OF_VALUES[self.rule]
        issues = list(_check_values(self, self.rule, needed, ("count", "unit", "day", "month")))
        is_relative = self.rule is BillAsOfRule.X_UOT_AFTER_PREVIOUS_RUN
        if self.first_date and not is_relative:
            issues.append(Issue(("first_date",), f"goes only with rule: {BillAsOfRule.X_UOT_AFTER_PREVIOUS_RUN}"))
        if is_relative and self.count == 0:
            issues.append(Issue(("count",), "must be at least 1, or runs would not move on", 0))
        refuse("bill_as_of", issues)
        return self


_BILL_AS_OF_VALUES: Final[dict[BillAsOfRule, tuple[str, ...]]] = {
    BillAsOfRule.X_UOT_AFTER_PREVIOUS_RUN: ("count", "unit"),
    BillAsOfRule.DAY_OF_MONTH: ("day", "month"),
    BillAsOfRule.RUN_DATE_PLUS_DAYS: ("count",),
}


def _check_values(spec: Spec, rule: str, needed: tuple[str, ...], keys: tuple[str, ...]) -> Iterator[Issue]:
    """Check that a rule has the values it needs and none of the others."""
    for key in keys:
        value = getattr(spec, key)
        if key in needed and value is None:
            yield Issue((key,), f"required by rule: {rule}")
        if key not in needed and value is not None:
            yield Issue((key,), f"has no meaning with rule: {rule}", value)


class RatingSettings(Spec):
    period_to_bill_in_advance: PeriodToBillInAdvance = Field(
        default=PeriodToBillInAdvance(), description="How far ahead pre-billed services are billed."
    )
    bill_as_of: BillAsOf = Field(
        default=BillAsOf(count=1, unit=TimeUnit.MONTH), description="Default date up to which a run bills."
    )
    period_cycle_adjustment: PeriodCycleAdjustment = Field(
        default=PeriodCycleAdjustment.NEXT,
        description="Where a period that does not end on a cycle date is ended.",
    )


class TransactionDateOffset(Spec):
    count: int = Field(default=0, ge=0, le=COUNT_MAX, description="How many units after the run's execution date.")
    unit: TimeUnit = Field(default=TimeUnit.DAY, description="Unit of the offset.")


class InvoicingSettings(Spec):
    transaction_date_offset: TransactionDateOffset = Field(
        default=TransactionDateOffset(),
        description="Transaction date, counted from the run's execution date (C1).",
    )
    minimum_debit: Price = Field(
        default=Decimal(0),
        description="An account whose total debit is less is not billed and its items wait (C3).",
    )


class AssemblingSettings(Spec):
    maximum_credit: Price | None = Field(
        default=None, description="A credit bill that reaches this amount is marked for investigation (C2)."
    )
    minimum_credit: Price | None = Field(
        default=None, description="A credit bill of less than this amount is marked for investigation (C2)."
    )
    classify_over_credit_limit: bool = Field(
        default=False, description="Mark a bill that brings its account over the credit limit."
    )
    rounding_method: Annotated[RoundingMethod, Strict(strict=False)] = Field(
        default=RoundingMethod.ROUND_HALF_UP, description="How a bill's total is rounded (C4)."
    )
    decimal_scale: int | None = Field(
        default=None,
        ge=0,
        le=DECIMAL_SCALE_MAX,
        description="Decimals of a bill's total; empty for the currency's.",
    )
    rounding_product: Annotated[Code, Ref("product")] = Field(description="Product of the rounding line.")
    debit_adjustment_type: TransactionTypeRef = Field(description="Transaction type of a rounding on a debit bill.")
    credit_adjustment_type: TransactionTypeRef = Field(description="Transaction type of a rounding on a credit bill.")


class FormattingSettings(Spec):
    rating_formatting: RatingFormatting = Field(
        default=RatingFormatting.NONE, description="How rated items are grouped into bill lines."
    )


class NormalBillingRunDefinition(Entity):
    """Rules and defaults of normal billing runs; only one is active, and without it there is no run."""

    threads: int | None = Field(
        default=None, ge=1, le=THREADS_MAX, description="Workers of a run at most; empty for one per core."
    )
    recurrence: Recurrence = Field(default=Recurrence(), description="How often a recurring run is executed.")
    start_date: CivilDate | None = Field(
        default=None, description="First execution of the recurring run; it gives the day of the month (C6)."
    )
    execute_at: TimeOfDay | None = Field(
        default=None,
        description="Time of day, HH:MM, at which the worker executes the recurring run; empty: only by hand.",
    )
    schedule: Schedule | None = Field(
        default=None, description="When the worker executes the run, where a recurrence does not say it."
    )
    rating: RatingSettings = Field(default=RatingSettings(), description="What is billed.")
    invoicing: InvoicingSettings = Field(default=InvoicingSettings(), description="Dates and the smallest debit.")
    assembling: AssemblingSettings = Field(description="Rounding and bills to look into.")
    formatting: FormattingSettings = Field(default=FormattingSettings(), description="How a bill shows it.")

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        refuse("normal_billing_run_definition", list(_check_schedule(self)))
        return self

    @property
    def execution(self) -> Schedule | None:
        """Return when the worker executes the run; None where it is only executed by hand."""
        if self.execute_at is None:
            return self.schedule
        return Schedule(
            rule=ScheduleRule.REPEATEDLY, at=self.execute_at, start_date=self.start_date, every=self.recurrence
        )


def _check_schedule(definition: NormalBillingRunDefinition) -> Iterator[Issue]:
    if definition.execute_at is None:
        return
    if definition.start_date is None:
        yield Issue(("start_date",), "required by execute_at: the recurrence is counted from it")
    if definition.schedule is not None:
        yield Issue(("schedule",), "has no meaning with execute_at: the recurrence says when")
