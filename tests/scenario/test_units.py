"""Staff belong to organisational units: they see, sell and do only what the types are for."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from coax.base.errors import DomainError
from coax.base.tenancy import tenant_transaction
from coax.party.operations.save_staff import add_staff
from coax.party.queries.staff import get_staff
from coax.party.types import StaffRole
from coax.process.jobs.order import order_job
from coax.process.subscription_actions.perform import submit_action
from coax.process.subscription_actions.sell import SaleRequest, sell_subscription
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, Behaviour
from coax.subscription.types.jobs import JobRefused, JobRequest
from tests.builders.broadcasters import RULES, ABroadcaster, a_broadcaster
from tests.builders.consoles import PASSWORD, AConsole, at_console

UNITS = """organisational_units:
  - { code: wholesale, name: Wholesale }
"""


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    """Let normal subscriptions be for Marketing Community only, and regret be unlimited for Wholesale."""
    rules = RULES.replace(
        "max_days_since_activation: 14 }",
        "max_days_since_activation: 14, exceptions: { organisational_units: [marketing-community] } }",
    )
    zx = a_broadcaster(
        units="organisational_units:\n -> " + UNITS,
        definition="    name: Main Billing Term Definition\n    classification: subscriptions -> " + rules,
        visit="  - code: visit\n    name: Technician's visit -> "
        "  - code: visit\n    name: Technician's visit\n    organisational_units: [wholesale]",
    )
    zx.on("2026-07-10")
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-20")
    with tenant_transaction(zx.tenant.id):
        for name, unit in (("mary", "marketing-community"), ("will", "wholesale")):
            add_staff(
                tenant_id=zx.tenant.id,
                username=name,
                role=StaffRole.CLERK,
                password=PASSWORD,
                organisational_unit=unit,
            )
    return zx


def act(zx: ABroadcaster, actor: str, behaviour: Behaviour, **values: Any) -> None:
    day = values.pop("day", "2026-07-10")
    request = ActionRequest(
        subscription_code="S-A", behaviour=behaviour, performed_on=date.fromisoformat(day), **values
    )
    submit_action(tenant=zx.tenant, request=request, actor=actor)


def sit_down(zx: ABroadcaster, name: str) -> AConsole:
    return at_console(zx.tenant, StaffRole.CLERK, name)


def test_a_subscription_is_acted_on_by_its_units_only(zx: ABroadcaster) -> None:
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="not for wholesale"):
        act(zx, "will", Behaviour.STOP_SERVICE, service_code="silver")
    act(zx, "mary", Behaviour.STOP_SERVICE, service_code="silver")
    act(zx, "anna", Behaviour.START_SERVICE, service_code="silver")  # no unit: everything


def test_a_type_is_sold_by_its_units_only(zx: ABroadcaster) -> None:
    request = SaleRequest(
        account_code="A",
        subscription_type="normal",
        scheme="normal-bt",
        products=("gold",),
        performed_on=date(2026, 7, 10),
        frequency="monthly",
    )
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="allowed units: marketing-community"):
        sell_subscription(tenant=zx.tenant, request=request, actor="will")
    assert sell_subscription(tenant=zx.tenant, request=request, actor="mary")[0]["subscription"] == "A-2"


def test_a_job_is_ordered_by_the_units_of_its_type_only(zx: ABroadcaster) -> None:
    request = JobRequest(account_code="A", job_type="visit")
    with pytest.raises(JobRefused, match="is not for marketing-community; allowed: for the units wholesale"):
        order_job(tenant=zx.tenant, request=request, actor="mary")
    assert order_job(tenant=zx.tenant, request=request, actor="will")[0]["job"] == "J-1"
    mary, will = sit_down(zx, "mary"), sit_down(zx, "will")
    assert "J-1" in will.get("jobs/").text
    assert "J-1" not in mary.get("jobs/").text
    assert mary.get("jobs/of/J-1/").status == 404


def test_a_rule_spares_the_units_that_it_names(zx: ABroadcaster) -> None:
    zx.on("2026-07-19")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="Fourteen days"):
        act(zx, "anna", Behaviour.REGRET_SERVICE, day="2026-07-19", service_code="silver")
    act(zx, "mary", Behaviour.ADD_SERVICE, day="2026-07-19", product_code="gold")
    act(zx, "mary", Behaviour.REGRET_SERVICE, day="2026-07-19", service_code="silver")


def test_the_console_shows_only_what_is_for_the_reader(zx: ABroadcaster) -> None:
    mary, will = sit_down(zx, "mary"), sit_down(zx, "will")
    assert "S-A" in mary.get("accounts/of/A").text
    assert "S-A" not in will.get("accounts/of/A").text
    assert "S-A" in mary.get("subscriptions/scheduled").text
    assert "S-A" not in will.get("subscriptions/scheduled").text
    assert "S-A" not in will.get("accounts/then/A").text
    assert mary.get("subscriptions/act/rest/S-A").status == 200
    assert will.get("subscriptions/act/rest/S-A").status == 404


def test_an_administrator_gives_a_unit(zx: ABroadcaster) -> None:
    administrator = at_console(zx.tenant, StaffRole.ADMINISTRATOR)
    address = "staff/of/will"
    administrator.post(address, administrator.get(address).form(organisational_unit="marketing-community"))
    with tenant_transaction(zx.tenant.id):
        assert get_staff(tenant_id=zx.tenant.id, username="will").organisational_unit == "marketing-community"
        with pytest.raises(DomainError, match="no organisational unit 'none'"):
            add_staff(
                tenant_id=zx.tenant.id,
                username="x",
                role=StaffRole.CLERK,
                password=PASSWORD,
                organisational_unit="none",
            )
