"""A clerk asks how an account stood on a day that has passed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from coax.base.tenancy import tenant_transaction
from coax.party.types import StaffRole
from coax.process.account_on_day import AccountOnDay, get_account_on
from coax.process.jobs.complete import perform_completion
from coax.process.jobs.order import order_job
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.operations.item_return import return_item
from coax.subscription.operations.location_add import add_location
from coax.subscription.types.actions import Behaviour
from coax.subscription.types.jobs import JobRequest
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.consoles import at_console


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    """Tell July: billed as of the 2nd, a decoder from the 3rd to the 20th, off from the 10th to the 15th, paid then."""
    zx = a_broadcaster()
    zx.on("2026-07-01")
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    zx.bill("2026-07-01")
    zx.on("2026-07-03")
    deed: dict[str, Any] = {"actor": "ann", "reason": "order", "performed_on": date(2026, 7, 3)}
    with tenant_transaction(zx.tenant.id):
        add_location(tenant_id=zx.tenant.id, code="main", name="Warehouse")
        receive_item(tenant_id=zx.tenant.id, serial="D1", good="decoder", location="main", **deed)
        install_item(tenant_id=zx.tenant.id, serial="D1", subscription="S-A", **deed)
    zx.on("2026-07-10")
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-10")
    job = order_job(tenant=zx.tenant, request=JobRequest(account_code="A", job_type="visit"), actor="anna")[0]["job"]
    zx.on("2026-07-15")
    zx.pay("A", "36.89", "2026-07-15")
    zx.act(Behaviour.ACTIVATE, "S-A", "2026-07-15")
    zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-15", service_code="silver", product_code="gold")
    perform_completion(tenant=zx.tenant, code=job, actor="tom")
    zx.on("2026-07-20")
    with tenant_transaction(zx.tenant.id):
        return_item(tenant_id=zx.tenant.id, serial="D1", location="main", **{**deed, "performed_on": date(2026, 7, 20)})
    return zx


def on(zx: ABroadcaster, day: str) -> AccountOnDay:
    return get_account_on(tenant=zx.tenant, account_code="A", on=date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "state", "services", "items", "jobs", "balance_minor"),
    [
        ("2026-06-30", "effective", {"silver": "effective"}, [], [], 0),
        ("2026-07-01", "effective", {"silver": "effective"}, [], [], 0),
        ("2026-07-03", "effective", {"silver": "effective"}, ["D1"], [], 3689),
        ("2026-07-10", "not_effective", {"silver": "not_effective"}, ["D1"], ["pending"], 3689),
        ("2026-07-14", "not_effective", {"silver": "not_effective"}, ["D1"], ["pending"], 3689),
        ("2026-07-15", "effective", {"gold": "effective", "silver": "swapped"}, ["D1"], ["completed"], 0),
        ("2026-07-20", "effective", {"gold": "effective", "silver": "swapped"}, [], ["completed"], 0),
    ],
)
def test_each_day_is_as_it_was(
    zx: ABroadcaster,
    day: str,
    state: str,
    services: dict[str, str],
    items: list[str],
    jobs: list[str],
    balance_minor: int,
) -> None:
    then = on(zx, day)
    (subscription,) = then.subscriptions
    assert subscription.state == state
    assert {service.code: service.state for service in subscription.services} == services
    assert [row.serial for row in then.items] == items
    assert [row[2] for row in then.jobs] == jobs
    assert then.balance_minor == balance_minor
    assert all(one.day <= then.on for one in then.happened)


def test_the_time_line_tells_what_happened_the_latest_first(zx: ABroadcaster) -> None:
    told = [(str(one.day), one.kind, one.what) for one in on(zx, "2026-07-20").happened]
    assert told[0] == ("2026-07-20", "item", "return")
    assert told[-1] == ("2026-07-02", "bill", "billed")
    assert {what for day, _, what in told if day == "2026-07-15"} == {
        "activate",
        "swap_service",
        "completed",
        "payment",
    }


def test_the_page_goes_from_day_to_day(zx: ABroadcaster) -> None:
    clerk = at_console(zx.tenant, StaffRole.AUDITOR)
    page = clerk.get("accounts/then/A?on=2026-07-12").text
    assert "Not effective" in page
    assert "?on=2026-07-11" in page
    assert "?on=2026-07-13" in page
    assert "?on=2026-07-21" not in clerk.get("accounts/then/A?on=2027-01-01").text
    assert clerk.get("accounts/then/A?on=never").status == 200
