"""A clerk sells subscriptions: at once, as a draft, and only what type and definition allow."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from coax.process.subscription_actions.sell import SaleRequest, sell_subscription
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour
from tests.builders.broadcasters import ABroadcaster, a_broadcaster

TODAY = date(2026, 7, 10)


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    operator = a_broadcaster(many="max_subscriptions: 10 -> max_subscriptions: 2")
    operator.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-08-01"}])
    operator.on("2026-07-10")
    return operator


def sell(zx: ABroadcaster, *products: str, key: str | None = None, **values: Any) -> dict[str, Any]:
    request = SaleRequest(
        **{
            "account_code": "A",
            "subscription_type": "normal",
            "scheme": "normal-bt",
            "frequency": "monthly",
            "products": products,
            "performed_on": TODAY,
            **values,
        }
    )
    return sell_subscription(tenant=zx.tenant, request=request, actor="anna", idempotency_key=key)[0]


def test_what_is_sold_at_once_is_billed_from_its_day(zx: ABroadcaster) -> None:
    sold = sell(zx, "gold", "football", key="k")
    assert sell(zx, "gold", "football", key="k") == sold
    assert (sold["subscription"], sold["state"]) == ("A-2", "effective")
    zx.bill("2026-07-20", "2026-08-01")
    gold = [row for row in zx.charged("A", 1) if row[3] in {"44.000000", "62.000000"}]
    assert [row[1:3] for row in gold] == [("2026-07-10", "2026-08-01"), ("2026-08-01", "2026-09-01")]
    assert [a.behaviour for a in zx.actions("A-2")] == ["create_activate"]
    assert zx.broken_promises() == []


def test_a_draft_is_billed_from_its_activation_on(zx: ABroadcaster) -> None:
    sold = sell(zx, "gold", is_draft=True)
    assert zx.services(sold["subscription"]) == {"gold": "draft"}
    zx.bill("2026-07-20", "2026-08-01")
    assert [row[3] for row in zx.charged("A", 1)] == ["31.000000"]
    zx.on("2026-08-22")
    zx.act(Behaviour.ACTIVATE, sold["subscription"], "2026-08-22")
    zx.bill("2026-08-22", "2026-09-01")
    assert ("charge", "2026-08-22", "2026-09-01", "20.000000") in zx.charged("A", 2)
    assert zx.history(sold["subscription"], "gold") == [
        ("draft", "not_to_be_billed", "2026-07-10", "2026-08-22"),
        ("effective", "to_be_billed", "2026-08-22", ""),
    ]
    assert zx.broken_promises() == []


@pytest.mark.parametrize(
    ("products", "values", "rule"),
    [
        (("football",), {}, "service_rules"),
        (("eurosports-1", "football"), {}, "service_dependencies"),
        (("gold", "decoder"), {}, "subscription_type"),
        (("gold", "platinum"), {}, "products"),
        (("gold", "gold"), {}, "products"),
        ((), {}, "products"),
        (("gold",), {"scheme": "prepaid"}, "scheme"),
        (("gold",), {"subscription_type": "bar"}, "subscription_type"),
        (("gold",), {"frequency": "annual"}, "sale"),
        (("gold",), {"performed_on": date(2026, 7, 11)}, "performed_on"),
        (("gold",), {"subscription_code": "S-A"}, "subscription_code"),
    ],
)
def test_what_may_not_be_sold(zx: ABroadcaster, products: tuple[str, ...], values: dict[str, Any], rule: str) -> None:
    with zx.nothing_changes(), pytest.raises(ActionRefused) as refusal:
        sell(zx, *products, **values)
    assert refusal.value.rule == rule


def test_an_account_has_no_more_than_the_definition_allows(zx: ABroadcaster) -> None:
    sell(zx, "gold")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=r"has 2 subscriptions; .* allows 2"):
        sell(zx, "silver")
    zx.act(Behaviour.CANCEL, "A-2", "2026-07-10")
    assert sell(zx, "silver")["subscription"] == "A-3"


def test_an_account_over_its_limit_buys_only_a_draft(zx: ABroadcaster) -> None:
    zx.execute("UPDATE party_account SET credit_limit_minor = 100 WHERE tenant_id = %s", zx.tenant.id)
    zx.bill("2026-07-20", "2026-08-01")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="owes more than its credit limit"):
        sell(zx, "gold")
    assert sell(zx, "gold", is_draft=True)["state"] == "draft"


PACKAGE = """subscription_types:
  - code: family
    name: Family package
    classification: package
    services: [{ product: silver, mandatory: true }, { product: football, mandatory: true }, { product: gold }]
    schemes: [normal-bt]
    package: { scheme: normal-bt, price_plan: main, binding_period: annual }
"""


def test_a_package_has_its_own_terms_and_services(database: str, tmp_path: Path) -> None:
    zx = a_broadcaster(package="subscription_types:\n -> " + PACKAGE)
    zx.on("2026-07-01")
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])

    def buy(**values: Any) -> str:
        request = SaleRequest(
            account_code="A",
            subscription_type="family",
            performed_on=date(2026, 7, 1),
            **{"products": (), "frequency": "monthly", **values},
        )
        return sell_subscription(tenant=zx.tenant, request=request, actor="anna")[0]["subscription"]

    for values, said in (
        ({"scheme": "other"}, "scheme: 'other' is not allowed; package 'family' has 'normal-bt'"),
        ({"price_plan": "cheap"}, "price_plan: 'cheap' is not allowed; package 'family' has 'main'"),
        ({"binding_period": "monthly"}, "binding_period: 'monthly' is not allowed; package 'family' has 'annual'"),
    ):
        with zx.nothing_changes(), pytest.raises(ActionRefused, match=said):
            buy(**values)
    code = buy()
    assert zx.services(code) == {"football": "effective", "silver": "effective"}
    terms = zx.rows(
        """SELECT t.binding_period, t.binding_start_date FROM subscription_billing_term t
           JOIN subscription_subscription_code c ON c.subscription_id = t.subscription_id
           WHERE t.tenant_id = %s AND c.code = %s""",
        code,
    )
    assert [(row["binding_period"], str(row["binding_start_date"])) for row in terms] == [("annual", "2026-07-01")]
    assert zx.broken_promises() == []
