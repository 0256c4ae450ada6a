"""What is used is never changed; what is not used may be; twice is the same as once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from coax.configuration.rules.changes import plan_changes
from coax.configuration.types.documents import (
    Change,
    ChangeAction,
    Origin,
    ParsedEntity,
    Problem,
    StoredVersion,
)
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.registry import KINDS

TODAY = date(2026, 5, 1)
PLAN = {"code": "main", "name": "Main", "currency": "EUR", "rates": [{"product": "tv", "price": 10}]}
TYPE = {"code": "basic", "name": "Basic", "class": "termed"}
CATALOG = {"code": "films", "name": "Films", "currency": "EUR", "entries": [{"product": "film", "price": 4}]}
TAX = {"code": "vat", "name": "VAT", "rates": [{"from": "2020-01-01", "percent": 19}]}


def entity(kind: str, values: dict[str, Any], **changes: Any) -> ParsedEntity:
    spec = KINDS[kind].spec.model_validate({**values, **changes})
    return ParsedEntity(kind, spec, Origin("file.yaml", (KINDS[kind].section, 0)))


def version(
    kind: str,
    values: dict[str, Any],
    number: int = 1,
    start: date = BEGINNING,
    *,
    used: bool = False,
    **changes: Any,
) -> StoredVersion:
    spec = KINDS[kind].spec.model_validate({**values, **changes})
    return StoredVersion(1, number, kind, spec.code, number, start, used, spec)


def plan(entities: list[ParsedEntity], versions: list[StoredVersion]) -> tuple[list[Change], list[Problem]]:
    stored = {(versions[0].kind, versions[0].code): versions} if versions else {}
    steps, problems = plan_changes(entities, stored, as_of=TODAY)
    return [step.change for step in steps], problems


def only(entities: list[ParsedEntity], versions: list[StoredVersion]) -> Change:
    changes, problems = plan(entities, versions)
    assert problems == []
    (change,) = changes
    return change


def test_new_entity() -> None:
    change = only([entity("price_plan", PLAN)], [])
    assert (change.action, change.number, change.effective_date) == (ChangeAction.CREATED, 1, BEGINNING)


def test_the_same_again() -> None:
    change = only([entity("price_plan", PLAN)], [version("price_plan", PLAN, used=True)])
    assert change.action is ChangeAction.UNCHANGED


def test_equal_prices_written_otherwise_are_the_same() -> None:
    rates = [{"product": "tv", "price": "10.00"}]
    change = only([entity("price_plan", PLAN, rates=rates)], [version("price_plan", PLAN)])
    assert change.action is ChangeAction.UNCHANGED


def test_unused_version_is_updated_in_place() -> None:
    rates = [{"product": "tv", "price": 11}]
    change = only([entity("price_plan", PLAN, rates=rates)], [version("price_plan", PLAN)])
    assert (change.action, change.number) == (ChangeAction.UPDATED, 1)
    (difference,) = change.differences
    assert (difference.path, difference.before, difference.after) == ("rates[0].price", "10", "11")


def test_used_plan_is_refused() -> None:
    rates = [{"product": "tv", "price": 11}]
    changes, problems = plan([entity("price_plan", PLAN, rates=rates)], [version("price_plan", PLAN, used=True)])
    assert changes == []
    (problem,) = problems
    assert problem.code == "version_in_use"
    assert problem.message == "version 1 of 1970-01-01 is in use and stays; changed: rates[0].price"
    assert problem.allowed == (
        "to replace it give an effective_date later than 1970-01-01; "
        "prices of further products may be added behind those there are"
    )


def test_used_plan_is_replaced_from_a_later_date() -> None:
    changed = entity("price_plan", PLAN, rates=[{"product": "tv", "price": 11}], effective_date="2026-07-01")
    change = only([changed], [version("price_plan", PLAN, used=True)])
    assert (change.action, change.number) == (ChangeAction.NEW_VERSION, 2)
    assert change.effective_date == date(2026, 7, 1)
    assert [difference.path for difference in change.differences] == ["rates[0].price"]


@pytest.mark.parametrize(
    ("kind", "values", "changes", "is_allowed"),
    [
        ("price_plan", PLAN, {"rates": [*PLAN["rates"], {"product": "film", "price": 3}]}, True),
        # Items name a rate by its place: one put before those in use would explain old bills by another price.
        ("price_plan", PLAN, {"rates": [{"product": "film", "price": 3}, *PLAN["rates"]]}, False),
        ("usage_service_catalog", CATALOG, {"entries": [*CATALOG["entries"], {"product": "game", "price": 3}]}, True),
        ("usage_service_catalog", CATALOG, {"entries": [{"product": "film", "price": 3}]}, False),
        (
            "usage_service_catalog",
            CATALOG,
            {"entries": [{"product": "film", "price": 4, "available_to": "2027-01-01"}]},
            True,
        ),
        (
            "price_plan",
            PLAN,
            {"rates": [*PLAN["rates"], {"product": "tv", "frequency": "annual", "price": 3}]},
            False,
        ),
        ("price_plan", PLAN, {"rates": [{"product": "film", "price": 3}]}, False),
        ("price_plan", PLAN, {"rates": []}, False),
        ("price_plan", PLAN, {"discounts": [{"percent": 5}]}, False),
        ("price_plan", PLAN, {"description": "for all", "state": "inactive"}, True),
        ("price_plan", PLAN, {"name": "Other"}, False),
        ("tax_class", TAX, {"rates": [*TAX["rates"], {"from": "2027-01-01", "percent": 21}]}, True),
        ("tax_class", TAX, {"rates": [{"from": "2010-01-01", "percent": 16}, *TAX["rates"]]}, False),
        ("tax_class", TAX, {"rates": [{"from": "2020-01-01", "percent": 20}]}, False),
    ],
)
def test_what_may_be_added_to_a_used_version(
    kind: str, values: dict[str, Any], changes: dict[str, Any], is_allowed: bool
) -> None:
    done, problems = plan([entity(kind, values, **changes)], [version(kind, values, used=True)])
    assert [change.action for change in done] == ([ChangeAction.UPDATED] if is_allowed else [])
    assert [problem.code for problem in problems] == ([] if is_allowed else ["version_in_use"])


def test_other_kinds_get_a_version_of_today() -> None:
    change = only([entity("product_type", TYPE, name="Plus")], [version("product_type", TYPE, used=True)])
    assert (change.action, change.number, change.effective_date) == (ChangeAction.NEW_VERSION, 2, TODAY)


@pytest.mark.parametrize("effective_date", [None, "1970-01-01"])
def test_a_version_of_today_is_not_made_twice(effective_date: str | None) -> None:
    stored = [version("product_type", TYPE, used=True), version("product_type", TYPE, 2, TODAY, name="Plus")]
    same = entity("product_type", TYPE, name="Plus", effective_date=effective_date)
    assert only([same], stored).action is ChangeAction.UNCHANGED
    third = only([entity("product_type", TYPE, name="Max", effective_date=effective_date)], stored)
    assert (third.action, third.number) == (ChangeAction.UPDATED, 2)


def test_a_version_used_on_its_first_day_stays() -> None:
    stored = [version("product_type", TYPE, 1, TODAY, used=True)]
    changes, problems = plan([entity("product_type", TYPE, name="Plus")], stored)
    assert (changes, [problem.code for problem in problems]) == ([], ["version_in_use"])


def test_a_planned_version_is_found_by_its_date() -> None:
    later = date(2027, 1, 1)
    stored = [version("product_type", TYPE, used=True), version("product_type", TYPE, 2, later, name="Plus")]
    change = only([entity("product_type", TYPE, name="Max", effective_date="2027-01-01")], stored)
    assert (change.action, change.number, change.effective_date) == (ChangeAction.UPDATED, 2, later)


def test_several_versions_of_a_new_entity() -> None:
    first = entity("product_type", TYPE)
    second = entity("product_type", TYPE, name="Plus", effective_date="2027-01-01")
    changes, problems = plan([first, second], [])
    assert problems == []
    assert [(change.action, change.number) for change in changes] == [
        (ChangeAction.CREATED, 1),
        (ChangeAction.NEW_VERSION, 2),
    ]


def test_two_entries_for_one_version() -> None:
    first = entity("product_type", TYPE)
    second = entity("product_type", TYPE, name="Plus", effective_date="1970-01-01")
    _, problems = plan([first, second], [])
    assert [problem.code for problem in problems] == ["given_twice"]
