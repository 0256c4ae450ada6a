"""A clerk amends contracts: bindings, penalties, price plans, tiers, and the rules that stand in the way.

Company ZX bills on the 20th for the following month; silver costs 31.00, gold 62.00 and football 9.30 a month.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour
from tests.builders.broadcasters import ABroadcaster, a_broadcaster


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    return billed_until_july(a_broadcaster(), tmp_path)


def billed_until_july(operator: ABroadcaster, path: Path) -> ABroadcaster:
    operator.subscribe(path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    operator.on("2026-06-20")
    operator.bill("2026-06-20")
    return operator


def with_a_penalty(path: Path) -> ABroadcaster:
    penalty = """    rules:
      - rule: cancellation_penalty
        name: Half of the rest
        penalty: { product: penalty, basis: percent_of_remaining_fee, percent: 50 }"""
    zx = a_broadcaster(
        rules="    rules: -> " + penalty,
        penalty="  - code: eurosports-1\n    name: Eurosports 1 -> "
        "  - { code: penalty, name: Penalty, class: expense, tax_class: standard }\n"
        "  - code: eurosports-1\n    name: Eurosports 1",
        price="      - { product: silver, frequency: monthly, price: 31.00 } -> "
        "      - { product: penalty, price: 0 }\n      - { product: silver, frequency: monthly, price: 31.00 }",
    )
    return billed_until_july(zx, path)


def bind(zx: ABroadcaster, day: str = "2026-07-01") -> None:
    zx.on(day)
    values = {"amendment": "new", "binding_period": "annual", "binding_start_date": "2026-02-01"}
    zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", day, **values)


def test_cancellation_with_seven_months_of_binding_left(database: str, tmp_path: Path) -> None:
    zx = with_a_penalty(tmp_path)
    bind(zx)
    answer = zx.act(Behaviour.CANCEL, "S-A", "2026-07-01")
    assert answer["changes"][-1] == "charge: 108.500000 on 2026-07-01"  # half of seven months at 31.00
    zx.bill("2026-07-20")
    assert sorted(zx.charged("A", 2)) == [
        ("credit", "2026-07-01", "2026-08-01", "-31.000000"),
        ("once", "2026-07-01", "2026-07-02", "108.500000"),
    ]
    assert zx.broken_promises() == []


def test_a_contract_is_renewed_extended_and_cancelled(zx: ABroadcaster) -> None:
    bind(zx)
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="binds until 2027-02-01; renew, extend or adjust"):
        zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", "2026-07-01", amendment="new", binding_period="annual")
    zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", "2026-07-01", amendment="extended", extension_days=10)
    zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", "2026-07-01", amendment="renewed")
    zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", "2026-07-01", amendment="adjusted", binding_start_date="2026-03-01")
    zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", "2026-07-01", amendment="cancelled")
    terms = zx.rows(
        """SELECT binding_period AS period, binding_start_date AS start, binding_extension_days AS longer
           FROM subscription_billing_term WHERE tenant_id = %s ORDER BY effective_from, id"""
    )
    assert [(t["period"], str(t["start"] or ""), t["longer"]) for t in terms] == [
        ("", "", 0),
        ("annual", "2026-02-01", 0),
        ("annual", "2026-02-01", 10),
        ("annual", "2027-02-11", 0),
        ("annual", "2026-03-01", 0),
        ("", "", 0),
    ]
    zx.bill("2026-07-20")
    assert zx.charged("A", 2) == [("charge", "2026-08-01", "2026-09-01", "31.000000")]
    assert zx.broken_promises() == []


def test_another_price_plan_holds_from_the_day_of_the_amendment(database: str, tmp_path: Path) -> None:
    cheap = """price_plans:
  - code: loyal
    name: Loyal
    currency: EUR
    rates: [{ product: silver, frequency: monthly, price: 15.50 }]
  - code: main
"""
    zx = a_broadcaster(
        plans="price_plans:\n  - code: main\n -> " + cheap,
        scheme="    price_plans: [main] ->     price_plans: [main, loyal]",
    )
    billed_until_july(zx, tmp_path)
    zx.on("2026-07-11")
    zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", "2026-07-11", price_plan_code="loyal")
    zx.bill("2026-07-20")
    assert zx.charged("A", 2) == [
        ("credit", "2026-07-11", "2026-08-01", "-21.000000"),
        ("charge", "2026-07-11", "2026-08-01", "10.500000"),
        ("charge", "2026-08-01", "2026-09-01", "15.500000"),
    ]
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="allowed: main, loyal"):
        zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", "2026-07-11", price_plan_code="gold")
    assert zx.broken_promises() == []


TIERS = """    service_tiers:
      - { product: gold, level: 1 }
      - { product: silver, level: 2 }
      - { product: football, level: 1, leading: false }
    installed_item_rules:"""
NO_WAY_DOWN = """    rules:
      - { rule: swap, name: No way down, swaps: [downgrade], max_times: 0, min_remaining: { count: 1, unit: month } }
      - { rule: swap, name: Twice a year, max_times: 2, within: { count: 1, unit: year } }"""


def test_tiers_say_what_a_swap_is_and_what_may_follow(database: str, tmp_path: Path) -> None:
    zx = a_broadcaster(rules="    rules: -> " + NO_WAY_DOWN, tiers="    installed_item_rules: -> " + TIERS)
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    bind(zx)
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="'football' of tier 1 without one of: gold"):
        zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-01", product_code="football")
    swap = {"service_code": "silver", "product_code": "gold"}
    zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-01", **swap)
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-01", product_code="football")
    down = {"service_code": "gold", "product_code": "silver", "new_service_code": "silver-2"}
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="a downgrade is allowed 0 times"):
        zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-01", **down)
    zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", "2026-07-01", amendment="cancelled")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="'football' of tier 1 without one of: gold"):
        zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-01", **down)
    zx.act(Behaviour.CANCEL_SERVICE, "S-A", "2026-07-01", service_code="football")
    zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-01", **down)
    up = {"service_code": "silver-2", "product_code": "gold", "new_service_code": "gold-2"}
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="allowed 2 times, 2 were; rule 'Twice a year'"):
        zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-01", **up)
    zx.bill("2026-07-20")
    assert zx.broken_promises() == []


def test_a_penalty_is_of_the_day_of_leaving_however_late_it_is_executed(database: str, tmp_path: Path) -> None:
    zx = with_a_penalty(tmp_path)
    bind(zx)
    zx.act(Behaviour.CANCEL, "S-A", "2026-08-01")
    zx.on("2026-10-15")
    assert zx.execute_scheduled().performed == 1
    zx.bill("2026-10-20")
    assert [row for row in zx.charged("A", 2) if row[0] == "once"] == [
        ("once", "2026-08-01", "2026-08-02", "93.000000")  # half of six months
    ]


def test_rules_of_one_distributor_count_its_services_only(database: str, tmp_path: Path) -> None:
    plain = "name: {}, class: termed, tax_class: standard"
    rule = "      - { subscription_types: [normal], scope: subscription, services: mandatory, minimum: 1, maximum: 3 }"
    zx = a_broadcaster(
        zz1="organisational_units:\n -> provisioning_distributors:\n  - { code: iptv, name: IPTV }\n"
        "  - { code: sat, name: Satellite }\n  - { code: cable, name: Cable }\norganisational_units:\n",
        zz2=f"{plain.format('Football')} -> {plain.format('Football')}, distributor: iptv",
        zz3=f"{plain.format('News')} -> {plain.format('News')}, distributor: sat",
        zz4=f"{plain.format('Gold')} -> {plain.format('Gold')}, distributor: cable",
        zz5=f"{rule} -> {rule}\n      - {{ distributor: iptv, services: any, maximum: 0 }}",
        zz6="    # No provisioning_distributors: all of them are allowed. -> "
        "    provisioning_distributors: [iptv, sat]",
    )
    zx.on("2026-07-01")
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="1 services of iptv"):
        zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-01", product_code="football")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=r"'gold' is switched by cable.*allows: iptv, sat"):
        zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-01", service_code="silver", product_code="gold")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-01", product_code="news")
    assert zx.services("S-A")["news"] == "effective"
