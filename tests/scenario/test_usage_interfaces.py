"""Usage told by files and programs, by a clerk at the keyboard and at the console; charges taken back.

Company ZX bills on the 20th for the following month; silver costs 31.00 a month and carries what is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coax.interfaces.cli.main import app
from coax.party.types import StaffRole
from coax.process.import_usage import import_usage
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.consoles import at_console
from tests.builders.integrators import an_integrator
from tests.builders.usage import USAGE

DECODER = "      - { product: news, frequency: monthly, price: 5.00 }"
FILM = {"subscription": "S-A", "product": "film", "usage_type": "film", "source_system": "vod"}
HEADING = "subscription,product,performed_on,quantity,usage_type,source_system,reference,destination"


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    zx = a_broadcaster(**USAGE, decoder=f"{DECODER} -> {DECODER}\n      - {{ product: decoder, price: 79.00 }}")
    zx.subscribe(
        tmp_path,
        [
            {"account_code": "A", "product": "silver", "billed_until": "2026-07-01"},
            {"account_code": "A", "subscription_code": "S-A2", "product": "gold", "billed_until": "2026-07-01"},
            {"account_code": "B", "product": "silver", "billed_until": "2026-07-01"},
        ],
    )
    zx.on("2026-06-20")
    zx.bill("2026-06-20")
    zx.on("2026-07-10")
    return zx


@pytest.fixture
def coax(zx: ABroadcaster) -> Callable[..., Any]:
    def run(*words: str | Path, ends_with: int = 0) -> Any:
        answer = CliRunner().invoke(app, [*map(str, words), "--tenant", zx.tenant.code, "--json"])
        assert answer.exit_code == ends_with, answer.output
        return json.loads(answer.stdout)

    return run


def write(path: Path, *lines: str, heading: str = HEADING) -> Path:
    file = path / "usage.csv"
    file.write_text("\n".join((heading, *lines)), encoding="utf-8")
    return file


def recorded(zx: ABroadcaster) -> list[tuple[str, str, int, str]]:
    """Return subscription, product, quantity and reference of each usage record."""
    rows = zx.rows(
        """SELECT u.code, e.code AS product, g.quantity, g.reference FROM subscription_usage g
           JOIN subscription_subscription u ON u.bucket = g.bucket AND u.account_id = g.account_id
            AND u.id = g.subscription_id
           JOIN configuration_entity e ON e.id = g.product_id WHERE g.tenant_id = %s ORDER BY u.code, g.reference"""
    )
    return [(row["code"], row["product"], row["quantity"], row["reference"]) for row in rows]


def test_a_file_of_usage_is_recorded_once(zx: ABroadcaster, coax: Callable[..., Any], tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "S-A,film,2026-07-09,1,film,vod,r-1,",
        "S-A,call,2026-07-10,250,call,switch,c-1,+4930",
        "",
        "S-A2,film,2026-07-10,,film,vod,r-1,",  # of the same account: told already
        "S-B,film,2026-07-10,,film,vod,r-2,",
        "S-B,film,2026-07-11,,film,vod,r-3,",  # tomorrow
        "S-B,film,2026-07-10,,film,,,",
        "S-X,film,2026-07-10,,film,vod,r-4,",
        "S-A,film,2026-07-09,1,film,vod,r-1,",
    )
    first = coax("usage", "import", file, ends_with=1)
    assert (first["lines"], first["recorded"], first["known"], first["faults"]) == (8, 3, 2, [])
    assert [(row["line"], row["subscription"], row["rule"]) for row in first["refused"]] == [
        (7, "S-B", "performed_on"),
        (8, "S-B", "source_system"),
        (9, "S-X", "subscription"),
    ]
    assert first["refused"][1]["reason"] == "source_system: usage of type 'film' has to tell it."
    assert recorded(zx) == [
        ("S-A", "call", 250, "c-1"),
        ("S-A", "film", 1, "r-1"),
        ("S-B", "film", 1, "r-2"),
    ]
    with zx.nothing_changes():
        again = coax("usage", "import", file, ends_with=1)
    assert (again["recorded"], again["known"], len(again["refused"])) == (0, 5, 3)
    assert zx.broken_promises() == []


def test_cells_are_read_as_their_operator_writes_them(
    zx: ABroadcaster, coax: Callable[..., Any], tmp_path: Path
) -> None:
    heading = "performed_on;subscription;product;service;billed;amount;used_from;used_to;usage_type;destination;method"
    file = write(
        tmp_path,
        '2026-07-09;S-A;roaming;silver;yes;7.123456;2026-07-09T20:15;2026-07-09T20:15+01:00;call;"+49; ext. 3";',
        "2026-07-09; S-B ;call;;no;;;;call;+49;voice",
        heading=f"\ufeff{heading}",
    )
    done = coax("usage", "import", file)
    assert (done["recorded"], done["without_reference"]) == (2, 2)
    first, second = coax("usage", "list")["usages"][::-1]
    told = ("subscription", "service", "quantity", "catalog", "amount", "state", "used_from", "used_to", "destination")
    assert [first[name] for name in told] == [
        *("S-A", "silver", 1, "calls", "7.123456", "to_be_billed"),
        *("2026-07-09T18:15:00+00:00", "2026-07-09T19:15:00+00:00", "+49; ext. 3"),
    ]
    assert [second[name] for name in told] == ["S-B", "silver", 1, "calls", None, "not_billed", None, None, "+49"]
    assert zx.rows("SELECT reason FROM subscription_action WHERE tenant_id = %s")[0]["reason"] == "file usage.csv"


def test_with_a_bad_form_nothing_is_recorded(zx: ABroadcaster, coax: Callable[..., Any], tmp_path: Path) -> None:
    heading = "subscription,product,performed_on,quantity,amount,used_from,billed,reference"
    file = write(
        tmp_path,
        "S-A,film,2026-07-09,,,,,",
        f"S-A,,9.7.2026,0,-1,yesterday,maybe,{'x' * 201}",
        "S-A,film",
        heading=heading,
    )
    with zx.nothing_changes():
        done = coax("usage", "import", file, ends_with=1)
    assert (done["lines"], done["recorded"], done["refused"]) == (3, 0, [])
    assert [(fault["line"], fault["field"], fault["value"], fault["allowed"]) for fault in done["faults"]] == [
        (3, "product", "", "1 to 200 characters on one line"),
        (3, "performed_on", "9.7.2026", "YYYY-MM-DD from 1970-01-01 to 2199-12-31"),
        (3, "quantity", "0", "a whole number from 1 to 1000000000"),
        (3, "amount", "-1", "an amount from 0 to 1000000000 of at most 6 decimals, such as 12.50"),
        (
            *(3, "used_from", "yesterday"),
            "YYYY-MM-DDTHH:MM from 1970-01-01 to 2199-12-31, with an offset or in the operator's time zone",
        ),
        (3, "billed", "maybe", "yes or no"),
        (3, "reference", "x" * 201, "up to 200 characters on one line"),
        (4, "", "fewer cells than the heading", "as many cells as the heading has"),
    ]


@pytest.mark.parametrize(
    ("content", "said", "code"),
    [
        (b"subscription,produkt,performed_on,produkt\n", "unknown: 'produkt', 'produkt'; missing: 'product'; twice", 1),
        (b"", "missing: 'subscription', 'product', 'performed_on'", 1),
        (b"subscription,product,performed_on\nS-\xff,film,2026-07-09\n", "cannot be read as UTF-8 text", 2),
        (b'subscription,product,performed_on\n"S-A,film,2026-07-09\n', "line 2: unexpected end of data", 1),
    ],
)
def test_what_is_no_file_of_usage(
    zx: ABroadcaster, coax: Callable[..., Any], tmp_path: Path, content: bytes, said: str, code: int
) -> None:
    (tmp_path / "usage.csv").write_bytes(content)
    assert said in coax("usage", "import", tmp_path / "usage.csv", ends_with=code)["message"]


def test_a_file_that_was_interrupted_is_imported_again(zx: ABroadcaster, tmp_path: Path) -> None:
    lines = [f"S-{'AB'[n % 2]},call,2026-07-0{n},{n},call,switch,c-{n},+49" for n in range(1, 8)]
    file = write(tmp_path, *lines)

    def stop(_: str, done: int, __: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_usage(tenant=zx.tenant, path=file, actor="anna", lines_at_a_time=2, progress=stop)
    assert len(recorded(zx)) == 4
    done = import_usage(tenant=zx.tenant, path=file, actor="anna", lines_at_a_time=2)
    assert (done.recorded, done.known, done.is_clean) == (3, 4, True)
    assert sorted(row[2] for row in recorded(zx)) == [1, 2, 3, 4, 5, 6, 7]


def test_a_clerk_records_and_takes_back_at_the_keyboard(zx: ABroadcaster, coax: Callable[..., Any]) -> None:
    film = ["--usage-type", "film", "--source-system", "vod", "--reference", "r-1"]
    coax("usage", "add", "S-A", "film", *film, "--used-from", "2026-07-09T20:15", "--on", "2026-07-09")
    coax("action", "do", "add_service_usage", "S-A", "--product", "film", *film[:-1], "r-2", "--not-billed")
    told = coax("usage", "add", "S-A", "film", *film, ends_with=1)
    assert (told["code"], told["rule"]) == ("action_refused", "reference")
    assert coax("usage", "add", "S-A", "film", *film[:-1], "r" * 201, ends_with=1)["rule"] == "length"
    coax("charge", "add", "S-A", "decoder", "--on", "2026-07-09", "--price", "50")
    coax("charge", "add", "S-A", "decoder")
    first, second = coax("charge", "list", "S-A")["charges"][::-1]
    coax("charge", "cancel", "S-A", second["charge"], "--reason", "typed twice")
    zx.bill("2026-07-20")
    coax("action", "do", "cancel_expense", "S-A", "--charge", first["charge"])
    used = coax("usage", "list", "S-A", "--reference", "r-1", "--from", "2026-07-09", "--to", "2026-07-10")["usages"]
    assert [(row["state"], row["used_from"]) for row in used] == [("billed", "2026-07-09T18:15:00+00:00")]
    coax("usage", "cancel", "S-A", used[0]["usage"], "--reason", "broke off")
    zx.bill("2026-08-20")
    charges = coax("charge", "list", "S-A")["charges"]
    bills = ("ZX-00000003", "ZX-00000005")
    assert [(row["agreed_price"], row["state"], row["bill"], row["credited_on_bill"]) for row in charges] == [
        (None, "taken_back", None, None),
        ("50.000000", "credited", *bills),
    ]
    assert [(row["reference"], row["state"]) for row in coax("usage", "list", "--product", "film")["usages"]] == [
        ("r-2", "not_billed"),
        ("r-1", "credited"),
    ]
    assert coax("usage", "list", "S-B") == coax("usage", "list", "--to", "2026-07-09") == {"usages": []}
    assert zx.broken_promises() == []


def test_usage_is_recorded_and_taken_back_at_the_console(zx: ABroadcaster) -> None:
    clerk = at_console(zx.tenant, StaffRole.CLERK)
    address = "subscriptions/act/add_service_usage/S-A"
    values = clerk.get(address).form(product_code="film", usage_type="film", source_system="vod", method="tape")
    with zx.nothing_changes():
        refused = clerk.post(address, values)
        assert (refused.status, "'tape' is not allowed by usage type 'film'" in refused.text) == (409, True)
        values |= {"method": ["stream"], "used_from": ["2026-07-10T20:15"], "category": ["drama"]}
        previewed = clerk.post(address, {**values, "preview": "1"})
        assert "usage: 1 on 2026-07-10, the catalog's price" in previewed.text
    done = clerk.follow(clerk.post(address, values))
    clerk.post(address, values)  # the same form sent twice
    (row,) = zx.rows("SELECT * FROM subscription_usage WHERE tenant_id = %s")
    assert (row["used_from"], row["method"], row["category"]) == (
        datetime(2026, 7, 10, 18, 15, tzinfo=UTC),
        "stream",
        "drama",
    )
    link = f"subscriptions/act/cancel_service_usage/S-A?charge={row['code']}"
    assert f"/console/{link}" in done.text
    assert "20:15, stream, drama, on silver" in done.text
    assert "/act/cancel_service_usage/" not in at_console(zx.tenant, StaffRole.AUDITOR).get("accounts/of/A").text
    asked = clerk.get(link).form()
    assert asked["charge_code"] == [row["code"]]
    done = clerk.follow(clerk.post(link, asked))
    assert "Cancel service usage of S-A is done." in done.text
    assert "Taken back" in done.text
    assert link not in done.text


def test_a_charge_is_taken_back_at_the_console(zx: ABroadcaster, coax: Callable[..., Any]) -> None:
    clerk = at_console(zx.tenant, StaffRole.CLERK)
    address = "subscriptions/act/cancel_expense/S-A"
    assert "There is none to be taken back." in clerk.get(address).text
    for price in ("50", "60"):
        coax("charge", "add", "S-A", "decoder", "--price", price)
    older = coax("charge", "list", "S-A")["charges"][1]["charge"]
    asked = clerk.get(address, charge=older)
    assert asked.form()["charge_code"] == [older]
    clerk.follow(clerk.post(address, asked.form(reason="not wanted")))
    states = [(row["agreed_price"], row["state"]) for row in coax("charge", "list", "S-A")["charges"]]
    assert states == [("60.000000", "to_be_billed"), ("50.000000", "taken_back")]


def test_a_source_tells_many_usages_at_once(zx: ABroadcaster) -> None:
    program = an_integrator(zx.tenant)
    film = {**FILM, "performed_on": "2026-07-09", "method": "stream"}
    usages = [
        {**film, "reference": "r-1", "used_from": "2026-07-09T20:15:00+02:00"},
        {**film, "reference": "r-1", "subscription": "S-A2"},
        {**film, "reference": "r-2", "subscription": "S-X"},
        {**film, "product": "roaming", "usage_type": "call", "destination": "+49", "amount": "1000000001"},
        {**film, "reference": "r-3", "subscription": "S-B", "performed_on": "2026-07-10"},
    ]
    told = program.post("/usage", {"usages": usages}, key="u-1")
    assert (told.status, told.json["recorded"], told.json["known"]) == (200, 2, 1)
    assert [(one["index"], one["subscription"], one["rule"]) for one in told.json["refused"]] == [
        (2, "S-X", "subscription"),
        (3, "S-A", "amount"),
    ]
    assert told.json["refused"][1]["reason"] == "amount: 1000000001.000000 is not allowed; allowed is 0 to 1000000000."
    with zx.nothing_changes():
        again = program.post("/usage", {"usages": usages}, key="u-1")
        assert (again.json, again.headers["Idempotency-Replayed"]) == (told.json, "true")
        assert program.post("/usage", {"usages": usages}, key="u-2").json["known"] == 3
        assert program.post("/usage", {"usages": usages[:1]}).code == "request_invalid"
        naive = [usages[0], {**film, "used_from": "2026-07-09T20:15:00"}]
        refused = program.post("/usage", {"usages": naive}, key="u-3")
        assert (refused.status, refused.json["errors"][0]["field"]) == (422, "usages.1.used_from")
    first = program.get("/usage", limit=1)
    rest = program.get("/usage", limit=1, cursor=first.json["next"])
    assert [page.json["data"][0]["reference"] for page in (first, rest)] == ["r-3", "r-1"]
    assert (rest.json["next"], rest.json["data"][0]["used_from"]) == (None, "2026-07-09T18:15:00Z")
    for wanted, found in (
        ({"reference": "r-1", "source_system": "vod"}, ["r-1"]),
        ({"subscription": "S-A", "account": "B"}, []),
        ({"account": "B", "product": "film"}, ["r-3"]),
        ({"performed_from": "2026-07-09", "performed_to": "2026-07-10"}, ["r-1"]),
    ):
        assert [row["reference"] for row in program.get("/usage", **wanted).json["data"]] == found
    assert program.get("/usage", subscription="S-X").status == 422


def test_a_program_acts_on_usage_and_charges(zx: ABroadcaster) -> None:
    program, stranger = an_integrator(zx.tenant), an_integrator(a_broadcaster().tenant)
    act = "/subscriptions/S-A/actions"
    usage = {"usage_type": "film", "source_system": "vod", "is_billed": False}
    added = program.post(act, {"behaviour": "add_service_usage", "product": "film", "usage": usage})
    assert added.json["changes"] == ["usage: 1 on 2026-07-10, not billed"]
    code = program.get("/usage", subscription="S-A").json["data"][0]["usage"]
    taken = program.post(act, {"behaviour": "cancel_service_usage", "charge": code})
    assert taken.json["changes"] == [f"usage {code} of 2026-07-10: taken back, not billed"]
    assert program.get("/usage").json["data"][0]["state"] == "taken_back"
    for number in "12":
        program.post("/subscriptions/S-A/charges", {"product": "decoder"}, key=number)
    pages = [program.get("/subscriptions/S-A/charges", limit=1)]
    pages.append(program.get("/subscriptions/S-A/charges", limit=1, cursor=pages[0].json["next"]))
    codes = [page.json["data"][0]["charge"] for page in pages]
    program.post(act, {"behaviour": "cancel_expense", "charge": codes[0]})
    listed = program.get("/subscriptions/S-A/charges").json["data"]
    assert [(row["charge"], row["state"]) for row in listed] == list(
        zip(codes, ("taken_back", "to_be_billed"), strict=True)
    )
    assert stranger.get("/subscriptions/S-A/charges").code == "subscription_unknown"
    assert stranger.get("/usage").json == {"data": [], "next": None}
