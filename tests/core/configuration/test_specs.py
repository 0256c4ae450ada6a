"""A spec refuses to exist in a wrong state, and says where and why."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from coax.configuration.types.billing_term_definition import BillingTermDefinition
from coax.configuration.types.billing_term_scheme import BillingTermScheme
from coax.configuration.types.catalogue import Product, TaxClass
from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import BEGINNING, divides, frequency_months_days
from coax.configuration.types.operator import OperatorSpec
from coax.configuration.types.price_plan import PricePlan, Rate
from coax.configuration.types.receivable_definition import ReceivableDefinition
from coax.configuration.types.registry import KINDS, SECTIONS
from coax.configuration.types.run_definition import NormalBillingRunDefinition
from coax.configuration.types.subscription_definition import SubscriptionDefinition
from coax.configuration.types.subscription_type import SubscriptionType

ASSEMBLING = {"rounding_product": "r", "debit_adjustment_type": "d", "credit_adjustment_type": "c"}


def faults(spec: type[Any], **values: Any) -> list[tuple[str, str]]:
    """Return (path, message) of everything wrong with a spec of these values."""
    if issubclass(spec, Entity | OperatorSpec):
        values = {"code": "x", "name": "X", **values}
    with pytest.raises(ValidationError) as caught:
        spec.model_validate(values)
    return [(".".join(map(str, error["loc"])), error["msg"]) for error in caught.value.errors()]


def paths(spec: type[Any], **values: Any) -> list[str]:
    return [path for path, _ in faults(spec, **values)]


def tiers(*bounds: tuple[int, int | None]) -> list[dict[str, Any]]:
    return [{"from": start, "to": end, "price": 1} for start, end in bounds]


@pytest.mark.parametrize("value", [0, 12, "12.5", "0.000001", Decimal("12.50"), "1000000000"])
def test_prices_are_exact(value: Any) -> None:
    rate = Rate.model_validate({"product": "a", "price": value})
    assert rate.price == Decimal(value)


@pytest.mark.parametrize("value", [12.5, True, "abc", "-1", "1.0000001", "NaN", "Infinity", "1000000000.01", [], ""])
def test_what_is_not_a_price(value: Any) -> None:
    assert paths(Rate, product="a", price=value) == ["price"]


@pytest.mark.parametrize("value", ["Main", "main plan", "-a", "a--b", "", "a/b", "x" * 64])
def test_what_is_not_a_code(value: str) -> None:
    assert paths(Product, code=value, **{"class": "rounding"}) == ["code"]


def test_unknown_keys_are_refused() -> None:
    assert paths(Product, klass="termed", **{"class": "rounding"}) == ["klass"]


@pytest.mark.parametrize(
    ("model", "bounds", "expected"),
    [
        ("quantity_tiered", [(1, 5), (5, None)], None),
        ("quantity_tiered", [(1, None)], None),
        ("maturity_tiered", [(0, 12), (12, None)], None),
        ("duration_tiered", [(1, 3), (3, None)], None),
        ("quantity_tiered", [(0, 5), (5, None)], "tiers.0.from"),
        ("maturity_tiered", [(1, None)], "tiers.0.from"),
        ("quantity_tiered", [(1, 5), (6, None)], "tiers.1.from"),
        ("quantity_tiered", [(1, 5), (4, None)], "tiers.1.from"),
        ("quantity_tiered", [(1, 5), (5, 9)], "tiers.1.to"),
        ("quantity_tiered", [(1, None), (5, None)], "tiers.1.from"),
        ("quantity_tiered", [(1, 1), (1, None)], "tiers.0.to"),
        ("quantity_tiered", [], "tiers"),
    ],
)
def test_tiers_are_contiguous(model: str, bounds: list[Any], expected: str | None) -> None:
    values = {"product": "a", "model": model, "tiers": tiers(*bounds)}
    if expected is None:
        assert Rate.model_validate(values).tiers[0].from_ == bounds[0][0]
    else:
        assert paths(Rate, **values) == [expected]


def test_all_faults_of_tiers_are_told() -> None:
    wrong = tiers((2, 5), (6, 9))
    assert paths(Rate, product="a", model="quantity_tiered", tiers=wrong) == [
        "tiers.0.from",
        "tiers.1.from",
        "tiers.1.to",
    ]


def test_grid_of_quantity_and_maturity() -> None:
    def cell(m_from: int, m_to: int | None, q_from: int, q_to: int | None) -> dict[str, Any]:
        return {"maturity_from": m_from, "maturity_to": m_to, "from": q_from, "to": q_to, "price": 1}

    whole = [cell(0, 12, 1, 3), cell(0, 12, 3, None), cell(12, None, 1, None)]
    values = {"product": "a", "model": "quantity_and_maturity_tiered"}
    assert len(Rate.model_validate({**values, "tiers": whole}).tiers) == 3
    assert paths(Rate, **values, tiers=[*whole[:2], cell(13, None, 1, None)]) == ["tiers.2.maturity_from"]
    assert paths(Rate, **values, tiers=[whole[0], whole[2]]) == ["tiers.0.to"]
    assert paths(Rate, **values, tiers=tiers((1, None))) == ["tiers.0.maturity_from"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"model": "flat"}, "price"),
        ({"price": 1, "tiers": tiers((1, None))}, "tiers"),
        ({"model": "quantity_tiered", "price": 1, "tiers": tiers((1, None))}, "price"),
    ],
)
def test_a_rate_has_the_prices_of_its_model(values: dict[str, Any], expected: str) -> None:
    assert paths(Rate, product="a", **values) == [expected]


@pytest.mark.parametrize(
    ("frequency", "per", "is_right"),
    [
        ("biannual", {"count": 1, "unit": "month"}, True),
        ("annual", {"count": 1, "unit": "year"}, True),
        ("3_weeks", {"count": 1, "unit": "week"}, True),
        ("biannual", {"count": 4, "unit": "month"}, False),
        ("monthly", {"count": 1, "unit": "week"}, False),
        ("weekly", {"count": 1, "unit": "month"}, False),
    ],
)
def test_the_price_period_divides_the_frequency(frequency: str, per: dict[str, Any], is_right: bool) -> None:
    values = {"product": "a", "price": 1, "frequency": frequency, "per": per}
    if is_right:
        assert Rate.model_validate(values).per is not None
    else:
        assert paths(Rate, **values) == ["per"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"type": "conditional", "conditions": {"frequencies": ["monthly"]}}, ["base_plan"]),
        ({"type": "conditional", "base_plan": "b"}, ["conditions"]),
        ({"base_plan": "b"}, ["base_plan"]),
        ({"conditions": {"frequencies": ["monthly"]}}, ["conditions"]),
        ({"rates": [{"product": "a", "price": 1}] * 2}, ["rates.1.product"]),
        ({"discounts": [{"product": "a"}]}, ["discounts.0"]),
        ({"discounts": [{"percent": 5, "amount_off": 1}]}, ["discounts.0"]),
        ({"discounts": [{"percent": 101}]}, ["discounts.0.percent"]),
        ({"currency": "EURO"}, ["currency"]),
    ],
)
def test_price_plan(values: dict[str, Any], expected: list[str]) -> None:
    assert paths(PricePlan, **{"currency": "EUR", **values}) == expected


@pytest.mark.parametrize(
    ("code", "months_days", "canonical"),
    [
        ("daily", (0, 1), "daily"),
        ("biannual", (6, 0), "biannual"),
        ("two_years", (24, 0), "two_years"),
        ("6_months", (6, 0), "biannual"),
        ("1_month", (1, 0), "monthly"),
        ("10_days", (0, 10), "10_days"),
        ("3_weeks", (0, 21), "3_weeks"),
    ],
)
def test_frequencies(code: str, months_days: tuple[int, int], canonical: str) -> None:
    assert frequency_months_days(code) == months_days
    rate = Rate.model_validate({"product": "a", "price": 1, "frequency": code})
    assert rate.frequency == canonical


def test_divides() -> None:
    assert divides((1, 0), (6, 0))
    assert divides((0, 7), (0, 21))
    assert not divides((6, 0), (1, 0))
    assert not divides((0, 1), (1, 0))
    assert not divides((1, 0), (0, 30))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"allowed_cycle_days": [1, 15]}, ["allowed_cycle_days"]),
        ({"allowed_cycle_days": []}, ["allowed_cycle_days"]),
        ({"allowed_cycle_days": [32]}, ["allowed_cycle_days.0"]),
        ({"automate_cycle_day": True}, ["automate_cycle_day"]),
        ({"cycle_last_day_of_month": True}, ["cycle_last_day_of_month"]),
        ({"billing_method": "anniversary", "cycle_last_day_of_month": True}, ["allowed_cycle_days"]),
        ({"services": [{"product": "a", "billing_type": "pre_rate"}]}, ["services.0.billing_type"]),
        ({"services": [{"product": "a"}, {"product": "a"}]}, ["services.1.product"]),
        ({"type": "prepaid", "services": [{"product": "a"}]}, ["services.0.billing_type"]),
        ({"type": "prepaid", "payment_model": "pay_before_bill"}, ["payment_model"]),
        ({"default_price_plan": "other"}, ["default_price_plan"]),
        ({"price_plans": []}, ["price_plans"]),
        ({"frequencies": []}, ["frequencies"]),
        ({"frequencies": ["yearly"]}, ["frequencies.0"]),
        ({"billable_period_start": "someday"}, ["billable_period_start"]),
    ],
)
def test_billing_term_scheme(values: dict[str, Any], expected: list[str]) -> None:
    assert paths(BillingTermScheme, **{"price_plans": ["main"], **values}) == expected


def test_anniversary_schemes() -> None:
    values = {"code": "a", "name": "A", "price_plans": ["main"], "billing_method": "anniversary"}
    scheme = BillingTermScheme.model_validate({**values, "allowed_cycle_days": [], "automate_cycle_day": True})
    assert scheme.allowed_cycle_days == ()
    last = BillingTermScheme.model_validate({**values, "allowed_cycle_days": [], "cycle_last_day_of_month": True})
    assert last.cycle_last_day_of_month


@pytest.mark.parametrize(
    ("spec", "values", "expected"),
    [
        (Product, {"class": "termed"}, ["tax_class"]),
        (TaxClass, {"rates": []}, ["rates"]),
        (
            TaxClass,
            {"rates": [{"from": "2026-01-01", "percent": 19}, {"from": "2025-01-01", "percent": 7}]},
            ["rates.1.from"],
        ),
        (TaxClass, {"rates": [{"from": "2026-01-01", "percent": "19.00001"}]}, ["rates.0.percent"]),
        (SubscriptionType, {"schemes": ["s"], "services": [{"mandatory": True}]}, ["services.0"]),
        (SubscriptionType, {"schemes": ["s"], "classification": "package"}, ["package"]),
        (
            SubscriptionType,
            {"schemes": ["s"], "classification": "package", "package": {"scheme": "t"}},
            ["package.scheme"],
        ),
        (
            SubscriptionDefinition,
            {"service_rules": [{"minimum": 3, "maximum": 1}]},
            ["service_rules.0.maximum"],
        ),
        (
            SubscriptionDefinition,
            {"service_dependencies": [{}]},
            ["service_dependencies.0.products", "service_dependencies.0.require_products"],
        ),
        (BillingTermDefinition, {"rules": [{"rule": "cancellation_penalty"}]}, ["rules.0.penalty"]),
        (
            BillingTermDefinition,
            {"rules": [{"rule": "cancellation_penalty", "penalty": {"product": "p", "basis": "fixed_amount"}}]},
            ["rules.0.penalty.amount"],
        ),
        (ReceivableDefinition, {"due_date": {"rule": "day_of_next_month"}}, ["due_date.day"]),
        (
            ReceivableDefinition,
            {"due_date": {"rule": "fixed_date", "date": "2026-01-01", "day": 1}},
            ["due_date.day"],
        ),
        (OperatorSpec, {"currency": "EUR", "time_zone": "Europe/Atlantis"}, ["time_zone"]),
        (OperatorSpec, {"currency": "EUR", "time_zone": "/etc/passwd"}, ["time_zone"]),
        (OperatorSpec, {"currency": "EUR", "clock_date": date(2026, 1, 1)}, ["clock_date"]),
        (OperatorSpec, {"currency": "XXX"}, ["currency"]),
    ],
)
def test_other_entities(spec: type[Any], values: dict[str, Any], expected: list[str]) -> None:
    assert paths(spec, **values) == expected


@pytest.mark.parametrize(
    ("rating", "expected"),
    [
        ({"bill_as_of": {"rule": "day_of_month", "day": 1}}, ["rating.bill_as_of.month"]),
        (
            {"bill_as_of": {"rule": "run_date_plus_days", "count": 3, "unit": "day"}},
            ["rating.bill_as_of.unit"],
        ),
        ({"bill_as_of": {"count": 0, "unit": "day"}}, ["rating.bill_as_of.count"]),
        (
            {"period_to_bill_in_advance": {"rule": "fixed_period"}},
            ["rating.period_to_bill_in_advance.count", "rating.period_to_bill_in_advance.unit"],
        ),
        ({"period_to_bill_in_advance": {"count": 3}}, ["rating.period_to_bill_in_advance.count"]),
    ],
)
def test_run_definition_rules(rating: dict[str, Any], expected: list[str]) -> None:
    assert paths(NormalBillingRunDefinition, rating=rating, assembling=ASSEMBLING) == expected


def test_run_definition_defaults() -> None:
    values = {"code": "main", "name": "Main", "assembling": ASSEMBLING}
    definition = NormalBillingRunDefinition.model_validate(values)
    assert definition.rating.bill_as_of.count == 1
    assert definition.invoicing.minimum_debit == 0
    assert definition.assembling.decimal_scale is None


def test_tax_rate_of_a_day() -> None:
    rates = [{"from": date(2020, 7, 1), "percent": 16}, {"from": date(2021, 1, 1), "percent": 19}]
    tax = TaxClass.model_validate({"code": "t", "name": "T", "rates": rates})
    assert tax.find_percent(date(2020, 6, 30)) is None
    assert tax.find_percent(date(2020, 12, 31)) == 16
    assert tax.find_percent(date(2021, 1, 1)) == 19


def test_versions_begin_at_the_beginning() -> None:
    product = Product.model_validate({"code": "r", "name": "R", "class": "rounding"})
    assert product.in_force_from == BEGINNING
    assert product.revenue_account_code == "rounding"


def test_registry_is_whole() -> None:
    assert all(KINDS[code].code == code for code in KINDS)
    assert SECTIONS["tax_classes"].code == "tax_class"
    named = {target for kind in KINDS.values() for target in kind.references}
    assert named <= set(KINDS)
    assert {code for code, kind in KINDS.items() if kind.on_use == "replace"} == {
        "usage_service_catalog",
        "tax_class",
        "price_plan",
        "billing_term_scheme",
    }


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_every_field_is_described(kind: Any) -> None:
    assert kind.spec.__doc__
    assert all(field.description for field in kind.spec.model_fields.values())
