"""An integrator's story: sales done once, actions previewed, scheduled and called off, money and bills, conflicts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction

from coax.base.tenancy import RUN_ALIAS
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.integrators import AnIntegrator, Answered, an_integrator

SALE: dict[str, Any] = {
    "account": "A",
    "type": "normal",
    "scheme": "normal-bt",
    "frequency": "monthly",
    "products": ["gold", "football"],
}


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    rate = "      - { product: eurosports-1, frequency: monthly, price: 12.50 }"
    operator = a_broadcaster(rates=f"{rate} -> {rate}\n      - {{ product: decoder, price: 49.90 }}")
    operator.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-08-01"}])
    operator.on("2026-07-10")
    return operator


@pytest.fixture
def shop(zx: ABroadcaster) -> AnIntegrator:
    return an_integrator(zx.tenant, name="shop")


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
    assert (missing.status, missing.json["errors"][0]["field"]) == (422, "Idempotency-Key")
    zx.on("2026-07-11")  # the key keeps what was asked, not what followed from the day of asking
    assert shop.post("/subscriptions", SALE, key="order-1").json == first.json
    assert [row["subscription"] for row in shop.get("/subscriptions", account="A").json["data"]] == ["A-2", "S-A"]
    assert [(a.behaviour, a.submitted_by) for a in zx.actions("A-2")] == [("create_activate", "token:shop")]
    assert zx.broken_promises() == []


def test_a_key_sent_by_many_at_once_is_done_once(zx: ABroadcaster, shop: AnIntegrator) -> None:
    def pay(_: int) -> Answered:
        try:
            return AnIntegrator(shop.secret).post("/accounts/A/payments", {"amount": "5.00"}, key="once")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(pay, range(8)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 7
    assert shop.get("/accounts/A").json["balance"] == "-5.00"
    assert zx.broken_promises() == []


def test_what_may_not_be_sold_says_the_rule(zx: ABroadcaster, shop: AnIntegrator) -> None:
    with zx.nothing_changes():
        refused = shop.post("/subscriptions", {**SALE, "products": ["football"]}, key="1")
        unknown = shop.post("/subscriptions", {**SALE, "account": "B"}, key="2")
        later = shop.post("/subscriptions", {**SALE, "performed_on": "2026-07-11"}, key="3")
    assert (refused.status, refused.code) == (409, "action_refused")
    assert (unknown.status, unknown.code) == (422, "account_unknown")  # named in the body: the address is right
    assert unknown.json["errors"] == [{"field": "account_code", "message": "There is no account 'B'.", "value": "B"}]
    assert (later.status, later.json["errors"][0]["field"]) == (409, "performed_on")
    draft = shop.post("/subscriptions", {**SALE, "draft": True}, key="4")
    assert (draft.json["state"], zx.services("A-2")) == ("draft", {"gold": "draft", "football": "draft"})


def test_an_action_is_previewed_and_performed(zx: ABroadcaster, shop: AnIntegrator) -> None:
    zx.bill("2026-07-20", "2026-08-01")
    zx.on("2026-08-03")
    rest = {"behaviour": "rest", "ends_on": "2026-08-17", "reason": "holiday"}
    with zx.nothing_changes():
        preview = shop.post("/subscriptions/S-A/actions/preview", rest)
    assert preview.status == 200
    assert preview.json["changes"][0] == "subscription: in resting from 2026-08-03 until 2026-08-17"
    lines = [line for section in preview.json["bill"]["subscriptions"] for line in section["lines"]]
    assert [(line["kind"], line["net"]) for line in lines] == [("credit", "-29.00")]
    done = shop.post("/subscriptions/S-A/actions", rest, key="rest-1")
    assert (done.status, done.json["state"], done.json["changes"]) == (201, "executed", preview.json["changes"])
    again = shop.post("/subscriptions/S-A/actions", rest, key="rest-1")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (done.json, "true")
    shown = shop.get("/subscriptions/S-A").json
    assert (shown["state"], shown["services"][0]["directive"]) == ("in_resting", "to_be_credited")
    assert shown["term"]["scheme"] == "normal-bt"
    before = shop.get("/subscriptions/S-A", as_of="2026-08-02").json
    assert (before["state"], before["as_of"]) == ("effective", "2026-08-02")
    refused = shop.post("/subscriptions/S-A/actions", rest)
    assert (refused.status, refused.code) == (409, "action_refused")
    assert zx.broken_promises() == []


def test_an_action_is_scheduled_and_called_off(zx: ABroadcaster, shop: AnIntegrator) -> None:
    scheduled = shop.post("/subscriptions/S-A/actions", {"behaviour": "cancel", "performed_on": "2026-08-01"})
    assert (scheduled.json["state"], scheduled.json["on"]) == ("scheduled", "2026-08-01")
    key = scheduled.json["action"]
    assert [row["action"] for row in shop.get("/actions", state="scheduled").json["data"]] == [key]
    off = shop.post(f"/actions/{key}/cancel", {"reason": "stays with us"})
    assert (off.status, off.json["state"], off.json["detail"]) == (200, "cancelled", "stays with us")
    assert shop.get(f"/actions/{key}").json == off.json
    twice = shop.post(f"/actions/{key}/cancel")
    assert (twice.status, twice.code) == (409, "action_not_scheduled")
    assert shop.get("/actions", state="scheduled").json == {"data": [], "next": None}
    assert shop.post("/actions/999999999/cancel").code == "action_unknown"


def test_who_comes_second_is_told_so(zx: ABroadcaster, shop: AnIntegrator) -> None:
    rest = {"behaviour": "rest", "ends_on": "2026-07-24"}
    with transaction.atomic(using=RUN_ALIAS):
        zx.execute("SELECT 1 FROM subscription_subscription WHERE tenant_id = %s FOR UPDATE", zx.tenant.id)
        held = shop.post("/subscriptions/S-A/actions", rest)
    assert (held.status, held.code) == (409, "subscription_busy")
    assert shop.post("/subscriptions/S-A/actions", rest).status == 201


def test_money_is_posted_once_and_shown_exactly(zx: ABroadcaster, shop: AnIntegrator) -> None:
    zx.bill("2026-07-20", "2026-08-01")
    bill = shop.get("/bills", account="A").json["data"][0]
    assert (bill["total_to_be_paid"], bill["currency"], bill["status"]) == ("36.89", "EUR", "unsettled")
    document = shop.get(f"/bills/{bill['number']}").json
    assert (document["schema"], document["total_to_be_paid"]) == ("coax.bill/1", "36.89")
    pdf = shop.get(f"/bills/{bill['number']}/pdf")
    assert (pdf.headers["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    payment = {"amount": "30.00", "reference": "transfer 7", "against_bill": bill["number"]}
    paid = shop.post("/accounts/A/payments", payment, key="bank-7")
    assert (paid.status, paid.json["balance"], paid.json["settled"]) == (
        201,
        "6.89",
        [{"bill": bill["number"], "amount": "30.00"}],
    )
    again = shop.post("/accounts/A/payments", payment, key="bank-7")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (paid.json, "true")
    note = shop.post("/accounts/A/credit-notes", {"net": "1.00", "tax": "0.19", "reason": "outage"}, key="c-1")
    off = shop.post("/accounts/A/write-offs", {"amount": "5.70", "reason": "goodwill"}, key="w-1")
    assert (note.json["balance"], off.json["balance"]) == ("5.70", "0.00")
    statement = shop.get("/accounts/A").json
    assert (statement["balance"], [row["kind"] for row in statement["postings"]]) == (
        "0.00",
        ["write_off", "credit_note", "payment", "invoice"],
    )
    for body, code in (
        ({"amount": "0"}, "payment_not_positive"),
        ({"amount": "1.005"}, "invalid_amount"),
        ({"amount": "1", "on": "2026-07-21"}, "payment_in_the_future"),
        ({"amount": "1", "against_bill": "99"}, "bill_unknown"),
        ({"amount": 1.5}, "request_invalid"),
    ):
        refused = shop.post("/accounts/A/payments", body, key="new")
        assert (refused.status, refused.code) == (422, code)
    assert zx.broken_promises() == []


def test_a_charge_and_an_account_billed_at_once(zx: ABroadcaster, shop: AnIntegrator) -> None:
    charge = {"product": "decoder", "agreed_price": "50.00", "quantity": 2}
    added = shop.post("/subscriptions/S-A/charges", charge, key="d-1")
    assert (added.status, added.json["performed_on"]) == (201, "2026-07-10")
    again = shop.post("/subscriptions/S-A/charges", charge, key="d-1")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (added.json, "true")
    preview = shop.get("/accounts/A/next-bill", bill_as_of="2026-08-01").json["bill"]
    assert [line["net"] for line in preview["one_time"]] == ["100.00"]
    assert preview["total"] == "155.89"
    made = shop.post("/accounts/A/bills", {"bill_as_of": "2026-08-01"}, key="b-1")
    assert made.status == 201
    assert shop.post("/accounts/A/bills", {"bill_as_of": "2026-08-01"}, key="b-1").json == made.json
    assert shop.get(f"/bills/{made.json['bill']}").json["total"] == preview["total"]
    assert shop.get(f"/runs/{made.json['run']}").json["kind"] == "individual"
