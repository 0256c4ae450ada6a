"""Money at the keyboard and over the API, from receipt to refund."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coax.base.tenancy import Tenant
from coax.interfaces.cli.main import app
from coax.party.types import StaffRole
from tests.builders.billed_operators import a_billed_operator
from tests.builders.broadcasters import a_broadcaster
from tests.builders.consoles import at_console
from tests.builders.integrators import an_integrator


@pytest.fixture
def operator(database: str, tmp_path: Path) -> Tenant:
    return a_billed_operator(tmp_path, receivable="refund_approval_above: 20")


def coax(tenant: Tenant, *words: str, ends_with: int = 0) -> Any:
    result = CliRunner().invoke(app, [*words, "--tenant", tenant.code, "--json"])
    assert result.exit_code == ends_with, result.output
    return json.loads(result.output)


def test_money_at_the_keyboard(operator: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "anna")
    modes = {row["mode"]: row for row in coax(operator, "payment", "modes")["modes"]}
    assert modes["bank-cash"] == {
        "mode": "bank-cash",
        "name": "Payment at bank in cash",
        "payers": "dealer",
        "asks": "receipt_number",
        "approval": "a second person",
        "state": "active",
    }
    cheque = ("--mode", "cheque", "--with", "cheque_number=4711", "--with", "bank=First Bank")
    paid = coax(operator, "payment", "add", "ada", "60", *cheque, "--idempotency-key", "k-1")
    assert (paid["state"], paid["balance"], paid["recorded_by"]) == ("posted", "50.08", "anna")
    assert coax(operator, "payment", "add", "ada", "60", *cheque, "--idempotency-key", "k-1")["repeated"] is True
    number = str(paid["payment"])
    settled = coax(operator, "payment", "allocate", number, "ZX-00000006=55.04")
    assert (settled["not_allocated"], {row["bill"] for row in settled["settled"]}) == ("4.96", {"ZX-00000006"})
    moved = coax(operator, "payment", "transfer", number, "ben", "--amount", "4.96", "--reason", "meant for Ben")
    assert (moved["account"], moved["amount"]) == ("ben", "4.96")
    listed = coax(operator, "payment", "list")["payments"]
    assert [(row["account"], row["amount"], row["moved"]) for row in listed] == [
        ("ben", "4.96", "0.00"),
        ("ada", "60.00", "4.96"),
    ]
    refused = coax(operator, "payment", "cancel", number, "--reason", "bounced", ends_with=1)
    assert refused["code"] == "payment_refused"
    coax(operator, "payment", "transfer", str(moved["payment"]), "ada")
    shown = CliRunner().invoke(app, ["payment", "show", number, "--tenant", operator.code]).output
    assert shown.startswith("Received 60.00 EUR of account ada on 2026-09-15.\n")
    assert f"  payment {number}, by cheque\n" in shown
    waiting = ("--mode", "bank-cash", "--payer", "dealer", "--with", "receipt_number=R-1")
    pending = str(coax(operator, "payment", "add", "ben", "5", *waiting)["payment"])
    assert "a second person" in coax(operator, "payment", "approve", pending, ends_with=1)["message"]
    monkeypatch.setenv("LOGNAME", "otto")
    assert coax(operator, "payment", "reject", pending, "--reason", "no such receipt")["state"] == "rejected"
    coax(operator, "payment", "add", "ben", "200")
    large = coax(operator, "refund", "add", "ben", "30", "--reason", "paid twice")
    monkeypatch.setenv("LOGNAME", "anna")
    assert coax(operator, "refund", "approve", str(large["refund"]))["state"] == "posted"
    assert [row["state"] for row in coax(operator, "refund", "list", "--account", "ben")["refunds"]] == ["posted"]


def test_money_over_the_api(operator: Tenant) -> None:
    program, second = (an_integrator(operator, name=name) for name in ("desk", "chief"))
    body = {
        "amount": "60",
        "mode": "cheque",
        "details": {"cheque_number": "4711", "bank": "First Bank"},
        "against_bill": "ZX-00000006",
    }
    paid = program.post("/accounts/ada/payments", body, key="k-1")
    assert (paid.status, paid.json["state"], paid.json["balance"]) == (201, "posted", "50.08")
    assert program.post("/accounts/ada/payments", body, key="k-1").json == paid.json
    address = f"/payments/{paid.json['payment']}"
    assert program.get(address).json["settled"][0]["bill"] == "ZX-00000006"
    wrong = program.post("/accounts/ada/payments", {**body, "mode": "barter"}, key="k-2")
    assert (wrong.status, wrong.json["code"]) == (422, "payment_refused")
    settled = program.post(f"{address}/allocation", {"bills": [{"bill": "ZX-00000001", "amount": "10"}]})
    assert (settled.json["not_allocated"], settled.json["settled"][0]["bill"]) == ("50.00", "ZX-00000001")
    unknown = program.post(f"{address}/transfer", {"account": "nobody"}, key="k-3")
    assert unknown.status == 422
    moved = program.post(f"{address}/transfer", {"account": "ben", "amount": "10"}, key="k-4")
    assert (moved.status, moved.json["account"], moved.json["came_from_payment"]) == (201, "ben", paid.json["payment"])
    other = program.post("/accounts/ben/payments", {"amount": "200"}, key="k-5").json["payment"]
    back = program.post("/accounts/ben/refunds", {"amount": "30", "reason": "twice", "payment": other}, key="k-6")
    assert (back.status, back.json["state"], back.json["mode"]) == (201, "pending", "cash")
    refund = f"/refunds/{back.json['refund']}"
    assert program.post(f"{refund}/approve", {}).status == 422
    assert second.post(f"{refund}/approve", {}).json["state"] == "posted"
    assert second.post(f"{refund}/reject", {"reason": "late"}).status == 422
    assert [row["refund"] for row in program.get("/refunds", account="ben").json["data"]] == [back.json["refund"]]
    cancelled = program.post(f"/payments/{other}/cancel", {"reason": "chargeback"}, key="k-7")
    assert (cancelled.status, "given back" in cancelled.json["detail"]) == (422, True)
    rows = program.get("/payments", limit=2).json
    assert ([row["account"] for row in rows["data"]], rows["next"] is not None) == (["ben", "ben"], True)
    assert an_integrator(a_broadcaster().tenant, name="other").get(address).status == 404


def test_money_at_the_console(operator: Tenant) -> None:
    clerk = at_console(operator, StaffRole.CLERK)
    assert "/console/payments/from/ada" in clerk.get("accounts/of/ada").text
    asked = clerk.get("payments/from/ada").form(mode="cheque", against_bill="ZX-00000006")
    assert asked["amount"] == ["110.08"]
    refused = clerk.post("payments/from/ada", asked)
    assert (refused.status, "cheque_number: a payment by cheque has to tell it" in refused.text) == (409, True)
    values = {**asked, "amount": "60", "cheque_number": "4711", "bank": "First Bank"}
    shown = clerk.follow(clerk.post("payments/from/ada", values))
    clerk.post("payments/from/ada", values)  # the same form sent twice
    assert "60.00 EUR is received; the balance is 50.08." in shown.text
    listed = clerk.get("payments/", mode="cheque").text
    assert listed.count("/console/payments/of/") == 1
    number = re.search(r"payments/of/(\d+)/", listed)[1]  # type: ignore[index]
    moved = clerk.follow(clerk.post(f"payments/of/{number}/do/transfer", {"account": "ben", "amount": "10"}))
    assert "is moved." in moved.text
    assert "move it back first" in clerk.follow(clerk.post(f"payments/of/{number}/do/cancel", {"reason": "x"})).text
    waiting = {**asked, "mode": "bank-cash", "payer": "dealer", "receipt_number": "R-1", "against_bill": "", "key": "k"}
    own = clerk.follow(clerk.post("payments/from/ben", {**waiting, "amount": "5"}))
    assert "You recorded it; somebody else decides." in own.text
    chief = at_console(operator, StaffRole.ADMINISTRATOR)
    pending = re.search(r"Payment (\d+)</a>", chief.get("payments/").text)[1]  # type: ignore[index]
    assert "is approved and posted" in chief.follow(chief.post(f"payments/of/{pending}/do/approve", {})).text
    clerk.post("payments/from/ben", {**clerk.get("payments/from/ben").form(), "amount": "200"})
    asked = clerk.get("payments/back/to/ben").form(reason="paid twice")
    clerk.post("payments/back/to/ben", {**asked, "amount": "30"})
    page = chief.get("payments/").text
    refund = re.search(r"payments/back/(\d+)/do/approve", page)[1]  # type: ignore[index]
    assert "is given back." in chief.follow(chief.post(f"payments/back/{refund}/do/approve", {})).text
    assert at_console(operator, StaffRole.AUDITOR).get("payments/from/ada").status == 403
