"""A subscription goes to another account: it is billed there from that day on, and nothing of it is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from coax.base.tenancy import tenant_transaction
from coax.process.jobs.order import order_job
from coax.process.subscription_actions.perform import preview_action
from coax.process.subscription_actions.replace import replace_subscription
from coax.process.subscription_actions.sell import SaleRequest
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_pair import pair_items
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.operations.location_add import add_location
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.items import find_installed_items
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, Behaviour
from coax.subscription.types.jobs import JobRequest
from tests.builders.broadcasters import ABroadcaster, a_broadcaster

DEED: dict[str, Any] = {"actor": "ann", "performed_on": date(2026, 7, 1), "reason": "order"}


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    zx = a_broadcaster()
    zx.on("2026-07-01")
    rows = [
        {"account_code": "A", "product": "silver", "billed_until": "2026-07-01", "credit_limit": "100"},
        {"account_code": "B", "product": "gold", "billed_until": "2026-07-01", "credit_limit": "200"},
    ]
    zx.subscribe(tmp_path, rows)
    zx.bill("2026-07-01")
    return zx


def move(zx: ABroadcaster, day: str, account: str = "B") -> None:
    zx.act(Behaviour.CHANGE_ACCOUNT, "S-A", day, account_code=account, reason="moved in together")


def net(zx: ABroadcaster, account: str, product: str) -> Decimal:
    rows = zx.rows(
        """SELECT coalesce(sum(i.net_micro), 0)::bigint AS net FROM rating_rated_item i
           JOIN party_account a ON a.bucket = i.bucket AND a.account_id = i.account_id
           JOIN configuration_version v ON v.id = i.product_version_id
           JOIN configuration_entity e ON e.id = v.entity_id WHERE i.tenant_id = %s AND a.code = %s AND e.code = %s""",
        account,
        product,
    )
    return Decimal(rows[0]["net"]) / 1_000_000


def owner(zx: ABroadcaster) -> list[tuple[str, str]]:
    rows = zx.rows(
        """SELECT a.code, u.state FROM subscription_subscription u
           JOIN party_account a ON a.bucket = u.bucket AND a.account_id = u.account_id
           WHERE u.tenant_id = %s AND u.code = 'S-A' ORDER BY a.code, u.id"""
    )
    return [(row["code"], row["state"]) for row in rows]


def test_what_was_billed_ahead_is_credited_here_and_billed_there(zx: ABroadcaster) -> None:
    zx.on("2026-07-11")
    move(zx, "2026-07-11")
    assert owner(zx) == [("A", "replaced"), ("B", "effective")]
    zx.on("2026-08-01")
    zx.bill("2026-08-01")
    # Ten days of July stay with A; 21 days of July and all of August are B's, at one euro a day.
    assert net(zx, "A", "silver") == Decimal(10)
    assert net(zx, "B", "silver") == Decimal(21 + 31)
    assert zx.broken_promises() == []
    zx.on("2026-09-01")
    zx.bill("2026-09-01")
    assert (net(zx, "A", "silver"), net(zx, "B", "silver")) == (Decimal(10), Decimal(52 + 31))
    assert zx.broken_promises() == []


def test_it_goes_on_living_on_its_new_account(zx: ABroadcaster) -> None:
    zx.on("2026-07-11")
    zx.act(Behaviour.SHORT_TERM_DEACTIVATE, "S-A", "2026-07-11", ends_on="2026-07-12")
    zx.on("2026-07-12")
    zx.execute_scheduled()
    zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-12", service_code="silver", product_code="gold")
    zx.act(Behaviour.AMEND_BILLING_TERM, "S-A", "2026-07-12", amendment="new", binding_period="annual")
    zx.act(Behaviour.STOP_SERVICE, "S-A", "2026-07-12", service_code="gold")
    move(zx, "2026-07-12")
    zx.act(Behaviour.START_SERVICE, "S-A", "2026-07-12", service_code="gold")
    zx.on("2026-07-20")
    zx.act(Behaviour.REST, "S-A", "2026-07-20", ends_on="2026-07-30")
    with pytest.raises(ActionRefused, match="is in_resting"):
        move(zx, "2026-07-20", "A")
    zx.on("2026-07-30")
    zx.execute_scheduled()
    move(zx, "2026-07-30", "A")
    assert owner(zx) == [("A", "replaced"), ("A", "effective"), ("B", "replaced")]
    terms = zx.rows(
        """SELECT DISTINCT t.binding_period, t.binding_start_date FROM subscription_billing_term t
           JOIN subscription_subscription_code c ON c.subscription_id = t.subscription_id
           WHERE t.tenant_id = %s AND c.code = 'S-A' AND t.effective_to IS NULL"""
    )
    assert [row["binding_period"] for row in terms] == ["annual"]
    zx.on("2026-08-01")
    zx.bill("2026-08-01")
    assert zx.broken_promises() == []


def test_its_items_and_scheduled_actions_go_along(zx: ABroadcaster) -> None:
    with tenant_transaction(zx.tenant.id):
        add_location(tenant_id=zx.tenant.id, code="main", name="Warehouse")
        for serial, good in (("D1", "decoder"), ("C1", "smartcard")):
            receive_item(tenant_id=zx.tenant.id, serial=serial, good=good, location="main", **DEED)
            install_item(tenant_id=zx.tenant.id, serial=serial, subscription="S-A", **DEED)
        pair_items(tenant_id=zx.tenant.id, serial="D1", other="C1", **DEED)
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-25")
    zx.on("2026-07-11")
    move(zx, "2026-07-11")
    with tenant_transaction(zx.tenant.id):
        key = get_subscription_key(tenant_id=zx.tenant.id, code="S-A")
        rows = find_installed_items(tenant_id=zx.tenant.id, account_id=key.account_id)
    assert [(row.serial, row.paired_with) for row in rows] == [("D1", "C1"), ("C1", "D1")]
    zx.on("2026-07-25")
    zx.execute_scheduled()
    assert owner(zx) == [("A", "replaced"), ("B", "not_effective")]
    assert zx.broken_promises() == []


def test_a_preview_shows_the_new_accounts_bill(zx: ABroadcaster) -> None:
    zx.on("2026-07-11")
    request = ActionRequest(
        subscription_code="S-A", behaviour=Behaviour.CHANGE_ACCOUNT, performed_on=date(2026, 7, 11), account_code="B"
    )
    with zx.nothing_changes():
        found = preview_action(tenant=zx.tenant, request=request, actor="anna")
    assert found.bill.facts is not None
    # Silver for 21 days of July, and for August beside gold: 21 + 31 + 62, and 19 %.
    assert found.bill.facts.bill.total_minor == 13_566


@pytest.mark.parametrize(
    ("prepare", "values", "said"),
    [
        ("", {}, "account: empty is not allowed"),
        ("", {"account_code": "A"}, "is on A already"),
        ("UPDATE party_account SET state = 'suspended' WHERE tenant_id = %s AND code = 'B'", {}, "B is suspended"),
        ("UPDATE party_account SET currency = 'USD' WHERE tenant_id = %s AND code = 'B'", {}, "B is in USD"),
        ("UPDATE party_account SET credit_limit_minor = 1 WHERE tenant_id = %s AND code = 'B'", {}, "B owes more"),
    ],
)
def test_an_account_that_may_not_have_it_is_refused(
    zx: ABroadcaster, prepare: str, values: dict[str, Any], said: str
) -> None:
    zx.on("2026-07-11")
    if prepare:
        zx.execute(prepare, zx.tenant.id)
        values = {"account_code": "B"}
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=said):
        zx.act(Behaviour.CHANGE_ACCOUNT, "S-A", "2026-07-11", **values)


def test_it_is_not_moved_ahead_of_time_nor_away_from_its_jobs(zx: ABroadcaster) -> None:
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="is to come"):
        move(zx, "2026-07-02")
    order_job(
        tenant=zx.tenant,
        request=JobRequest(account_code="A", job_type="visit", subscription_code="S-A"),
        actor="anna",
    )
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="open jobs: J-1"):
        move(zx, "2026-07-01")


def test_a_package_takes_the_place_of_a_flexible_subscription(zx: ABroadcaster) -> None:
    with tenant_transaction(zx.tenant.id):
        add_location(tenant_id=zx.tenant.id, code="main", name="Warehouse")
        receive_item(tenant_id=zx.tenant.id, serial="D1", good="decoder", location="main", **DEED)
        install_item(tenant_id=zx.tenant.id, serial="D1", subscription="S-A", **DEED)
    zx.on("2026-07-11")
    request = SaleRequest(
        account_code="A",
        subscription_type="normal",
        scheme="normal-bt",
        products=("gold",),
        performed_on=date(2026, 7, 11),
        frequency="monthly",
    )
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="S-A is not one of B"):
        replace_subscription(tenant=zx.tenant, code="S-A", request=replace(request, account_code="B"), actor="anna")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="bronze"):
        replace_subscription(
            tenant=zx.tenant,
            code="S-A",
            request=replace(request, products=("gold", "football", "bronze")),
            actor="anna",
        )
    answer, _ = replace_subscription(tenant=zx.tenant, code="S-A", request=request, actor="anna", idempotency_key="k")
    assert replace_subscription(tenant=zx.tenant, code="S-A", request=request, actor="anna", idempotency_key="k") == (
        answer,
        True,
    )
    assert (zx.state("S-A"), zx.state("A-2")) == ("replaced", "effective")
    with tenant_transaction(zx.tenant.id):
        key = get_subscription_key(tenant_id=zx.tenant.id, code="A-2")
        held = find_installed_items(tenant_id=zx.tenant.id, account_id=key.account_id)
    assert [(row.serial, row.subscription) for row in held] == [("D1", "A-2")]
    zx.on("2026-08-01")
    zx.bill("2026-08-01")
    assert net(zx, "A", "silver") == Decimal(10)
    assert net(zx, "A", "gold") == Decimal(42 + 62)
    assert zx.broken_promises() == []
