"""Bills as JSON, byte for byte; `make golden` (COAX_UPDATE_GOLDEN=1) writes the files anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from coax.process.bills.compose import compose_document
from coax.process.bills.facts import BillFacts
from coax.process.bills.publish import to_data, to_json
from tests.golden.bills.cases import CASES, company_zx_first_bill

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", CASES)
def test_json_is_as_reviewed(name: str) -> None:
    found = to_json(compose_document(CASES[name]))
    path = HERE / f"{name}.json"
    if os.environ.get("COAX_UPDATE_GOLDEN") == "1":
        path.write_bytes(found)
    assert found == path.read_bytes()


def test_every_file_has_its_case() -> None:
    assert sorted(path.stem for path in HERE.glob("*.json")) == sorted(CASES)


def test_company_zx_bills_from_the_day_joined_to_the_last_of_august() -> None:
    """12.00 x 17/31 + 12.00 = 18.580645 net, 3.530323 tax: 22.110968, rounded up 22.12."""
    data = to_data(compose_document(company_zx_first_bill()))
    line = data["subscriptions"][0]["lines"][0]
    assert line["period"] == {"from": "2026-07-15", "to": "2026-09-01", "last_day": "2026-08-31"}
    assert (line["periods"], line["quantity"], line["unit_price"]) == ("17/31 + 1", 1, "12.00")
    assert (line["net"], line["tax"], line["total"]) == ("18.580645", "3.530323", "22.110968")
    assert data["rounding"] == {
        "name": "Rounding",
        "adjustment_type": "Rounding Invoice",
        "amount": "0.009032",
    }
    assert (data["total"], data["total_to_be_paid"]) == ("22.12", "22.12")


def test_order_of_reading_changes_nothing() -> None:
    facts = CASES["with-movements"]
    reversed_facts = _reverse(facts)
    assert to_json(compose_document(reversed_facts)) == to_json(compose_document(facts))


def test_there_is_no_number_that_is_not_whole() -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    for facts in CASES.values():
        json.loads(to_json(compose_document(facts)), parse_float=refuse)


def _reverse(facts: BillFacts) -> BillFacts:
    from dataclasses import replace  # noqa: PLC0415

    return replace(facts, items=facts.items[::-1], bills=facts.bills[::-1], transactions=facts.transactions[::-1])
