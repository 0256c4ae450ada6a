"""Random lives of a subscription: actions, days, runs and payments in any order; the books hold after each step.

What stands charged is compared, day by day, with a slow model that knows nothing of periods, generations or items.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour
from tests.builders.broadcasters import ABroadcaster, a_broadcaster

BILLED = {"effective", "short_term_effective"}
CREDITED = {"in_resting", "short_term_not_effective", "cancelled", "regretted", "swapped"}
LEADS_TO = {
    Behaviour.ACTIVATE: "effective",
    Behaviour.DEACTIVATE: "not_effective",
    Behaviour.REST: "in_resting",
    Behaviour.END_RESTING: "effective",
    Behaviour.SHORT_TERM_ACTIVATE: "short_term_effective",
    Behaviour.END_SHORT_TERM_ACTIVATION: "not_effective",
    Behaviour.SHORT_TERM_DEACTIVATE: "short_term_not_effective",
    Behaviour.END_SHORT_TERM_DEACTIVATION: "effective",
    Behaviour.CANCEL: "cancelled",
    Behaviour.REGRET: "regretted",
}
FOR_A_TIME = {
    Behaviour.REST: Behaviour.END_RESTING,
    Behaviour.SHORT_TERM_ACTIVATE: Behaviour.END_SHORT_TERM_ACTIVATION,
    Behaviour.SHORT_TERM_DEACTIVATE: Behaviour.END_SHORT_TERM_DEACTIVATION,
}
HORIZON = date(2027, 6, 1)


@dataclass
class Model:
    """Silver, day by day: in which state, whether charged; and how far it is rated."""

    states: dict[date, str] = field(default_factory=dict)
    charged: set[date] = field(default_factory=set)
    rated_up_to: date = date(2026, 7, 1)
    credit_from: date | None = None
    is_post_billed: bool = False

    def __post_init__(self) -> None:
        day = date(2026, 7, 1)
        while day < HORIZON:
            self.states[day] = "effective"
            day += timedelta(days=1)

    def change(self, day: date, state: str) -> None:
        for later in self.states:
            if later >= day:
                self.states[later] = state
        if state in CREDITED and day < self.rated_up_to:
            self.credit_from = min(self.credit_from or day, day)

    def bill(self, as_of: date) -> None:
        """Take back from the first day of a credit, then charge every billable stretch that begins up to `as_of`."""
        if self.credit_from is not None:
            self.charged = {day for day in self.charged if day < self.credit_from}
            self.rated_up_to, self.credit_from = self.credit_from, None
        month_end = as_of if self.is_post_billed else (as_of + timedelta(days=32)).replace(day=1)
        start = self.rated_up_to
        if start > as_of:
            return
        for day in sorted(self.states):
            if start <= day < month_end and self.states[day] in BILLED:
                stretch = day
                while stretch > start and self.states.get(stretch - timedelta(days=1)) in BILLED:
                    stretch -= timedelta(days=1)
                if stretch <= as_of:
                    self.charged.add(day)
                    self.rated_up_to = day + timedelta(days=1)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 25)),
        st.tuples(st.just("run"), st.just(0)),
        st.tuples(st.just("pay"), st.integers(1, 200)),
        st.tuples(st.sampled_from(sorted(LEADS_TO)), st.integers(1, 40)),
    ),
    min_size=4,
    max_size=14,
)


@pytest.mark.parametrize("billing_type", ["pre_bill", "post_bill"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_any_life_is_billed_day_by_day(
    database: str, tmp_path: Path, billing_type: str, steps: list[tuple[Any, int]]
) -> None:
    definition = "rules: -> rules:"
    billed = f"product: silver, billing_type: pre_bill -> product: silver, billing_type: {billing_type}"
    zx = a_broadcaster(definition=definition, billed=billed)
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    model, today, as_of = Model(is_post_billed=billing_type == "post_bill"), date(2026, 7, 1), date(2026, 6, 1)
    zx.on(str(today))
    due: list[tuple[date, Behaviour]] = []
    for what, number in [*steps, ("wait", 20), ("run", 0), ("run", 0)]:
        note(f"{today} {what} {number}")
        if what == "wait":
            today += timedelta(days=number)
            zx.on(str(today))
            zx.execute_scheduled()
            for day, ending in [one for one in due if one[0] <= today]:
                model.change(day, LEADS_TO[ending])
            due = [one for one in due if one[0] > today]
        elif what == "run":
            as_of = max(as_of + timedelta(days=31), today).replace(day=1)
            zx.bill(str(today), str(as_of))
            model.bill(as_of)
        elif what == "pay":
            zx.pay("A", f"{number}.00", str(today))
        else:
            due = perform(zx, model, Behaviour(what), today, number, due)
        assert standing_days(zx) == model.charged
        assert zx.broken_promises() == []


def perform(
    zx: ABroadcaster,
    model: Model,
    behaviour: Behaviour,
    today: date,
    number: int,
    due: list[tuple[date, Behaviour]],
) -> list[tuple[date, Behaviour]]:
    """Perform an action in both; a refused one changes neither. Returns the endings that wait."""
    ends_on = today + timedelta(days=number)
    values = {"ends_on": str(ends_on)} if behaviour in FOR_A_TIME else {}
    try:
        zx.act(behaviour, "S-A", str(today), **values)
    except ActionRefused:
        return due
    model.change(date(2026, 7, 1) if behaviour is Behaviour.REGRET else today, LEADS_TO[behaviour])
    if behaviour is Behaviour.SHORT_TERM_ACTIVATE:
        model.change(ends_on, "not_effective")  # known from the beginning: nothing is billed beyond it
    return [(ends_on, FOR_A_TIME[behaviour])] if behaviour in FOR_A_TIME else []


def standing_days(zx: ABroadcaster) -> set[date]:
    """Return the days that stand charged, by adding charges and taking credits away, one day at a time."""
    count: dict[date, int] = {}
    for item in zx.items("A"):
        day = item["period_from"]
        while day < item["period_to"]:
            count[day] = count.get(day, 0) + (1 if item["kind"] == "charge" else -1)
            day += timedelta(days=1)
    assert set(count.values()) <= {0, 1}
    return {day for day, times in count.items() if times}
