"""What is known of a customer changes: at the keyboard, over the API, at the console; nobody is overwritten unseen."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from django.db import connections
from typer.testing import CliRunner

from coax.base.tenancy import tenant_transaction
from coax.billing.types import RunStep
from coax.configuration.types.documents import SourceDocument
from coax.interfaces.cli.main import app
from coax.party.operations.update_contact import ContactChanged
from coax.party.types import StaffRole
from coax.process.billing_run.execute import execute_run
from coax.process.change_contact import change_contact
from coax.process.operators import apply_documents
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.consoles import at_console
from tests.builders.integrators import an_integrator

runner = CliRunner()
RULES = """
account_classifications:
  - { code: vip, name: Dear guests }
  - { code: staff, name: Employees }
receivable_definitions:
  - { code: main, name: Receivables, due_date: { rule: days_after_transaction, days: 14 },
      proximity: { plus_days: 30 }, credit_ratings: [A, B] }
"""
LIVES = {"name": "Ada", "street": "Elm Street 5", "postal_code": "10115", "city": "Berlin", "email": "ada@zx.example"}
LIMITS = "an amount from 0 to 10000000000000.00 of at most 2 decimals"
STORED_TERMS = ("classification_id", "credit_limit_minor", "credit_rating", "credit_period_days", "revision")


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    operator = a_broadcaster()
    rows = [
        {"account_code": code, "product": "silver", "contact_code": "ada", "billed_until": "2026-07-01", **LIVES}
        for code in ("A", "B")
    ]
    operator.subscribe(tmp_path, rows)
    operator.on("2026-07-10")
    with tenant_transaction(operator.tenant.id):
        documents = [SourceDocument("rules.yaml", RULES)]
        apply_documents(tenant=operator.tenant, documents=documents, as_of=date(2026, 7, 1), actor="test")
    return operator


def coax(*arguments: str) -> Result:
    return runner.invoke(app, arguments)


def customers(zx: ABroadcaster) -> list[Any]:
    tables = (("party_contact", "id"), ("party_account", "account_id"), ("base_audit_entry", "id"))
    return [zx.rows(f"SELECT * FROM {table} WHERE tenant_id = %s ORDER BY {key}") for table, key in tables]


def terms(zx: ABroadcaster, account: str = "A") -> tuple[Any, ...]:
    (row,) = zx.rows(f"SELECT {', '.join(STORED_TERMS)} FROM party_account WHERE tenant_id = %s AND code = %s", account)
    return tuple(row.values())


def audited(zx: ABroadcaster) -> list[tuple[Any, ...]]:
    rows = zx.rows(
        "SELECT actor, source, action, before::text, after::text FROM base_audit_entry WHERE tenant_id = %s "
        "AND source IN ('party_contact', 'party_account') ORDER BY id"
    )
    return [(r["actor"], r["source"], r["action"], json.loads(r["before"]), json.loads(r["after"])) for r in rows]


def classification(zx: ABroadcaster, code: str) -> int:
    sql = "SELECT id FROM configuration_entity WHERE tenant_id = %s AND kind = 'account_classification' AND code = %s"
    return zx.rows(sql, code)[0]["id"]


def test_a_clerk_changes_a_customer_at_the_keyboard(zx: ABroadcaster) -> None:
    t = ("--tenant", zx.tenant.code)
    moved = coax("contact", "change", "ada", "--street", "Oak Road 1", "--email", "", *t, "--json")
    assert moved.exit_code == 0, moved.output
    assert json.loads(moved.stdout) == {
        **LIVES,
        "contact": "ada",
        "phone": "",
        "country": "DE",
        "locale": "",
        "accounts": ["A", "B"],
        "street": "Oak Road 1",
        "email": "",
        "changed": ["email", "street"],
    }
    shown = coax("contact", "show", "ada", *t)
    assert [line.split(maxsplit=1) for line in shown.stdout.splitlines()][1:3] == [
        ["name", "Ada"],
        ["street", "Oak Road 1"],
    ]
    options = ("--classification", "vip", "--credit-limit", "250", "--credit-rating", "B", "--credit-period", "7")
    changed = coax("account", "change", "A", *options, *t)
    assert changed.stdout.splitlines() == [
        "Account A: classification is vip now.",
        "Account A: credit limit is 250.00 now.",
        "Account A: credit rating is B now.",
        "Account A: credit period days is 7 now.",
    ]
    assert terms(zx) == (classification(zx, "vip"), 25000, "B", 7, 1)
    assert terms(zx, "B") == (None, None, "", 0, 0)
    assert "credit limit 250.00" in coax("account", "A", *t).stdout  # short for `account show A`
    assert coax("account", "change", "A", "--credit-limit", "none", "--classification", "", *t).exit_code == 0
    assert terms(zx) == (None, None, "B", 7, 2)
    assert (
        coax("account", "change", "A", "--credit-rating", "B", *t).stdout == "Account A: nothing was to be changed.\n"
    )
    assert terms(zx)[-1] == 2
    entries = audited(zx)
    assert len({actor for actor, *_ in entries}) == 1
    assert [entry[1:] for entry in entries] == [
        (
            "party_contact",
            "update",
            {"email": "ada@zx.example", "street": "Elm Street 5"},
            {"email": "", "street": "Oak Road 1"},
        ),
        (
            "party_account",
            "update",
            dict(zip(STORED_TERMS[:-1], (None, None, "", 0), strict=True)),
            dict(zip(STORED_TERMS[:-1], (classification(zx, "vip"), 25000, "B", 7), strict=True)),
        ),
        (
            "party_account",
            "update",
            {"classification_id": classification(zx, "vip"), "credit_limit_minor": 25000},
            {"classification_id": None, "credit_limit_minor": None},
        ),
    ]


def test_what_is_not_allowed_is_named_and_nothing_changes(zx: ABroadcaster) -> None:
    program = an_integrator(zx.tenant)
    before = customers(zx)
    for path, body, code, field, allowed in (
        ("/contacts/ada", {"email": "nobody"}, "contact_refused", "email", "an address such as name@example.org"),
        ("/contacts/ada", {"city": "Bonn", "locale": "german"}, "contact_refused", "locale", "a locale such as de_DE"),
        ("/contacts/ada", {"phone": "1" * 501}, "request_invalid", "phone", "at most 500 long"),
        ("/contacts/ada", {"accounts": []}, "request_invalid", "accounts", None),
        ("/accounts/A", {"classification": "king"}, "account_refused", "classification", "staff, vip"),
        ("/accounts/A", {"credit_rating": "AAA"}, "account_refused", "credit_rating", "A, B"),
        ("/accounts/A", {"credit_period_days": 31}, "account_refused", "credit_period_days", "0 to 30"),
        ("/accounts/A", {"credit_limit": "-1"}, "account_refused", "credit_limit", LIMITS),
        ("/accounts/A", {"credit_limit": "2.505"}, "account_refused", "credit_limit", LIMITS),
        ("/accounts/A", {"credit_limit": 250}, "request_invalid", "credit_limit", None),
    ):
        refused = program.ask("PATCH", path, body=body)
        error = refused.json["errors"][0]
        assert (refused.status, refused.code, error["field"], error.get("allowed")) == (422, code, field, allowed), body
    assert program.ask("PATCH", "/contacts/eve", body={"name": "Eve"}).code == "contact_unknown"
    assert program.ask("PATCH", "/accounts/Z", body={}).code == "account_unknown"
    reader = an_integrator(zx.tenant, "accounts:read")
    assert reader.ask("PATCH", "/accounts/A", body={"credit_limit": "1"}).code == "insufficient_scope"
    assert customers(zx)[:2] == before[:2]
    assert audited(zx) == []


def test_an_integrator_changes_members_and_clears_by_null(zx: ABroadcaster) -> None:
    program = an_integrator(zx.tenant, name="crm")
    body = {"city": "Bonn", "email": None, "locale": "de_DE"}
    first = program.ask("PATCH", "/contacts/ada", body=body, key="k")
    assert (first.status, first.json) == (
        200,
        {"contact": "ada", "phone": "", "country": "DE", "accounts": ["A", "B"], **LIVES, **body, "email": ""},
    )
    again = program.ask("PATCH", "/contacts/ada", body=body, key="k")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert program.ask("PATCH", "/contacts/ada", body={"city": "Rome"}, key="k").code == "idempotency_key_reused"
    body = {"classification": "staff", "credit_limit": "0", "credit_rating": "A", "credit_period_days": 30}
    answer = program.ask("PATCH", "/accounts/A", body=body)
    assert {name: answer.json[name] for name in body} == {**body, "credit_limit": "0.00"}
    cleared = program.ask("PATCH", "/accounts/A", body=dict.fromkeys(body))
    assert [cleared.json[name] for name in body] == [None, None, "", 0]
    assert terms(zx) == (None, None, "", 0, 2)
    stale = program.ask("PATCH", "/accounts/A", body={"credit_limit": "9", "expected": {"credit_rating": "A"}})
    assert (stale.status, stale.code, stale.json["errors"][0]["field"]) == (
        409,
        "account_terms_changed",
        "credit_rating",
    )
    fresh = {"credit_limit": "9", "expected": {"credit_limit": None, "classification": None, "credit_period_days": 0}}
    assert program.ask("PATCH", "/accounts/A", body=fresh).json["credit_limit"] == "9.00"
    assert {(actor, source) for actor, source, *_ in audited(zx)} == {
        ("token:crm", "party_contact"),
        ("token:crm", "party_account"),
    }


def test_of_two_at_the_same_moment_the_second_is_told(zx: ABroadcaster) -> None:
    """The second waits for the first one's end, and then finds another text than it saw."""
    seen = {"street": "Elm Street 5", "city": "Berlin"}

    def change(actor: str, **wanted: str) -> object:
        try:
            return change_contact(tenant=zx.tenant, contact_code="ada", wanted=wanted, expected=seen, actor=actor)
        except ContactChanged as fault:
            return fault
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with tenant_transaction(zx.tenant.id):
            change_contact(tenant=zx.tenant, contact_code="ada", wanted={"city": "Bonn"}, expected=seen, actor="anna")
            late = pool.submit(change, "bert", street="Oak Road 1")
        found = late.result()
    assert isinstance(found, ContactChanged)
    assert found.data["fields"] == ("city",)
    assert zx.rows("SELECT street, city FROM party_contact WHERE tenant_id = %s") == [
        {"street": "Elm Street 5", "city": "Bonn"}
    ]
    assert audited(zx) == [("anna", "party_contact", "update", {"city": "Berlin"}, {"city": "Bonn"})]


def test_a_run_sets_a_changed_account_aside_and_posted_bills_keep_their_address(zx: ABroadcaster) -> None:
    program = an_integrator(zx.tenant)
    stopped = zx.bill("2026-07-10", "2026-08-01", until=RunStep.ASSEMBLING)
    assert stopped.sums["bills"] == 2
    assert program.ask("PATCH", "/accounts/B", body={"credit_period_days": 10}).status == 200
    posted = execute_run(run_id=stopped.run.id, workers=1)
    assert (posted.sums["bills"], posted.sums["refused"]) == (1, 1)
    assert [(row["account"], row["reason"]) for row in zx.outcomes()] == [("B", "account_changed")]

    for changes in ({"street": "Oak Road 1", "city": "Bonn"}, {"street": "Ash Lane 2"}):
        assert program.ask("PATCH", "/contacts/ada", body=changes).status == 200
    zx.bill("2026-07-11", "2026-08-01")
    due = {row["account"]: row["due_date"] for row in zx.bills()}
    assert due == {"A": date(2026, 7, 25), "B": date(2026, 8, 5)}
    printed = [program.get(f"/bills/{row['number']}").json["customer"] for row in zx.bills()]
    assert [(customer["street"], customer["city"]) for customer in printed] == [
        ("Elm Street 5", "Berlin"),
        ("Ash Lane 2", "Bonn"),
    ]
    assert zx.broken_promises() == []


def test_all_postings_are_listed_page_by_page(zx: ABroadcaster) -> None:
    program = an_integrator(zx.tenant)
    zx.bill("2026-07-10", "2026-08-01")
    for amount in ("1.05", "2", "3"):
        zx.pay("A", amount, "2026-07-10")
    rows, cursor = [], {}
    for size in (2, 2):
        page = program.get("/accounts/A/postings", limit=2, **cursor).json
        assert len(page["data"]) == size
        rows += page["data"]
        cursor = {"cursor": page["next"]}
    assert page["next"] is None
    assert rows == program.get("/accounts/A").json["postings"]
    assert [(row["kind"], row["amount"], row["balance"], row["open"], row["bill"]) for row in rows] == [
        ("payment", "-3.00", "67.73", "0.00", None),
        ("payment", "-2.00", "70.73", "0.00", None),
        ("payment", "-1.05", "72.73", "0.00", None),
        ("invoice", "73.78", "73.78", "67.73", "ZX-00000001"),
    ]
    assert program.get("/accounts/Z/postings").code == "account_unknown"


def test_two_clerks_change_a_contact_at_the_console(zx: ABroadcaster) -> None:
    anna, bert = at_console(zx.tenant, StaffRole.CLERK), at_console(zx.tenant, StaffRole.SUPERVISOR)
    address = "accounts/contact/A"
    assert 'href="/console/accounts/contact/A"' in anna.get("accounts/of/A").text
    first, second = anna.get(address), bert.get(address)
    assert "This is also the contact of" in first.text

    wrong = anna.post(address, first.form(email="nobody", locale="german", city="Bonn"))
    assert (wrong.status, wrong.faults) == (
        422,
        ["Allowed is an address such as name@example.org.", "Allowed is a locale such as de_DE."],
    )
    assert audited(zx) == []
    saved = anna.follow(anna.post(address, wrong.form(email="a@zx.example", locale="")))
    assert "The contact is changed: email, city." in saved.text

    told = bert.post(address, second.form(email="b@zx.example", phone="+49 30 1"))
    assert (told.status, told.faults) == (
        422,
        [
            "Somebody else changed this meanwhile: now it is a@zx.example. Saving puts yours in its place.",
            "Somebody else changed this meanwhile: now it is Bonn.",
        ],
    )
    assert [told.form()[name] for name in ("email", "city", "phone")] == [["b@zx.example"], ["Bonn"], ["+49 30 1"]]
    assert len(audited(zx)) == 1
    assert "The contact is changed: email, phone." in bert.follow(bert.post(address, told.form())).text
    assert audited(zx)[1:] == [
        (
            "supervisor",
            "party_contact",
            "update",
            {"email": "a@zx.example", "phone": ""},
            {"email": "b@zx.example", "phone": "+49 30 1"},
        )
    ]
    assert bert.post(address, {**second.form(), "seen": "x"}).status == 422
    trail = bert.get("audit/", source="party_contact")
    assert "b@zx.example" in trail.text
    assert at_console(zx.tenant, StaffRole.AUDITOR).get(address).status == 403


def test_terms_are_changed_at_the_console(zx: ABroadcaster) -> None:
    clerk, other = at_console(zx.tenant, StaffRole.CLERK), at_console(zx.tenant, StaffRole.SUPERVISOR)
    address = "accounts/terms/A"
    form = clerk.get(address).form(classification="vip", credit_limit="12,5", credit_period_days="31")
    wrong = clerk.post(address, form)
    assert (wrong.status, wrong.faults) == (422, [f"Allowed is: {LIMITS}."])
    assert terms(zx) == (None, None, "", 0, 0)
    late = other.get(address)
    saved = clerk.post(address, wrong.form(credit_limit="12.50", credit_period_days="30"))
    assert "The account is changed: classification, credit limit, credit period days." in clerk.follow(saved).text
    assert terms(zx) == (classification(zx, "vip"), 1250, "", 30, 1)
    told = other.post(address, late.form(credit_rating="B"))
    assert told.faults == [
        "Somebody else changed this meanwhile: now it is Dear guests.",
        "Somebody else changed this meanwhile: now it is 12.50.",
        "Somebody else changed this meanwhile: now it is 30.",
    ]
    assert terms(zx)[-1] == 1
    assert other.post(address, told.form()).status == 302
    assert terms(zx) == (classification(zx, "vip"), 1250, "B", 30, 2)
    trail = clerk.get("audit/", source="party_account").text
    for words in ("Dear guests", "12.50", "clerk", "supervisor"):
        assert words in trail
    retired = SourceDocument("vip.yaml", "account_classifications: [{ code: vip, name: Dear guests, state: inactive }]")
    with tenant_transaction(zx.tenant.id):
        apply_documents(tenant=zx.tenant, documents=[retired], as_of=date(2026, 7, 1), actor="test")
    kept = clerk.post(address, clerk.get(address).form(credit_limit=""))
    assert kept.status == 302
    assert terms(zx) == (classification(zx, "vip"), None, "B", 30, 3)
