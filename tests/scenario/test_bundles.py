"""Services sold together: taken up, changed, dissolved in one action, at prices of their own while they last.

Company ZX bills on the 20th for the following month. Silver costs 31.00, football 9.30 and gold 62.00 a month; in the
bundle silver is 24.80 and football 3.10, everything else as it was.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coax.interfaces.cli.main import app
from coax.party.types import StaffRole
from coax.process.explain import explain_bill
from coax.process.subscription_actions.sell import SaleRequest, sell_subscription
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.bundles import BUNDLE
from tests.builders.consoles import at_console


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    return billed_until_july(a_broadcaster(**BUNDLE), tmp_path)


def billed_until_july(zx: ABroadcaster, path: Path) -> ABroadcaster:
    zx.subscribe(path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    zx.on("2026-06-20")
    zx.bill("2026-06-20")
    return zx


def amend(zx: ABroadcaster, day: str, *products: str, **values: Any) -> dict[str, Any]:
    zx.on(day)
    return zx.act(Behaviour.AMEND_BUNDLE, "S-A", day, bundle_code="family", product_codes=products, **values)


def members(zx: ABroadcaster) -> list[str]:
    rows = zx.rows(
        """SELECT code FROM subscription_service WHERE tenant_id = %s AND bundle_id IS NOT NULL
           AND state = 'effective' ORDER BY code"""
    )
    return [row["code"] for row in rows]


def test_a_bundle_is_taken_up_changed_and_dissolved(zx: ABroadcaster) -> None:
    answer = amend(zx, "2026-07-11", "silver", "football")
    assert answer["changes"] == [
        "silver: into the bundle from 2026-07-11",
        "football: new, effective, from 2026-07-11",
    ]
    assert members(zx) == ["football", "silver"]
    zx.bill("2026-07-20")
    assert sorted(zx.charged("A", 2)) == [
        ("charge", "2026-07-11", "2026-08-01", "16.800000"),  # silver, 21 of 31 days of 24.80
        ("charge", "2026-07-11", "2026-08-01", "2.100000"),
        ("charge", "2026-08-01", "2026-09-01", "24.800000"),
        ("charge", "2026-08-01", "2026-09-01", "3.100000"),
        ("credit", "2026-07-11", "2026-08-01", "-21.000000"),
    ]
    explained = explain_bill(tenant=zx.tenant, number=f"ZX-{zx.bills(2)[0]['number']:08}")
    assert explained.all_differences == ()
    amend(zx, "2026-08-11", "silver", "gold")  # football leaves, gold comes at its own price
    assert members(zx) == ["gold", "silver"]
    zx.bill("2026-08-20")
    assert sorted(zx.charged("A", 3)) == [
        ("charge", "2026-08-11", "2026-09-01", "42.000000"),
        ("charge", "2026-09-01", "2026-10-01", "24.800000"),
        ("charge", "2026-09-01", "2026-10-01", "62.000000"),
        ("credit", "2026-08-11", "2026-09-01", "-2.100000"),
    ]
    answer = amend(zx, "2026-09-16")
    assert answer["changes"] == ["silver: out of the bundle from 2026-09-16", "gold: out of the bundle from 2026-09-16"]
    assert members(zx) == []
    zx.bill("2026-09-20")
    assert sorted(zx.charged("A", 4)) == [
        ("charge", "2026-09-16", "2026-10-01", "15.500000"),
        ("charge", "2026-09-16", "2026-10-01", "31.000000"),
        ("charge", "2026-10-01", "2026-11-01", "31.000000"),
        ("charge", "2026-10-01", "2026-11-01", "62.000000"),
        ("credit", "2026-09-16", "2026-10-01", "-12.400000"),
        ("credit", "2026-09-16", "2026-10-01", "-31.000000"),
    ]
    assert zx.broken_promises() == []


def test_what_a_bundle_always_holds_stays_in_it(zx: ABroadcaster) -> None:
    amend(zx, "2026-07-11", "silver", "football")
    refused = "always holds silver"
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=refused):
        amend(zx, "2026-07-11", "football")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=f"'family' of S-A .amend or dissolve it. {refused}"):
        zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-11", service_code="silver", product_code="gold")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="would hold 0 chosen services; allowed: 1 to 2"):
        zx.act(Behaviour.CANCEL_SERVICE, "S-A", "2026-07-11", service_code="football")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="would hold 3 chosen services; allowed: 1 to 2"):
        amend(zx, "2026-07-11", "silver", "football", "news", "gold")
    zx.act(Behaviour.CANCEL, "S-A", "2026-07-11")
    zx.bill("2026-07-20")
    assert zx.broken_promises() == []


def test_a_bundle_lasts_through_debt_and_a_move(zx: ABroadcaster, tmp_path: Path) -> None:
    zx.subscribe(tmp_path, [{"account_code": "B", "product": "news", "billed_until": "2026-09-01"}])
    amend(zx, "2026-07-01", "silver", "football")
    zx.on("2026-07-11")
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-11")
    zx.on("2026-07-21")
    zx.act(Behaviour.ACTIVATE, "S-A", "2026-07-21")
    assert members(zx) == ["football", "silver"]
    zx.on("2026-08-01")
    zx.act(Behaviour.CHANGE_ACCOUNT, "S-A", "2026-08-01", account_code="B")
    assert members(zx) == ["football", "silver"]
    zx.bill("2026-07-20")
    assert ("charge", "2026-08-01", "2026-09-01", "24.800000") in zx.charged("B", 2)
    assert zx.broken_promises() == []


@pytest.mark.parametrize(
    ("products", "bundle", "said"),
    [
        (("silver", "football"), "gone", "bundle: 'gone' is not known; allowed: family"),
        ((), "family", "subscription S-A does not hold 'family'"),
        (("silver", "eurosports-1"), "family", "eurosports-1: of bundle 'family' each of these may be named once"),
        (("silver", "football", "football"), "family", "each of these may be named once: silver, football, news, gold"),
        (("silver",), "family", "would hold 0 chosen services; allowed: 1 to 2"),
    ],
)
def test_what_is_refused(zx: ABroadcaster, products: tuple[str, ...], bundle: str, said: str) -> None:
    zx.on("2026-07-11")
    values = {"bundle_code": bundle, "product_codes": products}
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=said):
        zx.act(Behaviour.AMEND_BUNDLE, "S-A", "2026-07-11", **values)


@pytest.mark.parametrize("is_draft", [False, True])
def test_a_bundle_is_sold_from_the_first_day(zx: ABroadcaster, *, is_draft: bool) -> None:
    zx.on("2026-07-11")
    request = SaleRequest(
        account_code="A",
        subscription_type="normal",
        scheme="normal-bt",
        frequency="monthly",
        products=("silver", "football", "eurosports-1"),
        bundle="family",
        performed_on=date(2026, 7, 11),
        is_draft=is_draft,
    )
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="always holds silver"):
        sell_subscription(tenant=zx.tenant, request=replace(request, products=("football", "gold")), actor="anna")
    sold = sell_subscription(tenant=zx.tenant, request=request, actor="anna")[0]["subscription"]
    if is_draft:
        zx.on("2026-07-13")
        with zx.nothing_changes(), pytest.raises(ActionRefused, match="would hold 0 chosen services"):
            zx.act(Behaviour.UNDO_ADD_SERVICE, sold, "2026-07-13", service_code="football")
        zx.act(Behaviour.AMEND_BUNDLE, sold, "2026-07-13", bundle_code="family", product_codes=("silver", "news"))
        zx.act(Behaviour.ACTIVATE, sold, "2026-07-13")
    assert members(zx) == (["news", "silver"] if is_draft else ["football", "silver"])
    zx.bill("2026-07-20")
    billed = [row[1:] for row in zx.charged("A", 2) if row[3] in {"16.800000", "15.200000", "24.800000", "31.000000"}]
    first = ("2026-07-13", "2026-08-01", "15.200000") if is_draft else ("2026-07-11", "2026-08-01", "16.800000")
    assert sorted(billed) == [
        first,
        ("2026-08-01", "2026-09-01", "24.800000"),
        ("2026-08-01", "2026-09-01", "31.000000"),
    ]
    assert zx.broken_promises() == []


def test_a_bundle_at_the_keyboard(zx: ABroadcaster) -> None:
    zx.on("2026-07-11")

    def ask(*words: str) -> str:
        result = CliRunner().invoke(app, [*words, "--tenant", zx.tenant.code])
        assert result.exit_code == 0, result.output
        return result.output

    sold = ("subscriptions", "sell", "A", "silver", "football", "--type", "normal", "--code", "S-2")
    ask(*sold, "--bundle", "family", "--frequency", "monthly")
    amended = ask(
        "action", "do", "amend_bundle", "S-2", "--bundle", "family", "--holding", "silver", "--holding", "news"
    )
    assert amended.splitlines()[1:] == [
        "  football: cancelled from 2026-07-11, to be credited",
        "  news: new, effective, from 2026-07-11",
    ]
    shown = json.loads(ask("subscriptions", "show", "S-2", "--json"))
    held = {one["service"]: (one["state"], one["bundle"]) for one in shown["services"]}
    assert held == {
        "silver": ("effective", "family"),
        "football": ("cancelled", "family"),
        "news": ("effective", "family"),
    }


def test_a_bundle_at_the_console(zx: ABroadcaster) -> None:
    zx.on("2026-07-11")
    clerk = at_console(zx.tenant, StaffRole.CLERK)
    address = "subscriptions/act/amend_bundle/S-A"
    assert f"/console/{address}" in clerk.get("accounts/of/A").text
    asked = clerk.get(address).form()
    assert (asked["bundle_code"], asked.get("product_codes", [])) == (["family"], [])
    values = {**asked, "product_codes": ["silver", "football"]}
    with zx.nothing_changes():
        refused = clerk.post(address, {**values, "product_codes": ["silver"]})
        assert (refused.status, "would hold 0 chosen services; allowed: 1 to 2" in refused.text) == (409, True)
        assert "silver: into the bundle from 2026-07-11" in clerk.post(address, {**values, "preview": "1"}).text
    done = clerk.follow(clerk.post(address, values))
    assert "Silver in Family" in done.text
    assert clerk.get(address).form()["product_codes"] == ["silver", "football"]
    sale = clerk.get("subscriptions/sell/A").form(subscription_type="normal", frequency="monthly", bundle="family")
    clerk.post("subscriptions/sell/A", {**sale, "products": ["silver", "news"]})
    assert members(zx) == ["football", "news", "silver", "silver"]


def test_who_owes_too_much_takes_nothing_up_but_may_leave(zx: ABroadcaster) -> None:
    amend(zx, "2026-07-11", "silver", "football")
    zx.execute("UPDATE party_account SET credit_limit_minor = 100 WHERE tenant_id = %s", zx.tenant.id)
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="owes more than its credit limit"):
        amend(zx, "2026-07-11", "silver", "football", "news")
    amend(zx, "2026-07-11")
    assert members(zx) == []


def test_the_same_again_changes_nothing(zx: ABroadcaster) -> None:
    amend(zx, "2026-07-11", "silver", "football")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="'family' of S-A holds just these"):
        amend(zx, "2026-07-11", "football", "silver")
