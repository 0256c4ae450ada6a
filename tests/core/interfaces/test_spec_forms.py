"""Forms from specs: what is described, what is read of a sent form, what is written beside a field."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from coax.configuration.types.documents import Problem
from coax.configuration.types.price_plan import PricePlan
from coax.configuration.types.registry import KINDS
from coax.interfaces.console.forms.bound import Binder, BoundField, BoundGroup, BoundList
from coax.interfaces.console.forms.faults import FORM, place_problems
from coax.interfaces.console.forms.nodes import FieldNode, GroupNode, Input, ListNode, describe_spec, find_node
from coax.interfaces.console.forms.values import change_rows, first_values, read_values
from coax.interfaces.console.templatetags import console as filters

PLAN = describe_spec(PricePlan)


def _sent(**fields: str | list[str]) -> QueryDict:
    sent = QueryDict(mutable=True)
    for name, value in fields.items():
        sent.setlist(name, value if isinstance(value, list) else [value])
    return sent


def _field(path: str) -> FieldNode:
    node = find_node(PLAN, path)
    assert isinstance(node, FieldNode)
    return node


@pytest.mark.parametrize(
    ("path", "input_", "is_required"),
    [
        ("code", Input.TEXT, True),
        ("description", Input.LONG_TEXT, False),
        ("effective_date", Input.DATE, False),
        ("state", Input.CHOICE, False),
        ("priority", Input.NUMBER, False),
        ("tax_inclusive", Input.BOOLEAN, False),
        ("base_plan", Input.REFERENCE, False),
        ("rates.0.product", Input.REFERENCE, True),
        ("rates.0.price", Input.DECIMAL, False),
        ("rates.0.tiers.12.from", Input.NUMBER, True),
        ("rates.0.per.unit", Input.CHOICE, True),
        ("conditions.frequencies.0", Input.TEXT, True),
    ],
)
def test_every_type_has_its_input(path: str, input_: Input, is_required: bool) -> None:
    assert (_field(path).input, _field(path).is_required) == (input_, is_required)


def test_references_choices_and_suggestions_are_known() -> None:
    assert _field("rates.0.product").reference == "product"
    assert _field("state").choices == ("active", "inactive", "draft")
    assert "monthly" in _field("rates.0.frequency").suggestions
    assert find_node(PLAN, "rates.0.nothing") is None
    assert find_node(PLAN, "rates.x") is None


def test_no_kind_needs_a_form_of_its_own() -> None:
    def walk(node: Any) -> int:
        if isinstance(node, FieldNode):
            return 1
        return walk(node.item) if isinstance(node, ListNode) else sum(map(walk, node.children))

    assert all(walk(describe_spec(kind.spec)) >= 5 for kind in KINDS.values())


def test_sources_of_rules_are_not_shown_to_clerks() -> None:
    scheme = describe_spec(KINDS["billing_term_scheme"].spec)
    node = find_node(scheme, "payment_model")
    assert isinstance(node, FieldNode)
    assert node.help == "Whether payment is needed before activation."


def test_blank_is_not_there_and_rows_are_numbered_anew() -> None:
    values = read_values(
        PLAN,
        _sent(
            **{
                "code": " main ",
                "priority": "",
                "tax_inclusive": "on",
                "rates.9.product": "b",
                "rates.9.per.count": "",
                "rates.9.per.unit": "",
                "rates.2.product": "a",
                "rates.2.price": "12.50",
                "rates.2.per.count": "2",
                "rates.2.per.unit": "month",
                "rates.30.product": "",
            }
        ),
    )
    assert values["code"] == "main"
    assert "priority" not in values
    assert values["tax_inclusive"] is True
    assert [rate["product"] for rate in values["rates"]] == ["a", "b"]
    assert values["rates"][0]["price"] == "12.50"
    assert values["rates"][0]["per"] == {"count": 2, "unit": "month"}
    assert "per" not in values["rates"][1]
    assert values["discounts"] == []


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("-1", -1), ("1.5", "1.5"), ("many", "many"), ("9" * 30, "9" * 30)]
)
def test_a_number_that_is_none_is_left_for_the_spec_to_refuse(text: str, value: object) -> None:
    assert read_values(PLAN, _sent(priority=text))["priority"] == value


def test_picked_values_keep_their_order() -> None:
    values = read_values(PLAN, _sent(**{"conditions.classifications": ["b", "a", ""]}))
    assert values["conditions"]["classifications"] == ["b", "a"]
    bound = Binder({"account_classification": {"a": "A", "b": "B", "c": "C"}}).bind(PLAN, values)
    conditions = next(part for part in bound.parts if isinstance(part, BoundGroup) and part.path == "conditions")
    picked = next(part for part in conditions.parts if isinstance(part, BoundList) and part.shape == "pick")
    assert [(option.value, option.is_chosen) for option in picked.options] == [("b", True), ("a", True), ("c", False)]


def test_rows_are_added_with_their_defaults_and_removed() -> None:
    values = first_values(PLAN)
    change_rows(PLAN, values, add="rates")
    change_rows(PLAN, values, add="rates.0.tiers")
    assert values["rates"][0]["model"] == "flat"
    assert len(values["rates"][0]["tiers"]) == 1
    change_rows(PLAN, values, remove="rates.0.tiers.0")
    assert values["rates"][0]["tiers"] == []
    change_rows(PLAN, values, remove="rates.7")
    change_rows(PLAN, values, add="conditions.frequencies")
    assert values["conditions"]["frequencies"] == [""]
    assert len(values["rates"]) == 1


def _bound(path: str, values: dict[str, Any]) -> BoundField:
    group = Binder({"product": {"a": "Alpha"}}).bind(PLAN, values)

    def walk(bound: Any) -> Any:
        if isinstance(bound, BoundField):
            return bound if bound.path == path else None
        inner = bound.children if isinstance(bound, BoundGroup) else bound.rows
        return next((found for child in inner if (found := walk(child))), None)

    found: BoundField = walk(group)
    return found


def test_a_choice_with_a_default_is_never_blank_and_an_absent_group_always() -> None:
    values = {**first_values(PLAN), "rates": [{"product": "gone"}]}
    assert [option.value for option in _bound("state", values).options] == ["active", "inactive", "draft"]
    assert _bound("rates.0.per.unit", values).options[0].value == ""
    product = _bound("rates.0.product", values)
    assert [(option.label, option.is_chosen) for option in product.options] == [
        ("gone (unknown)", True),
        ("Alpha (a)", False),
    ]
    assert product.row == "Rate 1"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("price_plans[0].rates[2].price", "rates.2.price"),
        ("price_plans[0].rates[2]", "rates.2"),
        ("price_plans[0].rates[2].imagined", "rates.2"),
        ("price_plans[0]", ""),
    ],
)
def test_a_problem_stands_at_the_nearest_field(path: str, place: str) -> None:
    problem = Problem(FORM, 3, path, "'x'", "not a number", "write 12.50")
    assert list(place_problems([problem], PLAN)) == [place]


def test_a_problem_of_another_entity_stands_at_the_head_with_its_place() -> None:
    problem = Problem("(stored)", None, "products.sports.tax_class", "'x'", "no tax class has this code")
    assert place_problems([problem], PLAN) == {
        "": ["Products.sports.tax_class: no tax class has this code (given: 'x')"]
    }


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (filters.minor(123456, "EUR"), "1,234.56"),
        (filters.minor(-5, "EUR"), "\u22120.05"),
        (filters.minor(1234, "JPY"), "1,234"),
        (filters.minor(None, "EUR"), ""),
        (filters.micro(12_500_000, "EUR"), "12.50"),
        (filters.micro(13_161_290, "EUR"), "13.16129"),
        (filters.micro(-1, "EUR"), "\u22120.000001"),
        (filters.micro(5_000_000, "JPY"), "5"),
        (filters.number(1234567), "1,234,567"),
        (filters.percent(190_000), "19\u00a0%"),
        (filters.percent(55_500), "5.55\u00a0%"),
        (filters.words("not_exceeded"), "Not exceeded"),
        (filters.shown(None), "\u2013"),
        (filters.shown([{"a": 1, "b": None}, {"a": 2}]), "a: 1, a: 2"),
    ],
)
def test_figures_are_written_exactly(written: str, text: str) -> None:
    assert written == text


def test_a_flat_group_of_two_is_a_pair() -> None:
    per = find_node(PLAN, "rates.0.per")
    assert isinstance(per, GroupNode)
    assert per.is_pair
    tier = find_node(PLAN, "rates.0.tiers.0")
    assert isinstance(tier, GroupNode)
    assert (tier.is_pair, tier.is_flat) == (False, True)
