"""What entities say of each other is checked over the files and what is stored."""

from __future__ import annotations

from datetime import date

import pytest

from coax.configuration.rules.changes import plan_changes
from coax.configuration.rules.check import check_outcome
from coax.configuration.rules.outcome import Outcome
from coax.configuration.rules.parse import parse_sources
from coax.configuration.types.documents import Problem, SourceDocument

TODAY = date(2026, 5, 1)
BASE = """\
tax_classes: [{code: vat, name: VAT, rates: [{from: 2020-01-01, percent: 19}]}]
product_types: [{code: basic, name: Basic, class: termed}]
products:
  - {code: tv, name: TV, class: termed, type: basic, tax_class: vat}
  - {code: box, name: Box, class: physical_good, tax_class: vat}
  - {code: fee, name: Fee, class: expense, tax_class: vat}
  - {code: rounding, name: Rounding, class: rounding}
financial_transaction_types:
  - {code: debit, name: Debit, classification: invoice}
  - {code: credit, name: Credit, classification: credit_note}
price_plans:
  - {code: main, name: Main, currency: EUR, rates: [{product: tv, price: 10, per: {count: 1, unit: month}}]}
billing_term_schemes:
  - {code: scheme, name: S, price_plans: [main], services: [{product: tv}], frequencies: [monthly, biannual]}
subscription_types: [{code: type, name: Type, schemes: [scheme], physical_goods: [box]}]
"""


def check(text: str, *, currency: str = "EUR", base: str = BASE) -> list[Problem]:
    parsed = parse_sources([SourceDocument("base.yaml", base), SourceDocument("file.yaml", text)])
    assert parsed.problems == ()
    planned, problems = plan_changes(parsed.entities, {}, as_of=TODAY)
    assert problems == []
    return check_outcome(Outcome(planned, {}, as_of=TODAY), declared=parsed.declared, currency=currency)


def test_base_is_right() -> None:
    assert check("") == []


RUN = """
normal_billing_run_definitions:
  - code: run
    name: Run
    assembling:
      rounding_product: %s
      debit_adjustment_type: %s
      credit_adjustment_type: %s
      decimal_scale: %s
"""
ASSEMBLING = "normal_billing_run_definitions[0].assembling"
RECEIVABLE = """
  - code: %s
    name: R
    state: %s
    effective_date: %s
    due_date: {rule: days_after_transaction, days: 14}
"""
UNKNOWN_TAX = "products: [{code: a, name: A, class: termed, tax_class: vta}]"
OTHER_CLASS = "products: [{code: a, name: A, class: usage, type: basic, tax_class: vat}]"
UNKNOWN_PRODUCT = "price_plans: [{code: a, name: A, currency: EUR, rates: [{product: b, price: 1}]}]"
OTHER_CURRENCY = """
price_plans:
  - code: a
    name: A
    currency: CHF
    type: conditional
    base_plan: main
    conditions: {frequencies: [monthly]}
"""
NOT_A_SERVICE = """
billing_term_schemes: [{code: a, name: A, price_plans: [main], services: [{product: box}]}]
"""
ODD_FREQUENCY = """
billing_term_schemes:
  - {code: a, name: A, price_plans: [main], services: [{product: tv}], frequencies: [weekly, monthly]}
"""
UNKNOWN_SCHEME = "subscription_types: [{code: a, name: A, schemes: [other]}]"
NOT_A_GOOD = """
subscription_types:
  - {code: a, name: A, schemes: [scheme], physical_goods: [tv], services: [{product: box}]}
"""
PENALTY = """
billing_term_definitions:
  - code: a
    name: A
    rules:
      - {rule: cancellation_penalty, penalty: {product: tv, basis: fixed_amount, amount: 50}}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (UNKNOWN_TAX, {"products[0].tax_class": "did you mean vat?"}),
        (OTHER_CLASS, {"products[0].type": ""}),
        (UNKNOWN_PRODUCT, {"price_plans[0].rates[0].product": "allowed: tv, box"}),
        (OTHER_CURRENCY, {"price_plans[0].currency": "EUR"}),
        (NOT_A_SERVICE, {"billing_term_schemes[0].services[0].product": ""}),
        (ODD_FREQUENCY, {"price_plans[0].rates[0].per": "a rate of its own with frequency: weekly"}),
        (UNKNOWN_SCHEME, {"subscription_types[0].schemes[0]": "scheme"}),
        (
            NOT_A_GOOD,
            {"subscription_types[0].services[0].product": "", "subscription_types[0].physical_goods[0]": ""},
        ),
        (RUN % ("rounding", "debit", "credit", 2), {}),
        (
            RUN % ("tv", "credit", "debit", 2),
            {
                f"{ASSEMBLING}.rounding_product": "",
                f"{ASSEMBLING}.debit_adjustment_type": "",
                f"{ASSEMBLING}.credit_adjustment_type": "",
            },
        ),
        (RUN % ("none", "debit", "credit", 2), {f"{ASSEMBLING}.rounding_product": "allowed: tv"}),
        (RUN % ("rounding", "debit", "credit", 3), {f"{ASSEMBLING}.decimal_scale": "0 to 2"}),
        (PENALTY, {"billing_term_definitions[0].rules[0].penalty.product": ""}),
    ],
)
def test_between_entities(text: str, expected: dict[str, str]) -> None:
    found = check(text)
    assert [problem.path for problem in found] == list(expected)
    assert all(allowed in problem.allowed for problem, allowed in zip(found, expected.values(), strict=True))


def test_a_conditional_plan_has_a_base_plan_of_type_base() -> None:
    plan = "{code: %s, name: A, currency: EUR, type: conditional, base_plan: %s, conditions: {%s}}"
    when = "frequencies: [monthly]"
    found = check(f"price_plans: [{plan % ('a', 'main', when)}, {plan % ('b', 'a', when)}]")
    assert [(problem.path, problem.message) for problem in found] == [
        ("price_plans[1].base_plan", "the base plan must be of type base")
    ]


def test_a_rate_of_its_own_serves_the_odd_frequency() -> None:
    plan = """
price_plans:
  - code: main
    name: Main
    currency: EUR
    rates:
      - {product: tv, price: 10, per: {count: 1, unit: month}}
      - {product: tv, price: 3, frequency: weekly}
"""
    base = BASE.replace("[monthly, biannual]", "[monthly, weekly]")
    start = base.index("price_plans:")
    end = base.index("billing_term_schemes:")
    assert check(plan, base=base[:start] + base[end:]) == []


@pytest.mark.parametrize(
    ("entries", "is_right"),
    [
        ([("a", "active", "1970-01-01"), ("b", "active", "1970-01-01")], False),
        ([("a", "active", "1970-01-01"), ("b", "inactive", "1970-01-01")], True),
        ([("a", "active", "1970-01-01"), ("b", "draft", "1970-01-01")], True),
        ([("a", "active", "1970-01-01"), ("b", "active", "2027-01-01")], False),
        (
            [("a", "active", "1970-01-01"), ("a", "inactive", "2027-01-01"), ("b", "active", "2027-01-01")],
            True,
        ),
    ],
)
def test_one_receivable_definition_is_active_at_a_time(entries: list[tuple[str, str, str]], is_right: bool) -> None:
    rows = "".join(RECEIVABLE % entry for entry in entries)
    found = check(f"receivable_definitions:{rows}")
    assert [problem.path for problem in found] == ([] if is_right else ["receivable_definitions[1].state"])


def test_one_billing_term_definition_for_each_classification() -> None:
    one = "{code: a, name: A, classification: subscriptions}"
    assert check(f"billing_term_definitions: [{one}, {{code: b, name: B, classification: jobs}}]") == []
    assert len(check(f"billing_term_definitions: [{one}, {{code: b, name: B}}]")) == 1


def test_references_to_wrong_entities_are_not_blamed_again() -> None:
    text = BASE.replace("class: termed, type: basic, tax_class: vat", "class: termd")
    parsed = parse_sources([SourceDocument("base.yaml", text)])
    assert len(parsed.problems) == 1
    planned, _ = plan_changes(parsed.entities, {}, as_of=TODAY)
    assert check_outcome(Outcome(planned, {}, as_of=TODAY), declared=parsed.declared) == []
