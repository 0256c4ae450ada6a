"""An integrator's year: a token, a sale done once, actions previewed, scheduled and called off, a bill, a new secret."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from coax.base.clock import tenant_now
from coax.base.tenancy import RUN_ALIAS, tenant_transaction
from coax.party.operations.save_credentials import revoke_credential, rotate_credential
from coax.party.types import CredentialKind
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.facts import lock_facts
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.integrators import AnIntegrator, a_credential, an_integrator

SALE: dict[str, Any] = {
    "account": "A",
    "type": "normal",
    "scheme": "normal-bt",
    "frequency": "monthly",
    "products": ["gold", "football"],
}


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    operator = a_broadcaster()
    operator.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-08-01"}])
    operator.on("2026-07-10")
    return operator


@pytest.fixture
def shop(zx: ABroadcaster) -> AnIntegrator:
    return an_integrator(zx.tenant)


def test_a_sale_with_a_key_is_done_once(zx: ABroadcaster, shop: AnIntegrator) -> None:
    first = shop.post("/subscriptions", SALE, key="order-1")
    assert (first.status, first.json["subscription"], first.json["state"]) == (201, "A-2", "effective")
    assert "Idempotency-Replayed" not in first.headers
    again = shop.post("/subscriptions", SALE, key="order-1")
    assert (again.status, again.json, again.headers["Idempotency-Replayed"]) == (201, first.json, "true")
    with zx.nothing_changes():
        other = shop.post("/subscriptions", {**SALE, "products": ["gold"]}, key="order-1")
        missing = shop.post("/subscriptions", SALE)
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert (missing.status, missing.code, missing.json["errors"][0]["field"]) == (422, "request_invalid", "Idempotency-Key")
    zx.on("2026-07-11")  # the key keeps what was asked, not what followed from the day of asking
    assert shop.post("/subscriptions", SALE, key="order-1").json == first.json
    assert [row["subscription"] for row in shop.get("/subscriptions", account="A").json["data"]] == ["A-2", "S-A"]
    assert [(a.behaviour, a.submitted_by[:6]) for a in zx.actions("A-2")] == [("create_activate", "token:")]
