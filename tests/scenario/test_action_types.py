"""An operator names the kinds of actions: why customers leave, who won them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coax.party.types import StaffRole
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.consoles import at_console


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    zx = a_broadcaster()
    zx.on("2026-07-10")
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    return zx


def test_an_action_keeps_its_type_and_sub_type(zx: ABroadcaster) -> None:
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-10", action_type="deactivate")
    zx.act(Behaviour.ACTIVATE, "S-A", "2026-07-10", action_type="win-back")
    values: dict[str, Any] = {"action_type": "churn", "sub_action_type": "price", "reason": "found a cheaper one"}
    zx.act(Behaviour.CANCEL, "S-A", "2026-07-31", **values)
    zx.on("2026-07-31")
    zx.execute_scheduled()
    named = [(row.behaviour, row.action_type, row.sub_action_type, row.state) for row in zx.actions("S-A")]
    assert named == [
        ("cancel", "churn", "price", "executed"),
        ("activate", "win-back", "", "executed"),
        ("deactivate", "deactivate", "", "executed"),
    ]


@pytest.mark.parametrize(
    ("behaviour", "values", "said"),
    [
        ("cancel", {"action_type": "win-back"}, "action_type: 'win-back' is not allowed; allowed: cancel, churn"),
        ("cancel", {"action_type": "none"}, "allowed: cancel, churn"),
        ("rest", {"action_type": "churn", "ends_on": "2026-07-20"}, "allowed: rest"),
        ("cancel", {"action_type": "churn"}, "sub_action_type: '' is not allowed; allowed: price, moved"),
        ("cancel", {"action_type": "churn", "sub_action_type": "price"}, "reason: empty is not allowed"),
        ("cancel", {"sub_action_type": "price"}, "goes only with a configured action type"),
    ],
)
@pytest.mark.parametrize("day", ["2026-07-10", "2026-07-15"])
def test_a_wrong_type_is_refused_at_once(
    zx: ABroadcaster, behaviour: str, values: dict[str, Any], said: str, day: str
) -> None:
    with zx.nothing_changes(), pytest.raises(ActionRefused) as refusal:
        zx.act(Behaviour(behaviour), "S-A", day, **values)
    assert said in refusal.value.message


def test_the_console_offers_the_types(zx: ABroadcaster) -> None:
    clerk = at_console(zx.tenant, StaffRole.CLERK)
    address = "subscriptions/act/cancel/S-A"
    asked = clerk.get(address)
    assert "Customer leaves: Too expensive" in asked.text
    clerk.post(address, asked.form(kind="churn/moved", reason="to another town"))
    assert "churn / moved" in clerk.get("accounts/of/A").text
