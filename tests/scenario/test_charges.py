"""A clerk charges something once, and takes it back: before it was billed, after, and with a whole subscription.

Company ZX bills on the 20th for the following month; silver costs 31.00 a month, a decoder 79.00.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from coax.process.explain import explain_bill
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour
from tests.builders.broadcasters import ABroadcaster, a_broadcaster

RATE = "      - { product: news, frequency: monthly, price: 5.00 }"
DECODER = f"{RATE} -> {RATE}\n      - {{ product: decoder, price: 79.00 }}"


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    return with_silver(a_broadcaster(decoder=DECODER), tmp_path)


def with_silver(zx: ABroadcaster, path: Path) -> ABroadcaster:
    zx.subscribe(path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    zx.on("2026-06-20")
    zx.bill("2026-06-20")
    return zx


def charge(zx: ABroadcaster, day: str, **values: object) -> str:
    """Charge a decoder and return the code of the charge."""
    zx.act(Behaviour.ADD_EXPENSE, "S-A", day, product_code="decoder", **values)
    return zx.rows("SELECT code FROM subscription_charge WHERE tenant_id = %s ORDER BY id DESC LIMIT 1")[0]["code"]


def test_what_is_taken_back_before_it_is_billed_never_is(zx: ABroadcaster) -> None:
    zx.on("2026-07-05")
    code = charge(zx, "2026-07-05", quantity=2)
    answer = zx.act(Behaviour.CANCEL_EXPENSE, "S-A", "2026-07-05", charge_code=code, reason="typed twice")
    assert answer["changes"] == [f"charge {code} of 2026-07-05: taken back, not billed"]
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=f"'{code}' is not one of S-A .*: none"):
        zx.act(Behaviour.CANCEL_EXPENSE, "S-A", "2026-07-05", charge_code=code)
    zx.on("2026-07-20")
    zx.bill("2026-07-20")
    assert {row[0] for row in zx.charged("A")} == {"charge"}
    assert zx.broken_promises() == []


def test_what_was_billed_is_credited_exactly_once(zx: ABroadcaster) -> None:
    zx.on("2026-07-05")
    code = charge(zx, "2026-07-05", quantity=3)
    zx.on("2026-07-20")
    zx.bill("2026-07-20")
    zx.on("2026-08-02")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="2026-07-04 is before"):
        zx.act(Behaviour.CANCEL_EXPENSE, "S-A", "2026-07-04", charge_code=code)
    answer = zx.act(Behaviour.CANCEL_EXPENSE, "S-A", "2026-08-02", charge_code=code)
    assert answer["changes"] == [f"charge {code} of 2026-07-05: taken back, credited on the next bill"]
    for day in ("2026-08-20", "2026-09-20"):
        zx.on(day)
        zx.bill(day)
    of_decoder = [row for row in zx.charged("A") if row[0] in {"once", "return"}]
    assert of_decoder == [
        ("once", "2026-07-05", "2026-07-06", "237.000000"),
        ("return", "2026-07-05", "2026-07-06", "-237.000000"),
    ]
    explained = explain_bill(tenant=zx.tenant, number=f"ZX-{zx.bills(3)[0]['number']:08}")
    said = [text for line in explained.lines if line.item.kind == "return" for text in line.arithmetic]
    assert said[0].startswith("takes back line ")
    assert said[-1].startswith("credit: 0")
    assert explained.all_differences == ()
    assert zx.broken_promises() == []


def test_a_bill_that_is_only_a_credit(zx: ABroadcaster) -> None:
    zx.on("2026-07-05")
    code = charge(zx, "2026-07-05")
    zx.on("2026-07-20")
    zx.bill("2026-07-20")
    zx.act(Behaviour.CANCEL, "S-A", "2026-07-20")
    zx.on("2026-08-20")
    zx.bill("2026-08-20")
    zx.act(Behaviour.CANCEL_EXPENSE, "S-A", "2026-08-20", charge_code=code)
    zx.on("2026-09-20")
    zx.bill("2026-09-20")
    assert zx.charged("A", 4) == [("return", "2026-07-05", "2026-07-06", "-79.000000")]
    assert zx.broken_promises() == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_regret_takes_back_what_was_charged_once(database: str, tmp_path: Path, *, kept: bool) -> None:
    rule = "name: Fourteen days, max_days_since_activation: 14"
    keeps = f"{rule} -> {rule}, keep_charges: [decoder]" if kept else f"{rule} -> {rule}"
    zx = a_broadcaster(decoder=DECODER, keeps=keeps)
    zx.on("2026-07-06")
    zx.subscribe(
        tmp_path,
        [{"account_code": "A", "product": "silver", "effective_from": "2026-07-06", "billed_until": "2026-07-06"}],
    )
    charge(zx, "2026-07-06")
    zx.bill("2026-06-20")
    zx.on("2026-07-10")
    zx.bill("2026-07-20")
    charge(zx, "2026-07-10", quantity=2)  # not billed yet
    zx.act(Behaviour.REGRET, "S-A", "2026-07-10")
    zx.on("2026-08-20")
    zx.bill("2026-08-20")
    left = sum(Decimal(row[3]) for row in zx.charged("A"))
    assert left == (79 * 3 if kept else 0), zx.charged("A")
    assert zx.broken_promises() == []


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE subscription_charge SET credited_by = NULL WHERE tenant_id = %s",
        "UPDATE subscription_charge SET credited_by = billed_by WHERE tenant_id = %s",
    ],
)
def test_a_planted_fault_is_found(zx: ABroadcaster, fault: str) -> None:
    zx.on("2026-07-05")
    code = charge(zx, "2026-07-05")
    zx.bill("2026-07-20")
    zx.act(Behaviour.CANCEL_EXPENSE, "S-A", "2026-07-05", charge_code=code)
    zx.bill("2026-08-20")
    assert zx.broken_promises() == []
    zx.execute(fault, zx.tenant.id)
    assert "what_is_taken_back_is_credited" in " ".join(zx.broken_promises())
