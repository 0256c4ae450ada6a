"""What must be there before services come on, and when a binding begins."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from coax.base.tenancy import tenant_transaction
from coax.process.jobs.complete import perform_completion
from coax.process.jobs.order import change_job, order_job
from coax.process.subscription_actions.sell import SaleRequest, sell_subscription
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.operations.item_return import return_item
from coax.subscription.operations.job_change import equip_job_line
from coax.subscription.operations.location_add import add_location
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour
from coax.subscription.types.jobs import JobOrder, JobRequest, JobVerb, LineRequest, SaleOrder
from tests.builders.broadcasters import ABroadcaster, a_broadcaster

NEEDED = "needs one of these installed first: decoder, smartcard"
DEED: dict[str, Any] = {"actor": "ann", "performed_on": date(2026, 7, 1), "reason": "order"}


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    rules = """    rules:
      - rule: activation_condition
        name: A decoder first
        products: [silver]
        require_installed: [decoder, smartcard]
      - { rule: binding_start_automation }
"""
    text = "    name: Main Billing Term Definition\n    classification: subscriptions"
    zx = a_broadcaster(definition=f"{text} -> {text}\n{rules}")
    zx.on("2026-07-01")
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "gold", "billed_until": "2026-07-01"}])
    with tenant_transaction(zx.tenant.id):
        add_location(tenant_id=zx.tenant.id, code="main", name="Warehouse")
        receive_item(tenant_id=zx.tenant.id, serial="D1", good="decoder", location="main", **DEED)
    return zx


def sell(zx: ABroadcaster, product: str = "silver", **values: Any) -> str:
    request = SaleRequest(
        account_code="A",
        subscription_type="normal",
        scheme="normal-bt",
        products=(product,),
        performed_on=date(2026, 7, 1),
        frequency="monthly",
        **values,
    )
    return sell_subscription(tenant=zx.tenant, request=request, actor="anna")[0]["subscription"]


def install(zx: ABroadcaster, subscription: str) -> None:
    with tenant_transaction(zx.tenant.id):
        install_item(tenant_id=zx.tenant.id, serial="D1", subscription=subscription, **DEED)


def test_nothing_comes_on_before_its_decoder_is_there(zx: ABroadcaster) -> None:
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=f"{NEEDED}; sell a draft"):
        sell(zx)
    code = sell(zx, is_draft=True)
    for behaviour, values in (
        (Behaviour.ACTIVATE, {}),
        (Behaviour.SHORT_TERM_ACTIVATE, {"ends_on": "2026-07-05"}),
    ):
        with zx.nothing_changes(), pytest.raises(ActionRefused, match=NEEDED):
            zx.act(behaviour, code, "2026-07-01", **values)
    install(zx, code)
    zx.act(Behaviour.ACTIVATE, code, "2026-07-01")
    assert zx.state(code) == "effective"


def test_only_the_service_that_the_rule_names_is_asked(zx: ABroadcaster) -> None:
    assert zx.state(sell(zx, "gold")) == "effective"
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=NEEDED):
        zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-01", product_code="silver")
    install(zx, "S-A")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-01", product_code="silver")
    assert zx.services("S-A")["silver"] == "effective"


def test_a_rest_that_ends_without_a_decoder_ends_in_a_deactivation(zx: ABroadcaster) -> None:
    code = sell(zx, is_draft=True)
    install(zx, code)
    zx.act(Behaviour.ACTIVATE, code, "2026-07-01")
    zx.act(Behaviour.REST, code, "2026-07-01", ends_on="2026-07-10")
    with tenant_transaction(zx.tenant.id):
        return_item(tenant_id=zx.tenant.id, serial="D1", location="main", **DEED)
    zx.on("2026-07-10")
    zx.execute_scheduled()
    assert zx.state(code) == "not_effective"
    assert "decoder" in zx.actions(code)[0].detail


def test_a_job_installs_before_it_activates(zx: ABroadcaster) -> None:
    sale = SaleOrder(subscription_type="normal", scheme="normal-bt", products=("silver",), frequency="monthly")
    request = JobRequest(
        account_code="A",
        job_type="new-connection",
        lines=(LineRequest(product="decoder"),),
        order=JobOrder(sale=sale),
    )
    code = order_job(tenant=zx.tenant, request=request, actor="anna")[0]["job"]
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=NEEDED):
        perform_completion(tenant=zx.tenant, code=code, actor="tom")
    change_job(tenant=zx.tenant, actor="anna", change=lambda c: equip_job_line(code, 2, ["D1"], c), verb=JobVerb.EQUIP)
    done = perform_completion(tenant=zx.tenant, code=code, actor="tom")[0]
    assert zx.state(done["subscription"]) == "effective"
    assert zx.broken_promises() == []


def test_the_binding_of_a_draft_begins_when_it_is_activated(zx: ABroadcaster) -> None:
    code = sell(zx, "gold", is_draft=True, binding_period="annual")
    zx.on("2026-07-15")
    zx.act(Behaviour.ACTIVATE, code, "2026-07-15")
    rows = zx.rows(
        """SELECT t.binding_start_date, t.effective_to IS NULL AS is_open FROM subscription_billing_term t
           JOIN subscription_subscription_code c ON c.subscription_id = t.subscription_id
           WHERE t.tenant_id = %s AND c.code = %s ORDER BY t.id""",
        code,
    )
    assert [(str(row["binding_start_date"]), row["is_open"]) for row in rows] == [
        ("2026-07-01", False),
        ("2026-07-15", True),
    ]
    zx.on("2026-08-01")
    zx.bill("2026-08-01")
    assert zx.broken_promises() == []


def test_as_many_items_as_the_definition_wants_are_installed_first(database: str, tmp_path: Path) -> None:
    zx = a_broadcaster(items="decoder], minimum: 0 -> decoder], minimum: 1")
    zx.on("2026-07-01")
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "gold", "billed_until": "2026-07-01"}])
    with tenant_transaction(zx.tenant.id):
        add_location(tenant_id=zx.tenant.id, code="main", name="Warehouse")
        receive_item(tenant_id=zx.tenant.id, serial="D1", good="decoder", location="main", **DEED)
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="needs 1 of smartcard, decoder installed first"):
        sell(zx)
    code = sell(zx, is_draft=True)
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="has 0 of smartcard, decoder installed"):
        zx.act(Behaviour.ACTIVATE, code, "2026-07-01")
    install(zx, code)
    zx.act(Behaviour.ACTIVATE, code, "2026-07-01")
    assert zx.state(code) == "effective"
