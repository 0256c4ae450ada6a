"""Two clerks act on one subscription at the same moment: one wins, the other is told, nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from django.db import connections

from coax.base.idempotency import IdempotencyKeyReused
from coax.base.tenancy import tenant_transaction
from coax.process.subscription_actions.perform import call_off_action, submit_action
from coax.subscription.operations.schedule_action import ActionNotScheduled
from coax.subscription.queries.facts import SubscriptionBusy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, Behaviour
from tests.builders.broadcasters import ABroadcaster, a_broadcaster

TODAY = date(2026, 7, 10)


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    operator = a_broadcaster()
    operator.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    operator.on("2026-07-10")
    return operator


def in_another_session(zx: ABroadcaster, behaviour: Behaviour, **values: str) -> object:
    def act() -> object:
        try:
            return zx.act(behaviour, "S-A", "2026-07-10", **values)
        except (SubscriptionBusy, ActionRefused) as fault:
            return fault
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


def test_the_second_is_told_and_finds_what_the_first_did(zx: ABroadcaster) -> None:
    with tenant_transaction(zx.tenant.id):
        zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-10")
        busy = in_another_session(zx, Behaviour.ADD_SERVICE, product_code="football")
        assert isinstance(busy, SubscriptionBusy)
    late = in_another_session(zx, Behaviour.ADD_SERVICE, product_code="football")
    assert isinstance(late, ActionRefused)
    assert late.rule == "state"
    assert [(a.behaviour, a.state) for a in zx.actions("S-A")] == [("deactivate", "executed")]
    assert zx.broken_promises() == []


def test_an_action_is_done_once_by_its_key(zx: ABroadcaster) -> None:
    request = ActionRequest(
        subscription_code="S-A",
        behaviour=Behaviour.ADD_SERVICE,
        performed_on=TODAY,
        product_code="football",
    )
    first, repeated = submit_action(tenant=zx.tenant, request=request, actor="anna", idempotency_key="k-1")
    again, repeated_again = submit_action(tenant=zx.tenant, request=request, actor="anna", idempotency_key="k-1")
    assert (repeated, repeated_again) == (False, True)
    assert first == again
    other = ActionRequest(subscription_code="S-A", behaviour=Behaviour.CANCEL, performed_on=TODAY)
    with zx.nothing_changes(), pytest.raises(IdempotencyKeyReused):
        submit_action(tenant=zx.tenant, request=other, actor="anna", idempotency_key="k-1")


def test_only_what_is_scheduled_is_called_off(zx: ABroadcaster) -> None:
    answer = zx.act(Behaviour.CANCEL, "S-A", "2026-08-01")
    call_off_action(tenant=zx.tenant, action_id=answer["action"], actor="anna", reason="stays")
    with zx.nothing_changes(), pytest.raises(ActionNotScheduled, match="is cancelled; only a scheduled one"):
        call_off_action(tenant=zx.tenant, action_id=answer["action"], actor="anna")
    with zx.nothing_changes(), pytest.raises(ActionNotScheduled, match="does not exist"):
        call_off_action(tenant=zx.tenant, action_id=1, actor="anna")
    zx.on("2026-08-01")
    assert zx.execute_scheduled().performed == 0
    assert zx.state("S-A") == "effective"
