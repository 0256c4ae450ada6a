"""The dates of a run: bill-as-of, transaction date, due date (C1, C5, C6)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

from coax.base.calendar import add_months_clamped, cycle_date
from coax.base.errors import DomainError
from coax.configuration.types.fields import TimeUnit
from coax.configuration.types.receivable_definition import DueDate, DueDateRuleKind
from coax.configuration.types.run_definition import (
    BillAsOf,
    BillAsOfMonth,
    BillAsOfRule,
    NormalBillingRunDefinition,
)


class BillAsOfUnknown(DomainError):
    """The rule counts from the previous run, and there is none yet."""

    code: ClassVar[str] = "bill_as_of_unknown"


class DueDateRuleInvalid(DomainError):
    """The text is no due-date rule."""

    code: ClassVar[str] = "due_date_rule_invalid"


def add_span(day: date, count: int, unit: TimeUnit, *, anchor_day: int | None = None) -> date:
    """Return the day `count` units later; months keep the anchor day (31 -> 28 -> 31) where one is given."""
    if unit in {TimeUnit.DAY, TimeUnit.WEEK}:
        return day + timedelta(days=count * (7 if unit is TimeUnit.WEEK else 1))
    months = count * (12 if unit is TimeUnit.YEAR else 1)
    later = add_months_clamped(day, months)
    return cycle_date(later.year, later.month, anchor_day) if anchor_day else later


def decide_bill_as_of(
    rule: BillAsOf, *, execution_date: date, previous: date | None, anchor_day: int | None = None
) -> date:
    """Return the default bill-as-of date of a run (reference 2.6).

    `previous` is the bill-as-of date of the previous batch run, `anchor_day` the day of the month that the
    series keeps. Raises: BillAsOfUnknown.
    """
    match rule.rule:
        case BillAsOfRule.X_UOT_AFTER_PREVIOUS_RUN:
            if previous is not None:
                return add_span(previous, rule.count or 1, rule.unit or TimeUnit.MONTH, anchor_day=anchor_day)
            if rule.first_date is not None:
                return rule.first_date
            raise BillAsOfUnknown(
                "There is no previous run to count from: name the first run's date with --bill-as-of, or set "
                "rating.bill_as_of.first_date in the run definition.",
            )
        case BillAsOfRule.DAY_OF_MONTH:
            base = execution_date if rule.month is BillAsOfMonth.CURRENT else add_months_clamped(execution_date, 1)
            return cycle_date(base.year, base.month, rule.day or 1)
        case BillAsOfRule.RUN_DATE_PLUS_DAYS:
            return execution_date + timedelta(days=rule.count or 0)


def decide_transaction_date(definition: NormalBillingRunDefinition, *, execution_date: date) -> date:
    """Return the transaction date: so long after the run's execution date (C1)."""
    offset = definition.invoicing.transaction_date_offset
    return add_span(execution_date, offset.count, offset.unit)


def decide_due_date(rule: DueDate, *, execution_date: date, transaction_date: date) -> date:
    """Return the due date; the next month is counted from the run's execution month (C5)."""
    match rule.rule:
        case DueDateRuleKind.DAY_OF_NEXT_MONTH:
            following = add_months_clamped(execution_date, 1)
            return cycle_date(following.year, following.month, rule.day or 1)
        case DueDateRuleKind.DAYS_AFTER_TRANSACTION:
            return transaction_date + timedelta(days=rule.days or 0)
        case DueDateRuleKind.FIXED_DATE:
            return rule.date or transaction_date


def parse_due_date_rule(text: str) -> DueDate:
    """Read a due-date rule: `day_of_next_month:10`, `days_after_transaction:14` or a date.

    Raises: DueDateRuleInvalid.
    """
    name, _, value = text.partition(":")
    try:
        if name == DueDateRuleKind.DAY_OF_NEXT_MONTH:
            return DueDate(rule=DueDateRuleKind.DAY_OF_NEXT_MONTH, day=int(value))
        if name == DueDateRuleKind.DAYS_AFTER_TRANSACTION:
            return DueDate(rule=DueDateRuleKind.DAYS_AFTER_TRANSACTION, days=int(value))
        return DueDate(rule=DueDateRuleKind.FIXED_DATE, date=date.fromisoformat(text))
    except ValueError as error:
        raise DueDateRuleInvalid(
            f"{text!r} is no due-date rule; allowed: day_of_next_month:1..31, days_after_transaction:0..366, "
            "or a date as YYYY-MM-DD.",
            due=text,
        ) from error
