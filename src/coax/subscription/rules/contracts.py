"""Pure decisions about contracts and services: cycle day, billable start, billing effective date."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Final

from coax.base.calendar import CYCLE_DAY_MAX, first_cycle_date_on_or_after
from coax.base.errors import DomainError
from coax.configuration.types.billing_term_scheme import BillingDateRule
from coax.subscription.types import CycleDayRules

_ANY_DAY: Final = tuple(range(1, CYCLE_DAY_MAX + 1))


class CycleDayRefused(DomainError):
    """A contract has no cycle day, or one that its scheme does not allow; `allowed` lists the days."""

    code: ClassVar[str] = "cycle_day_refused"

    def __init__(self, reason: str, *, given: int | None, allowed: str) -> None:
        super().__init__(f"The cycle day {reason}; allowed: {allowed}.", given=given, allowed=allowed)
        self.reason = reason
        self.allowed = allowed


def decide_cycle_day(rules: CycleDayRules, *, given: int | None, starts_on: date) -> int:
    """Return the cycle day (1..31, 31 is the month's last) of a contract (reference 2.1, 4.6).

    By period it is the scheme's. By anniversary it is the month's last where the scheme says so, else the
    given one, else, where the scheme automates it, the day on which the first service starts, else the only
    one allowed.

    Raises:
        CycleDayRefused: there is none, or the scheme does not allow it.
    """
    allowed = (CYCLE_DAY_MAX,) if rules.is_last_day_of_month else rules.allowed_days or _ANY_DAY
    day = given
    if day is None and rules.is_anniversary and rules.is_automated and not rules.is_last_day_of_month:
        day = starts_on.day
    if day is None and len(allowed) == 1:
        day = allowed[0]
    if day is None:
        raise CycleDayRefused("is required by the scheme", given=given, allowed=_list_days(allowed))
    if day not in allowed:
        reason = "is not allowed by the scheme" if given else f"would be {day}, which the scheme does not allow"
        raise CycleDayRefused(reason, given=given, allowed=_list_days(allowed))
    return day


def decide_billing_date(
    rule: BillingDateRule, *, performed_on: date, agreed_on: date, cycle_day: int, executed_on: date | None = None
) -> date:
    """Return the day that a scheme's rule gives: from when to bill, or from when a run considers it (R56).

    An action carried over from elsewhere was executed when it was performed, so `executed_on` may be left
    out. A specific date is one that staff set when they perform the action: `performed_on`.
    """
    match rule:
        case BillingDateRule.AGREEMENT_DATE:
            return agreed_on
        case BillingDateRule.NEXT_CYCLE_DATE:
            return first_cycle_date_on_or_after(performed_on, cycle_day)
        case BillingDateRule.SUBSCRIPTION_ACTION_EXECUTED_DATE:
            return executed_on or performed_on
        case _:
            return performed_on


def _list_days(days: tuple[int, ...]) -> str:
    return f"1-{CYCLE_DAY_MAX}" if days == _ANY_DAY else ", ".join(map(str, days))
