"""A clerk acts on a subscription at the console: previewed, performed once, scheduled, called off."""

from __future__ import annotations

from pathlib import Path

import pytest

from coax.party.types import StaffRole
from coax.subscription.types.actions import Behaviour
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.consoles import AConsole, at_console

SWAP = "subscriptions/act/swap_service/S-A"


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    operator = a_broadcaster()
    operator.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    operator.on("2026-06-20")
    operator.bill("2026-06-20")
    operator.on("2026-07-10")
    return operator


@pytest.fixture
def clerk(zx: ABroadcaster) -> AConsole:
    return at_console(zx.tenant, StaffRole.CLERK)


def test_a_swap_is_previewed_and_performed_once(zx: ABroadcaster, clerk: AConsole) -> None:
    asked = clerk.get(SWAP)
    values = asked.form(product_code="gold", reason="wants more")
    with zx.nothing_changes():
        previewed = clerk.post(SWAP, {**values, "preview": "1"})
    assert "silver: swapped from 2026-07-10, to be credited" in previewed.text
    assert "100.00" not in previewed.text
    assert "99.96" in previewed.text  # 84.00 and tax: 44.00 and 62.00 less 22.00
    done = clerk.follow(clerk.post(SWAP, values))
    assert "Swap service of S-A is done." in done.text
    assert zx.services("S-A") == {"gold": "effective", "silver": "swapped"}
    clerk.post(SWAP, values)  # the same form sent twice
    assert [action.behaviour for action in zx.actions("S-A")] == ["swap_service"]


def test_only_what_the_state_allows_is_offered(zx: ABroadcaster, clerk: AConsole) -> None:
    offered = clerk.get("accounts/of/A").text
    assert "/subscriptions/act/rest/S-A" in offered
    assert "/subscriptions/act/activate/S-A" not in offered
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-10")
    offered = clerk.get("accounts/of/A").text
    assert "/subscriptions/act/activate/S-A" in offered
    assert "/subscriptions/act/rest/S-A" not in offered


def test_what_no_rule_allows_is_said_and_nothing_changes(zx: ABroadcaster, clerk: AConsole) -> None:
    address = "subscriptions/act/rest/S-A"
    values = clerk.get(address).form(ends_on="2026-07-12")
    with zx.nothing_changes():
        refused = clerk.post(address, values)
    assert refused.status == 409
    assert "2 days are too few" in refused.text


def test_a_scheduled_action_is_in_the_calendar_and_is_called_off(zx: ABroadcaster, clerk: AConsole) -> None:
    address = "subscriptions/act/cancel/S-A"
    clerk.post(address, clerk.get(address).form(performed_on="2026-08-01", reason="moves"))
    assert "moves" in clerk.get("subscriptions/scheduled").text
    action = zx.actions("S-A")[0]
    clerk.post(f"subscriptions/scheduled/{action.action_id}/call-off")
    assert "Nothing is scheduled." in clerk.get("subscriptions/scheduled").text
    assert zx.actions("S-A")[0].state == "cancelled"


def test_an_auditor_reads_and_does_not_act(zx: ABroadcaster) -> None:
    auditor = at_console(zx.tenant, StaffRole.AUDITOR)
    assert "/subscriptions/act/" not in auditor.get("accounts/of/A").text
    assert auditor.get(SWAP).status == 403
    assert auditor.get("subscriptions/scheduled").status == 200


def test_a_subscription_is_sold(zx: ABroadcaster, clerk: AConsole) -> None:
    address = "subscriptions/sell/A"
    values = clerk.get(address).form(products=["gold", "football"], frequency="monthly", scheme="normal-bt")
    refused = clerk.post(address, {**values, "products": ["football"]})
    assert (refused.status, "would have 0 mandatory services" in refused.text) == (409, True)
    done = clerk.follow(clerk.post(address, values))
    assert "Subscription A-2 is effective." in done.text
    assert zx.services("A-2") == {"football": "effective", "gold": "effective"}


def test_another_subscription_takes_the_place_of_one(zx: ABroadcaster, clerk: AConsole) -> None:
    assert "/subscriptions/act/replace/S-A" in clerk.get("accounts/of/A").text
    address = "subscriptions/replace/S-A"
    done = clerk.follow(clerk.post(address, clerk.get(address).form(products=["gold"], frequency="monthly")))
    assert "A-2 goes on in place of S-A" in done.text
    assert (zx.state("S-A"), zx.state("A-2")) == ("replaced", "effective")
