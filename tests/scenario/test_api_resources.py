"""What each resource of the API shows and does, beside the integrator's story."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.commands import count_waiting, end_waiting, locked, wait_until
from tests.builders.integrators import AnIntegrator, Answered, an_integrator

FORM = "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    operator = a_broadcaster()
    operator.subscribe(tmp_path, [{"account_code": code, "product": "silver"} for code in ("A", "B", "C/1")])
    operator.on("2026-07-10")
    return operator


@pytest.fixture
def program(zx: ABroadcaster) -> AnIntegrator:
    return an_integrator(zx.tenant, name="program")


def read_pages(program: AnIntegrator, path: str, limit: int, **query: Any) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = program.get(path, limit=limit, **query, **cursor)
        assert answer.status == 200, answer
        pages.append(answer.json["data"])
        if answer.json["next"] is None:
            return pages
        cursor = {"cursor": answer.json["next"]}


def test_the_document_and_its_page_need_no_token(database: str) -> None:
    client = Client(SERVER_NAME="localhost")
    document = client.get("/api/v1/openapi.json").json()
    assert (document["openapi"], document["info"]["title"]) == ("3.1.0", "Coax")
    page = client.get("/api/v1/docs")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert loaded
    for address in loaded:
        assert address.startswith("/static/ninja/")
        assert client.get(address).status_code == 200


def test_every_operation_declares_its_scope_and_its_refusals(database: str) -> None:
    document = Client(SERVER_NAME="localhost").get("/api/v1/openapi.json").json()
    known = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    asked = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"].items()
            refusals = {status for status, answer in answers if PROBLEM in answer.get("content", {})}
            assert {"429", "500", "503"} <= refusals, path
            if path.endswith("/oauth/token"):
                continue
            assert {"401", "403", "422"} <= refusals, path
            assert ("404" in refusals) == ("{" in path)
            assert ({"400", "413", "415"} <= refusals) == (method in {"post", "patch"})
            by_token, by_client = operation["security"]
            assert by_token["token"] == by_client["oauth2"]
            asked.update(by_token["token"])
    assert asked == set(known)
    assert '"type": "number"' not in json.dumps(document)  # amounts are text; nothing is a float


@pytest.mark.parametrize(
    ("path", "key", "codes"),
    [
        ("/accounts", "account", ["A", "B", "C/1"]),
        ("/contacts", "contact", ["A", "B", "C/1"]),
        ("/subscriptions", "subscription", ["S-A", "S-B", "S-C/1"]),
    ],
)
def test_lists_come_in_pages(program: AnIntegrator, path: str, key: str, codes: list[str]) -> None:
    for limit, sizes in ((1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (500, [3])):
        pages = read_pages(program, path, limit)
        assert [len(page) for page in pages] == sizes
        assert [row[key] for page in pages for row in page] == codes


def test_runs_bills_actions_and_items_come_in_pages(zx: ABroadcaster, program: AnIntegrator) -> None:
    zx.bill("2026-07-20", "2026-07-01")
    zx.bill("2026-07-20", "2026-08-01")
    assert [row["run"] for page in read_pages(program, "/runs", 1) for row in page] == [2, 1]
    bills = [row["number"] for page in read_pages(program, "/bills", 2) for row in page]
    assert bills == [f"ZX-0000000{number}" for number in range(1, 7)]
    assert [row["run"] for page in read_pages(program, "/bills", 2, run=2) for row in page] == [2, 2, 2]
    for day in ("2026-08-01", "2026-08-02", "2026-08-03"):
        program.post("/subscriptions/S-A/actions", {"behaviour": "cancel", "performed_on": day})
    days = [row["performed_on"] for page in read_pages(program, "/actions", 2, subscription="S-A") for row in page]
    assert days == ["2026-08-03", "2026-08-02", "2026-08-01"]
    program.post("/locations", {"location": "store", "name": "Store"})
    for good, serial in (("smartcard", "1"), ("decoder", "2"), ("decoder", "1")):
        receipt = {"serial": serial, "good": good, "location": "store", "reason": "bought"}
        assert program.post("/items", receipt).status == 201
    items = [(row["good"], row["serial"]) for page in read_pages(program, "/items", 1) for row in page]
    assert items == [("decoder", "1"), ("decoder", "2"), ("smartcard", "1")]
    unclear = program.get("/items/1")
    assert (unclear.status, unclear.code, unclear.json["errors"][0]["allowed"]) == (
        409,
        "item_unclear",
        "decoder, smartcard",
    )
    assert program.get("/items/1", good="smartcard").json["good"] == "smartcard"


def test_a_cursor_belongs_to_its_list(zx: ABroadcaster, program: AnIntegrator) -> None:
    cursor = program.get("/accounts", limit=1).json["next"]
    for answer in (
        program.get("/contacts", cursor=cursor),
        program.get("/accounts", cursor=cursor, text="A"),
        program.get("/accounts", cursor=cursor[:-1]),
        program.get("/accounts", cursor="WyJBIl0"),
        an_integrator(a_broadcaster().tenant).get("/accounts", cursor=cursor),
    ):
        assert (answer.status, answer.code) == (422, "cursor_invalid")
    assert program.get("/accounts", cursor=cursor, limit=500).json["data"][0]["account"] == "B"
    for limit in ("0", "501", "x", "1.5"):
        assert program.get("/accounts", limit=limit).code == "request_invalid"


def test_codes_may_hold_slashes(program: AnIntegrator) -> None:
    assert program.get("/accounts/C/1").json["account"] == "C/1"
    assert program.get("/subscriptions/S-C/1").json["account"] == "C/1"
    paid = program.post("/accounts/C%2F1/payments", {"amount": "1.00"}, key="1")
    assert (paid.status, paid.json["balance"]) == (201, "-1.00")


def test_what_is_wrong_with_a_request_is_said(program: AnIntegrator) -> None:
    location = {"location": "l", "name": "L"}
    for answer, status, code, field in (
        (program.get("/accounts", unknown="1"), 422, "parameter_unknown", "unknown"),
        (program.get("/accounts", limit=["1", "2"]), 422, "parameter_unknown", "limit"),
        (program.post("/locations", {**location, "colour": "red"}), 422, "request_invalid", "colour"),
        (program.post("/locations", {"location": "l"}), 422, "request_invalid", "name"),
        (program.post("/locations", {**location, "is_consigned": "yes"}), 422, "request_invalid", "is_consigned"),
        (program.post("/locations", {**location, "name": "a\x00b"}), 422, "request_invalid", "name"),
        (program.post("/locations", {**location, "organisational_unit": "x"}), 422, "entity_not_found", None),
        (program.post("/locations", []), 422, "request_invalid", None),
        (program.ask("POST", "/locations", body="{"), 400, "body_unreadable", None),
        (program.ask("POST", "/locations", body=b"\xff"), 400, "body_unreadable", None),
        (program.ask("POST", "/locations", body='{"location": NaN}'), 400, "body_unreadable", None),
        (program.ask("POST", "/locations", body='{"name": "a", "name": "b"}'), 400, "body_unreadable", None),
        (program.ask("POST", "/locations", body="[" * 100_000), 400, "body_unreadable", None),
        (program.ask("POST", "/locations", body="a=b", content_type=FORM), 415, "media_type_unsupported", None),
        (program.ask("POST", "/locations", body=" " * 3_000_000), 413, "request_entity_too_large", None),
        (program.get("/nothing"), 404, "not_found", None),
        (program.ask("DELETE", "/accounts"), 405, "method_not_allowed", None),
        (program.get("/accounts/Z"), 404, "account_unknown", "account_code"),
        (program.get("/runs/1"), 404, "run_unknown", "run"),
        (program.get("/runs/99999999999999999999"), 422, "request_invalid", "run"),
        (program.get("/bills/x"), 422, "invalid_bill_number", "given"),
        (program.get("/bills/7"), 404, "bill_unknown", "bill"),
        (program.get("/bills", account="Z"), 422, "account_unknown", "account_code"),
        (program.get("/configuration/colours"), 404, "entity_not_found", "section"),
        (program.get("/subscriptions/S-A", as_of="2026-02-30"), 422, "request_invalid", "as_of"),
    ):
        assert (answer.status, answer.code) == (status, code), answer
        if field:
            assert answer.json["errors"][0]["field"] == field, answer
        assert answer.json["instance"] == f"urn:uuid:{answer.headers['X-Request-Id']}"
    assert program.ask("DELETE", "/accounts").headers["Allow"] == "GET, POST"
    assert program.get("/locations").json["data"] == []
    assert program.post("/locations", {"location": "l", "name": "x", "is_consigned": 1}).json["errors"] == [
        {"field": "is_consigned", "message": "Input should be a valid boolean", "value": "1"}
    ]


def test_a_fault_of_ours_is_admitted_and_taken_back(
    program: AnIntegrator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(**_: object) -> None:
        raise RuntimeError("broken for the test")

    monkeypatch.setattr("coax.interfaces.api.rest.routes.accounts.get_account_statement", break_down)
    answer = program.get("/accounts/A")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "broken" not in answer.json["detail"]


def test_an_account_is_opened_for_a_new_contact_and_for_a_known_one(zx: ABroadcaster, program: AnIntegrator) -> None:
    contact = {"name": "Dora Ernst", "email": "dora@example.org", "city": "Hamburg", "locale": "de_DE"}
    body = {"account": "D", "contact": contact, "credit_limit": "250.00"}
    opened = program.post("/accounts", body, key="d")
    assert (opened.status, opened.json) == (201, {"account": "D", "contact": "D"})
    again = program.post("/accounts", body, key="d")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (opened.json, "true")
    second = program.post("/accounts", {"account": "D2", "contact_code": "D"})
    assert second.json == {"account": "D2", "contact": "D"}
    assert program.get("/contacts/D").json["accounts"] == ["D", "D2"]
    shown = program.get("/accounts/D").json
    assert (shown["balance"], shown["credit_limit"], shown["contact"]["email"]) == (
        "0.00",
        "250.00",
        "dora@example.org",
    )
    assert [row["account"] for row in program.get("/accounts", text="dora").json["data"]] == ["D", "D2"]
    sale = {"account": "D", "type": "normal", "scheme": "normal-bt", "frequency": "monthly", "products": ["gold"]}
    assert program.post("/subscriptions", sale, key="s").json["subscription"] == "D-1"
    for wrong, status, field in (
        ({"account": "D"}, 409, "account"),
        ({"account": "E"}, 422, "contact_code"),
        ({"account": "E", "contact_code": "D", "contact": {}}, 409, "contact_code"),
        ({"account": "E", "contact": {"email": "none"}}, 422, "contact.email"),
        ({"account": "E", "contact": {}, "classification": "royal"}, 422, "classification"),
        ({"account": "E", "contact": {}, "credit_limit": "-1"}, 422, "credit_limit"),
        ({"account": "E", "contact": {}, "credit_limit": "1.005"}, 422, None),
        ({"account": "E", "contact": {}, "credit_rating": "none-such"}, 422, "credit_rating"),
    ):
        refused = program.post("/accounts", wrong)
        assert refused.status == status, refused
        assert field in {None, refused.json["errors"][0]["field"]}
    assert program.get("/contacts/E").status == 404
    assert zx.broken_promises() == []


def test_an_item_goes_through_its_life(zx: ABroadcaster, program: AnIntegrator) -> None:
    for code in ("store", "shop"):
        program.post("/locations", {"location": code, "name": code.title()})
    for good, serial in (("decoder", "D1"), ("decoder", "D2"), ("smartcard", "S1")):
        receipt = {"serial": serial, "good": good, "location": "store", "reason": "bought", "mac": ""}
        program.post("/items", receipt)
    why = {"reason": "because"}
    sub = {"subscription": "S-A", **why}
    for path, body, state in (
        ("/items/D1/transfer", {"location": "shop", **why}, "in_stock"),
        ("/items/D1/reserve", sub, "reserved"),
        ("/items/D1/unreserve", why, "in_stock"),
        ("/items/D1/install", sub, "installed"),
        ("/items/S1/install", sub, "installed"),
        ("/items/D1/pair", {"other": "S1", **why}, "installed"),
        ("/items/D1/unpair", why, "installed"),
        ("/items/D1/swap", {"new": "D2", "location": "store", "condition": "defective", **why}, "installed"),
        ("/items/D1/test", {"condition": "used", **why}, "in_stock"),
        ("/items/D2/return", {"location": "store", **why}, "returned"),
        ("/items/D1/lose", why, "lost"),
        ("/items/D1/find", {"location": "shop", **why}, "returned"),
        ("/items/D1/write-off", why, "written_off"),
    ):
        done = program.post(path, body, key=path)
        assert (done.status, done.json["state"]) == (200, state), (path, done)
        again = program.post(path, body, key=path)
        assert (again.json, again.headers["Idempotency-Replayed"]) == (done.json, "true")
    assert [row["serial"] for row in program.get("/subscriptions/S-A/items").json["data"]] == ["S1"]
    history = program.get("/items/D1").json["history"]
    assert [move["verb"] for move in history][:4] == ["receive", "transfer", "reserve", "unreserve"]
    assert {move["actor"] for move in history} == {"token:program"}
    gone = program.post("/items/D1/install", sub)
    assert (gone.status, gone.code) == (409, "item_state_refused")
    assert program.post("/items/S1/transfer", {"location": "moon", **why}).status == 422
    assert program.get("/items", location="store", state="returned").json["data"][0]["serial"] == "D2"
    assert zx.broken_promises() == []


def test_a_run_is_begun_looked_at_and_posted(zx: ABroadcaster, program: AnIntegrator) -> None:
    body = {"execution_date": "2026-07-20", "bill_as_of": "2026-08-01"}
    begun = program.post("/runs", body, key="august")
    assert (begun.status, begun.json["run"], begun.json["state"], begun.json["created_by"]) == (
        202,
        1,
        "draft",
        "token:program",
    )
    _wait_for_runs()
    again = program.post("/runs", body, key="august")
    assert (again.json["run"], again.headers["Idempotency-Replayed"]) == (1, "true")
    open_one = program.post("/runs", {**body, "bill_as_of": "2026-09-01"}, key="september")
    assert (open_one.status, open_one.code) == (409, "run_already_open")
    shown = program.get("/runs/1").json
    assert (shown["state"], shown["bills"], shown["total"]) == ("assembling", 3, "885.36")
    assert (shown["execution"]["is_executing"], shown["execution"]["problem"]) == (False, None)
    assert program.get("/bills").json["data"] == []
    assert program.post("/runs/1/execute", {"until": "formatting"}).status == 202
    _wait_for_runs()
    assert program.get("/runs/1").json["state"] == "completed"
    assert len(program.get("/bills", run=1).json["data"]) == 3
    for verb, sent in (("execute", {"until": "formatting"}), ("cancel", {})):
        assert program.post(f"/runs/1/{verb}", sent).status == 409
    only = program.post("/runs", {"accounts": ["A"], "bill_as_of": "2026-09-01", "dry_run": True}, key="dry")
    _wait_for_runs()
    assert program.post(f"/runs/{only.json['run']}/cancel").json["state"] == "cancelled"
    unknown = program.post("/runs", {"accounts": ["Z"]}, key="x")
    assert (unknown.status, unknown.code) == (422, "account_unknown")
    assert program.post("/runs", {"schemes": ["z"]}, key="y").code == "criterion_unknown"
    assert zx.broken_promises() == []


def _wait_for_runs() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("run "):
            thread.join()


def test_configuration_is_read_and_applied(zx: ABroadcaster, program: AnIntegrator) -> None:
    kinds = {row["section"]: row["entities"] for row in program.get("/configuration").json["data"]}
    assert (kinds["price_plans"], "products" in kinds) == (2, True)
    codes = [row["code"] for page in read_pages(program, "/configuration/products", 2) for row in page]
    assert codes == sorted(codes)
    assert len(codes) == kinds["products"]
    gold = program.get("/configuration/products/gold").json
    assert (gold["name"], gold["spec"]["class"], gold["effective_date"]) == ("Gold", "termed", None)
    document = {"products": [{"code": "cinema", "name": "Cinema", "class": "termed", "tax_class": "standard"}]}
    dry = program.post("/configuration", {"document": document, "dry_run": True})
    assert (dry.status, dry.json["changed"][0]["action"], dry.json["dry_run"]) == (200, "created", True)
    assert program.get("/configuration/products/cinema").status == 404
    applied = program.post("/configuration", {"document": document}, key="cinema")
    assert [change["code"] for change in applied.json["changed"]] == ["cinema"]
    assert program.get("/configuration/products/cinema").json["spec"]["tax_class"] == "standard"
    wrong = {"products": [{"code": "x", "name": "X", "class": "none", "tax_class": "moon"}], "colours": []}
    refused = program.post("/configuration", {"document": wrong})
    assert (refused.status, refused.code) == (422, "configuration_refused")
    assert "products[0].class" in {found["field"] for found in refused.json["errors"]}
    own = program.post("/configuration", {"document": {"operator": {"code": "other"}}})
    assert (own.status, own.code) == (422, "operator_not_allowed")
    authors = zx.rows("SELECT DISTINCT actor FROM base_audit_entry WHERE tenant_id = %s AND actor LIKE 'token%%'")
    assert authors == [{"actor": "token:program"}]


def test_subscriptions_are_found_by_account_and_state(zx: ABroadcaster, program: AnIntegrator) -> None:
    program.post("/subscriptions/S-B/actions", {"behaviour": "deactivate"})
    for query, found in (
        ({"account": "B"}, ["S-B"]),
        ({"state": "effective"}, ["S-A", "S-C/1"]),
        ({"state": "not_effective"}, ["S-B"]),
        ({"account": "A", "state": "not_effective"}, []),
    ):
        assert [row["subscription"] for row in program.get("/subscriptions", **query).json["data"]] == found
    assert program.get("/subscriptions", state="asleep").code == "request_invalid"
    assert program.get("/subscriptions", account="Z").status == 422


def test_a_service_is_ended(zx: ABroadcaster, program: AnIntegrator) -> None:
    ended = program.post("/subscriptions/S-A/services/silver/end", {"on": "2026-07-31"})
    assert (ended.status, ended.json["effective_to"], ended.json["to_be_credited"]) == (200, "2026-07-31", False)
    assert program.post("/subscriptions/S-A/services/gold/end", {}).code == "service_unknown"


def test_a_job_goes_from_its_order_to_its_bill(zx: ABroadcaster, program: AnIntegrator) -> None:
    program.post("/locations", {"location": "store", "name": "Store"})
    program.post("/items", {"serial": "D1", "good": "decoder", "location": "store", "reason": "bought"})
    sale = {"type": "normal", "scheme": "normal-bt", "products": ["eurosports-1"], "frequency": "monthly"}
    wanted = {"account": "A", "type": "new-connection", "sale": sale, "lines": [{"product": "decoder"}]}
    assert program.post("/jobs", wanted).code == "request_invalid"
    done = program.post("/jobs", wanted, key="order")
    assert (done.status, done.json) == (201, {"job": "J-1", "state": "pending"})
    assert program.post("/jobs", wanted, key="order").headers["Idempotency-Replayed"] == "true"
    quoted = program.post("/jobs/J-1/quote").json
    assert quoted["is_affordable"]
    assert quoted["changes"][0].startswith("subscription A-2: sold")
    planned = program.post("/jobs/J-1/plan", {"assigned_to": "tom", "location": "Elm Street 5"}).json
    assert (planned["assigned_to"], planned["state"]) == ("tom", "pending")
    assert program.post("/jobs/J-1/lines", {"product": "smartcard", "is_billed": False}).json["lines"][2]["line"] == 3
    assert len(program.post("/jobs/J-1/lines/3/remove").json["lines"]) == 2
    assert program.post("/jobs/J-1/lines/2/items", {"serials": ["D1"]}).json["lines"][1]["serials"] == ["D1"]
    assert program.post("/jobs/J-1/start", {"status": "on-the-way"}).json["status"] == "on-the-way"
    assert program.post("/jobs/J-1/put-back").json["state"] == "pending"
    assert program.post("/jobs/J-1/notes", {"reason": "gate code 12"}).status == 201
    assert [row["job"] for row in program.get("/jobs", assigned_to="tom").json["data"]] == ["J-1"]
    completed = program.post("/jobs/J-1/complete", key="complete").json
    assert (completed["state"], completed["subscription"]) == ("completed", "A-2")
    billed = program.post("/jobs/J-1/bills", key="bill")
    assert billed.status == 201
    assert billed.json["bill"]
    shown = program.get("/jobs/J-1").json
    assert [line["is_billed_already"] for line in shown["lines"]] == [True, True]
    assert [event["verb"] for event in shown["events"]][-2:] == ["note", "complete"]
    refused = program.post("/jobs/J-1/cancel", {"reason": "too late"})
    assert (refused.status, refused.code) == (409, "job_refused")
    assert program.get("/jobs/J-2").code == "job_unknown"
    assert zx.broken_promises() == []


def test_jobs_are_read_page_by_page(zx: ABroadcaster, program: AnIntegrator) -> None:
    for number in range(3):
        program.post("/jobs", {"account": "A", "type": "visit", "draft": True}, key=str(number))
    first = program.get("/jobs", limit=2).json
    assert [row["job"] for row in first["data"]] == ["J-1", "J-2"]
    rest = program.get("/jobs", limit=2, cursor=first["next"]).json
    assert ([row["job"] for row in rest["data"]], rest["next"]) == (["J-3"], None)


def test_a_subscription_is_moved_and_replaced(zx: ABroadcaster, program: AnIntegrator) -> None:
    sale = {"account": "A", "type": "normal", "scheme": "normal-bt", "products": ["gold"], "frequency": "monthly"}
    replaced = program.post("/subscriptions", {**sale, "in_place_of": "S-A"}, key="r")
    assert (replaced.status, replaced.json["state"]) == (201, "effective")
    assert zx.state("S-A") == "replaced"
    action = {"behaviour": "change_account", "account": "B", "reason": "moved in together"}
    moved = program.post(f"/subscriptions/{replaced.json['subscription']}/actions", action)
    assert (moved.status, moved.json["state"]) == (201, "executed")
    assert program.get("/subscriptions/A-2").json["account"] == "B"


def test_a_process_is_asked_for_stopped_and_looked_at(zx: ABroadcaster, program: AnIntegrator) -> None:
    processes = {row["process"]: row for row in program.get("/processes").json["data"]}
    assert processes["billing/main"]["active"]
    assert program.post("/processes/billing/main/run").code == "request_invalid"
    asked = program.post("/processes/billing/main/run", key="p")
    assert (asked.status, asked.json["state"], asked.json["asked_by"]) == (202, "waiting", "token:program")
    assert program.post("/processes/billing/main/run", key="p").json == asked.json
    number = asked.json["run"]
    assert program.post(f"/processes/runs/{number}/stop").json["state"] == "stopped"
    assert program.post(f"/processes/runs/{number}/resume").json["state"] == "waiting"
    listed = program.get("/processes/runs", process="billing/main").json["data"]
    assert [row["run"] for row in listed] == [number]
    missed = program.post("/processes/billing/main/run", {"missed": True}, key="m")
    assert (missed.status, missed.code) == (409, "nothing_missed")
    assert program.post("/processes/billing/main/give-up").json == {"process": "billing/main", "given_up": 0}
    assert program.get("/processes/runs/99999").code == "process_run_unknown"
    assert program.post("/processes/billing/none/run", key="n").code == "process_unknown"


def test_without_its_database_the_api_says_so_and_comes_back(zx: ABroadcaster, program: AnIntegrator) -> None:
    known, gone = connections["default"].settings_dict, {"HOST": "127.0.0.1", "PORT": "1"}
    kept = {name: known[name] for name in gone}
    connections["default"].close()
    known.update(gone)
    try:
        for answer in (program.get("/accounts"), AnIntegrator(None).get("/accounts")):
            assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "database_lost", "5")
    finally:
        connections["default"].close()
        known.update(kept)
    assert program.get("/accounts/A").status == 200


def test_a_database_lost_in_the_middle_changes_nothing_and_the_same_key_does_it_later(
    zx: ABroadcaster, program: AnIntegrator
) -> None:
    """The write stands still at a row that somebody holds; there its session ends, as when a server goes down."""
    account = f"SELECT FROM party_account WHERE tenant_id = {zx.tenant.id} AND code = 'A' FOR UPDATE"
    tenant = f"SET LOCAL coax.tenant_id = '{zx.tenant.id}'"

    def change() -> Answered:
        try:
            return program.ask("PATCH", "/accounts/A", body={"credit_limit": "70"}, key="limit")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with locked(tenant, account):
            asked = pool.submit(change)
            wait_until(lambda: count_waiting() == 1, "the change at the locked row")
            end_waiting()
            lost = asked.result()
        assert (lost.status, lost.code, lost.headers["Retry-After"]) == (503, "database_lost", "5")
        assert program.get("/accounts/A").json["credit_limit"] is None
        done = pool.submit(change).result()
    assert (done.status, done.json["credit_limit"]) == (200, "70.00")
    assert "Idempotency-Replayed" not in done.headers
