"""Each row of the table of actions (reference 3.1): from where, from where not, effect, history, bills, record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from coax.base.money import micro_to_decimal
from coax.process.subscription_actions.sell import SaleRequest, sell_subscription
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour
from coax.subscription.types.contracts import SubscriptionState
from tests.builders.broadcasters import ABroadcaster, a_broadcaster

B, S = Behaviour, SubscriptionState


@dataclass(frozen=True)
class Row:
    """What the table says of an action; `ahead` is what the next run makes of a month that is billed already."""

    behaviour: Behaviour
    begins_from: frozenset[SubscriptionState]
    to: SubscriptionState | None
    service: str | None = "silver"
    service_to: str = ""
    values: tuple[tuple[str, str], ...] = ()


def row(
    behaviour: Behaviour, begins_from: str, to: str, service_to: str, service: str = "silver", **values: str
) -> Row:
    states = frozenset(S(name) for name in begins_from.split())
    return Row(behaviour, states, S(to) if to else None, service, service_to, tuple(values.items()))


UNTIL = "2026-07-25"
LIVE = "draft effective not_effective in_resting short_term_effective short_term_not_effective"
TABLE = [
    row(B.ACTIVATE, "draft not_effective", "effective", "effective"),
    row(B.DEACTIVATE, "effective", "not_effective", "not_effective"),
    row(B.REST, "effective", "in_resting", "in_resting", ends_on=UNTIL),
    row(B.END_RESTING, "in_resting", "effective", "effective"),
    row(
        B.SHORT_TERM_ACTIVATE,
        "draft not_effective",
        "short_term_effective",
        "short_term_effective",
        ends_on=UNTIL,
    ),
    row(B.END_SHORT_TERM_ACTIVATION, "short_term_effective", "not_effective", "not_effective"),
    row(
        B.SHORT_TERM_DEACTIVATE,
        "effective",
        "short_term_not_effective",
        "short_term_not_effective",
        ends_on=UNTIL,
    ),
    row(B.END_SHORT_TERM_DEACTIVATION, "short_term_not_effective", "effective", "effective"),
    row(B.EXTEND_GRACE, "draft effective not_effective", "", "", ends_on=UNTIL),
    row(
        B.CANCEL,
        LIVE,
        "cancelled",
        "cancelled",
    ),
    row(B.REGRET, "draft effective not_effective", "regretted", "regretted"),
    row(B.STOP_SERVICE, "effective", "", "not_effective", service_code="silver"),
    row(B.ADD_SERVICE, "effective", "", "effective", "gold", product_code="gold"),
    row(B.ADD_SERVICE_AS_DRAFT, "draft effective not_effective", "", "draft", "gold", product_code="gold"),
    row(B.SWAP_SERVICE, "effective", "", "swapped", service_code="silver", product_code="gold"),
    row(B.CHANGE_LOCATION, LIVE, "", "", location="Elm Street 5"),
]
# Of these only the subscription's state is asked here; what they do is told in test_life_cycle.py.
OF_SERVICES = [
    row(B.START_SERVICE, "effective", "", "", service_code="silver"),
    row(B.CANCEL_SERVICE, "effective not_effective", "", "", service_code="silver"),
    row(B.REGRET_SERVICE, "effective not_effective", "", "", service_code="silver"),
    row(B.UNDO_ADD_SERVICE, "draft effective not_effective", "", "", service_code="silver"),
    row(B.AMEND_BILLING_TERM, "draft effective not_effective in_resting", "", ""),
    row(B.AMEND_BUNDLE, "draft effective", "", "", bundle_code="family"),
    row(B.ADD_EXPENSE, LIVE, "", "", product_code="decoder"),
    row(B.ADD_SERVICE_USAGE, f"{LIVE} cancelled".removeprefix("draft "), "", "", product_code="film"),
    row(B.CANCEL_SERVICE_USAGE, f"{LIVE} cancelled", "", "", charge_code="1"),
    row(B.CANCEL_EXPENSE, f"{LIVE} cancelled", "", "", charge_code="1"),
    row(B.CHANGE_ACCOUNT, "draft effective not_effective", "", "", account_code="B"),
    row(B.REPLACE, "draft effective", "", ""),
    row(B.CREATE_ACTIVATE, "", "", ""),
    row(B.CREATE_DRAFT, "", "", ""),
]
DIRECTIVE = {
    "effective": "to_be_billed",
    "short_term_effective": "to_be_billed",
    "not_effective": "not_to_be_billed",
    "draft": "not_to_be_billed",
}


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    definition = (
        "    name: Main Billing Term Definition\n    classification: subscriptions -> "
        "    name: Main Billing Term Definition\n    classification: subscriptions"
    )
    operator = a_broadcaster(definition=definition)
    operator.subscribe(
        tmp_path,
        [{"account_code": "A", "product": "silver", "effective_from": "2026-06-05", "billed_until": "2026-07-01"}],
    )
    operator.on("2026-06-20")
    operator.bill("2026-06-20")
    return operator


WAY: dict[SubscriptionState, tuple[tuple[Behaviour, dict[str, str]], ...]] = {
    S.EFFECTIVE: (),
    S.NOT_EFFECTIVE: ((B.DEACTIVATE, {}),),
    S.IN_RESTING: ((B.REST, {"ends_on": UNTIL}),),
    S.SHORT_TERM_EFFECTIVE: ((B.DEACTIVATE, {}), (B.SHORT_TERM_ACTIVATE, {"ends_on": UNTIL})),
    S.SHORT_TERM_NOT_EFFECTIVE: ((B.SHORT_TERM_DEACTIVATE, {"ends_on": UNTIL}),),
    S.CANCELLED: ((B.CANCEL, {}),),
    S.REGRETTED: ((B.REGRET, {}),),
}


def bring(zx: ABroadcaster, state: SubscriptionState) -> None:
    """Bring the subscription into a state; a draft has no way there and is laid down as it would be stored."""
    for behaviour, values in WAY.get(state, ()):
        zx.act(behaviour, "S-A", "2026-07-06", **values)
    if state is S.DRAFT:
        zx.execute("UPDATE subscription_subscription SET state = 'draft' WHERE tenant_id = %s", zx.tenant.id)
        zx.execute("UPDATE subscription_service SET state = 'draft' WHERE tenant_id = %s", zx.tenant.id)


@pytest.mark.parametrize("state", list(S), ids=lambda state: state.value)
def test_what_is_refused_in_a_state(database: str, tmp_path: Path, state: SubscriptionState) -> None:
    operator = a_broadcaster()
    billed = {"product": "silver", "billed_until": "2026-08-01"}
    operator.subscribe(tmp_path, [{"account_code": "A", **billed}, {"account_code": "B", **billed}])
    operator.on("2026-07-06")
    if state in {S.REGRETTED, S.REPLACED}:
        sql = "UPDATE subscription_subscription SET state = %s WHERE tenant_id = %s AND code = 'S-A'"
        operator.execute(sql, state.value, operator.tenant.id)
    else:
        bring(operator, state)
    operator.on("2026-07-10")
    for case in (*TABLE, *OF_SERVICES):
        if state in case.begins_from:
            continue
        with operator.nothing_changes(), pytest.raises(ActionRefused) as refusal:
            operator.act(case.behaviour, "S-A", "2026-07-10", **dict(case.values))
        assert refusal.value.rule == "state", case


@pytest.mark.parametrize(
    ("case", "state"),
    [(case, state) for case in TABLE for state in sorted(case.begins_from) if state is not S.DRAFT],
    ids=lambda value: value.behaviour.value if isinstance(value, Row) else str(value),
)
def test_what_it_does(zx: ABroadcaster, case: Row, state: SubscriptionState) -> None:
    zx.on("2026-07-06")
    bring(zx, state)
    before = zx.services("S-A")["silver"]
    zx.on("2026-07-10")
    zx.act(case.behaviour, "S-A", "2026-07-10", reason="as the table says", **dict(case.values))
    assert zx.state("S-A") == (case.to or state)
    action = (
        zx.actions("S-A")[0]
        if case.behaviour not in {B.REST, B.SHORT_TERM_ACTIVATE, B.SHORT_TERM_DEACTIVATE}
        else (zx.actions("S-A")[1])
    )
    assert (action.behaviour, action.state, action.submitted_by) == (case.behaviour, "executed", "anna")
    if case.service_to:
        assert zx.services("S-A")[case.service] == case.service_to
        last = zx.history("S-A", case.service)[-1]
        assert last == (case.service_to, DIRECTIVE.get(case.service_to, "to_be_credited"), "2026-07-10", "")
    else:
        assert zx.services("S-A")["silver"] == before
    zx.bill("2026-07-20")
    charged_days = _net_days(zx)
    assert charged_days == _expected_days(case, state), zx.charged("A")
    assert zx.broken_promises() == []


def _net_days(zx: ABroadcaster) -> Decimal:
    """Return what silver was charged for in all, in days of July (1.00 each) and Augusts (31.00)."""
    rows = zx.rows(
        """SELECT coalesce(sum(i.net_micro), 0)::bigint AS net FROM rating_rated_item i
           JOIN subscription_service s ON s.bucket = i.bucket AND s.account_id = i.account_id AND s.id = i.service_id
           WHERE i.tenant_id = %s AND s.code = 'silver'"""
    )
    return micro_to_decimal(rows[0]["net"])


def _expected_days(case: Row, state: SubscriptionState) -> int:
    """Work it out slowly, day by day, for July (billed ahead) and August, at one euro a day."""
    days = 0
    present = [state.value, case.service_to if case.service_to and case.service == "silver" else state.value]
    if case.service_to == "regretted":
        return 0
    for day in range(1, 63):
        is_july = day <= 31
        name = "effective" if day < 6 else present[0] if day < 10 else present[1]
        if name == "short_term_effective" and day >= 25:
            name = "not_effective"
        is_billed = name in {"effective", "short_term_effective"}
        is_kept = is_july and name == "not_effective"
        days += is_billed or is_kept
    return days


def test_every_action_is_in_the_table() -> None:
    assert {case.behaviour for case in (*TABLE, *OF_SERVICES)} == set(B)


@pytest.mark.parametrize(
    ("behaviour", "values", "to"),
    [
        (B.ACTIVATE, {}, "effective"),
        (B.SHORT_TERM_ACTIVATE, {"ends_on": UNTIL}, "short_term_effective"),
        (B.EXTEND_GRACE, {"ends_on": UNTIL}, "draft"),
        (B.CANCEL, {}, "cancelled"),
        (B.REGRET, {}, "regretted"),
        (B.ADD_SERVICE_AS_DRAFT, {"product_code": "football"}, "draft"),
        (B.AMEND_BILLING_TERM, {"frequency": "monthly"}, "draft"),
    ],
)
def test_what_may_happen_to_a_draft(zx: ABroadcaster, behaviour: Behaviour, values: dict[str, str], to: str) -> None:
    zx.on("2026-07-10")
    sold = sell_subscription(
        tenant=zx.tenant,
        request=SaleRequest(
            account_code="A",
            subscription_type="normal",
            scheme="normal-bt",
            frequency="monthly",
            products=("gold",),
            performed_on=date(2026, 7, 10),
            is_draft=True,
        ),
        actor="anna",
    )[0]["subscription"]
    zx.act(behaviour, sold, "2026-07-10", **values)
    assert zx.state(sold) == to
    assert zx.services(sold)["gold"] == to
    zx.bill("2026-07-20")
    billed = {
        "effective": {("2026-07-10", "2026-08-01", "44.000000"), ("2026-08-01", "2026-09-01", "62.000000")},
        "short_term_effective": {("2026-07-10", UNTIL, "30.000000")},
    }
    gold = {row[1:] for row in zx.charged("A", 2)} - {("2026-08-01", "2026-09-01", "31.000000")}
    assert gold == billed.get(to, set())
    assert zx.broken_promises() == []
