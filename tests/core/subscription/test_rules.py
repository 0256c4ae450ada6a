"""Cycle days and billing dates by scheme."""

from __future__ import annotations

from datetime import date

import pytest

from coax.configuration.types.billing_term_scheme import BillingDateRule as Rule
from coax.subscription.rules import CycleDayRefused, decide_billing_date, decide_cycle_day
from coax.subscription.types import CycleDayRules

PERIOD = CycleDayRules(is_anniversary=False, allowed_days=(1,), is_automated=False, is_last_day_of_month=False)
MONTH_END = CycleDayRules(is_anniversary=False, allowed_days=(31,), is_automated=False, is_last_day_of_month=False)
AUTOMATED = CycleDayRules(is_anniversary=True, allowed_days=(), is_automated=True, is_last_day_of_month=False)
GIVEN = CycleDayRules(is_anniversary=True, allowed_days=(), is_automated=False, is_last_day_of_month=False)
SOME = CycleDayRules(is_anniversary=True, allowed_days=(5, 20), is_automated=False, is_last_day_of_month=False)
SOME_AUTOMATED = CycleDayRules(is_anniversary=True, allowed_days=(5, 20), is_automated=True, is_last_day_of_month=False)
ONE = CycleDayRules(is_anniversary=True, allowed_days=(15,), is_automated=False, is_last_day_of_month=False)
LAST = CycleDayRules(is_anniversary=True, allowed_days=(), is_automated=False, is_last_day_of_month=True)


@pytest.mark.parametrize(
    ("rules", "given", "starts_on", "day"),
    [
        (PERIOD, None, date(2026, 7, 15), 1),
        (PERIOD, 1, date(2026, 7, 15), 1),
        (MONTH_END, None, date(2026, 2, 28), 31),
        (AUTOMATED, None, date(2026, 1, 31), 31),
        (AUTOMATED, None, date(2026, 2, 28), 28),
        (AUTOMATED, 3, date(2026, 2, 28), 3),
        (GIVEN, 17, date(2026, 7, 15), 17),
        (SOME, 20, date(2026, 7, 15), 20),
        (SOME_AUTOMATED, None, date(2026, 7, 5), 5),
        (ONE, None, date(2026, 7, 1), 15),
        (LAST, None, date(2026, 7, 15), 31),
        (LAST, 31, date(2026, 7, 15), 31),
    ],
)
def test_decides_the_cycle_day(rules, given, starts_on, day):
    assert decide_cycle_day(rules, given=given, starts_on=starts_on) == day


@pytest.mark.parametrize(
    ("rules", "given", "reason", "allowed"),
    [
        (PERIOD, 2, "is not allowed by the scheme", "1"),
        (GIVEN, None, "is required by the scheme", "1-31"),
        (SOME, None, "is required by the scheme", "5, 20"),
        (SOME, 15, "is not allowed by the scheme", "5, 20"),
        (SOME_AUTOMATED, None, "would be 15, which the scheme does not allow", "5, 20"),
        (LAST, 30, "is not allowed by the scheme", "31"),
    ],
)
def test_refuses_a_cycle_day(rules, given, reason, allowed):
    with pytest.raises(CycleDayRefused) as refusal:
        decide_cycle_day(rules, given=given, starts_on=date(2026, 7, 15))
    assert (refusal.value.reason, refusal.value.allowed) == (reason, allowed)


@pytest.mark.parametrize(
    ("rule", "performed_on", "cycle_day", "expected"),
    [
        (Rule.SUBSCRIPTION_ACTION_PERFORMED_DATE, date(2026, 7, 15), 1, date(2026, 7, 15)),
        (Rule.SUBSCRIPTION_ACTION_EXECUTED_DATE, date(2026, 7, 15), 1, date(2026, 7, 15)),
        (Rule.SPECIFIC_DATE, date(2026, 7, 15), 1, date(2026, 7, 15)),
        (Rule.AGREEMENT_DATE, date(2026, 7, 15), 1, date(2026, 7, 3)),
        (Rule.NEXT_CYCLE_DATE, date(2026, 7, 15), 1, date(2026, 8, 1)),
        (Rule.NEXT_CYCLE_DATE, date(2026, 7, 1), 1, date(2026, 7, 1)),
        (Rule.NEXT_CYCLE_DATE, date(2026, 2, 10), 31, date(2026, 2, 28)),
    ],
)
def test_decides_a_billing_date(rule, performed_on, cycle_day, expected):
    decided = decide_billing_date(rule, performed_on=performed_on, agreed_on=date(2026, 7, 3), cycle_day=cycle_day)
    assert decided == expected


def test_an_executed_action_has_its_own_date():
    decided = decide_billing_date(
        Rule.SUBSCRIPTION_ACTION_EXECUTED_DATE,
        performed_on=date(2026, 7, 15),
        agreed_on=date(2026, 7, 3),
        cycle_day=1,
        executed_on=date(2026, 7, 16),
    )
    assert decided == date(2026, 7, 16)
