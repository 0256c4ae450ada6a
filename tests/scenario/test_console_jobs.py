"""A clerk orders, plans, equips and completes jobs at the console."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from coax.base.tenancy import tenant_transaction
from coax.party.types import StaffRole
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.operations.location_add import add_location
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.consoles import AConsole, at_console


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    zx = a_broadcaster()
    zx.on("2026-07-01")
    row = {"account_code": "A", "product": "silver", "billed_until": "2026-07-01", "credit_limit": "500"}
    zx.subscribe(tmp_path, [row])
    deed: dict[str, Any] = {"actor": "ann", "performed_on": date(2026, 7, 1), "reason": "delivery"}
    with tenant_transaction(zx.tenant.id):
        add_location(tenant_id=zx.tenant.id, code="main", name="Warehouse")
        receive_item(tenant_id=zx.tenant.id, serial="D1", good="decoder", location="main", **deed)
        receive_item(tenant_id=zx.tenant.id, serial="D2", good="decoder", location="main", **deed)
    return zx


@pytest.fixture
def clerk(zx: ABroadcaster) -> AConsole:
    return at_console(zx.tenant, StaffRole.CLERK)


def test_a_new_connection_from_the_order_to_the_decoder(zx: ABroadcaster, clerk: AConsole) -> None:
    assert "New connection" in clerk.get("jobs/order/for/A").text
    values = clerk.get("jobs/order/new-connection/A").form(
        products=["eurosports-1"], frequency="monthly", assigned_to="tom", **{"good-decoder": "1"}
    )
    done = clerk.follow(clerk.post("jobs/order/new-connection/A", values))
    assert "Job J-1 is pending." in done.text
    clerk.post("jobs/order/new-connection/A", values)  # the same form sent twice
    assert zx.rows("SELECT count(*) AS n FROM subscription_job WHERE tenant_id = %s") == [{"n": 1}]
    board = clerk.get("jobs/").text
    assert "J-1" in board
    assert "tom" in board
    assert "J-1" not in clerk.get("jobs/?who=anna").text
    assert "D1 on line 2" in clerk.follow(clerk.post("jobs/of/J-1/lines/2", {"serials": "D1"})).text
    assert "is in progress" in clerk.follow(clerk.post("jobs/of/J-1/do/start", {})).text
    quote = clerk.get("jobs/of/J-1/?quote").text
    assert "the credit is enough" in quote
    completed = clerk.follow(clerk.post("jobs/of/J-1/complete", {})).text
    assert "Job J-1 is completed." in completed
    account = clerk.get("accounts/of/A").text
    assert "A-2" in account
    assert "D1" in account
    assert zx.broken_promises() == []


def test_a_decoder_is_replaced(zx: ABroadcaster, clerk: AConsole) -> None:
    with tenant_transaction(zx.tenant.id):
        from coax.subscription.operations.item_install import install_item  # noqa: PLC0415

        day = date(2026, 7, 1)
        install_item(
            tenant_id=zx.tenant.id, serial="D1", subscription="S-A", actor="ann", performed_on=day, reason="order"
        )
    address = "jobs/order/replace-decoder/A"
    values = clerk.get(address).form(subscription="S-A", old_serial="D1", return_to="main")
    clerk.post(address, values)
    refused = clerk.follow(clerk.post("jobs/of/J-1/complete", {})).text
    assert "takes the place of D1" in refused
    done = clerk.follow(clerk.post("jobs/of/J-1/complete", {"swap-D1": "D2"})).text
    assert "D2 installed" in done


def test_lines_and_plan_are_changed_and_wrong_values_are_marked(zx: ABroadcaster, clerk: AConsole) -> None:
    clerk.post("jobs/order/visit/A", clerk.get("jobs/order/visit/A").form(is_draft="on"))
    clerk.post("jobs/of/J-1/lines", {"line-product": "decoder", "line-quantity": "2", "line-is_billed": "on"})
    wrong = clerk.post("jobs/of/J-1/lines", {"line-product": "decoder", "line-quantity": "0"})
    assert wrong.status == 422
    assert "greater than or equal to 1" in wrong.text
    planned = {"start_date": "2026-07-09", "expected_on": "2026-07-08"}
    assert "2026-07-09 or later" in clerk.follow(clerk.post("jobs/of/J-1/plan", planned)).text
    clerk.post("jobs/of/J-1/plan", {"start_date": "2026-07-09", "assigned_to": "tom"})
    assert "tom" in clerk.get("jobs/of/J-1/").text
    clerk.post("jobs/of/J-1/lines/1", {"remove": "1"})
    rows = zx.rows("SELECT number, quantity FROM subscription_job_line WHERE tenant_id = %s")
    assert rows == [{"number": 2, "quantity": 2}]
    noted = clerk.follow(clerk.post("jobs/of/J-1/do/note", {"reason": "gate code 12"})).text
    assert "gate code 12" in noted
    assert "is cancelled" in clerk.follow(clerk.post("jobs/of/J-1/do/cancel", {"reason": "no"})).text
    assert "J-1" not in clerk.get("jobs/").text


def test_an_auditor_reads_and_changes_nothing(zx: ABroadcaster, clerk: AConsole) -> None:
    clerk.post("jobs/order/visit/A", clerk.get("jobs/order/visit/A").form())
    auditor = at_console(zx.tenant, StaffRole.AUDITOR)
    page = auditor.get("jobs/of/J-1/")
    assert page.status == 200
    assert "Complete</button>" not in page.text
    assert auditor.post("jobs/of/J-1/complete", {}).status == 403
    assert auditor.get("jobs/order/visit/A").status == 403
