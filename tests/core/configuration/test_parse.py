"""Every problem of a configuration is listed, with file, line, path, value and what is allowed."""

from __future__ import annotations

from coax.configuration.rules.parse import parse_sources
from coax.configuration.types.documents import Problem, SourceDocument

BAD = """\
operator: {code: a, name: A, currency: EUR, time_zon: UTC}
productss: []
products:
  - code: tv
    name: TV
    class: termd
    taxclass: standard
  - just text
price_plans:
  - code: main
    name: Main
    currency: EUR
    rates:
      - {product: tv, price: 12.5000001}
      - product: tv
        frequency: monthly
        model: quantity_tiered
        tiers:
          - {from: 1, to: 5, price: 3}
          - {from: 6, price: 2}
"""


def problems_of(*texts: str) -> list[Problem]:
    documents = [SourceDocument(f"{i}.yaml", text) for i, text in enumerate(texts)]
    return list(parse_sources(documents).problems)


def test_every_problem_is_listed() -> None:
    found = [(p.code, p.line, p.path, p.value) for p in problems_of(BAD)]
    assert found == [
        ("unknown_key", 1, "operator.time_zon", "'UTC'"),
        ("unknown_key", 2, "productss", ""),
        ("invalid_value", 6, "products[0].class", "'termd'"),
        ("unknown_key", 7, "products[0].taxclass", "'standard'"),
        ("invalid_value", 8, "products[1]", "'just text'"),
        ("invalid_value", 14, "price_plans[0].rates[0].price", "12.5000001"),
        ("invalid_value", 20, "price_plans[0].rates[1].tiers[1].from", "6"),
    ]


def test_what_is_allowed_is_told() -> None:
    allowed = {problem.path: problem.allowed for problem in problems_of(BAD)}
    assert allowed["operator.time_zon"].startswith("did you mean time_zone? allowed: code, name,")
    assert allowed["productss"].startswith("did you mean products? allowed: operator, tax_classes,")
    assert allowed["products[0].class"] == (
        "did you mean termed? allowed: termed, usage, one_time, expense, physical_good, rounding"
    )
    assert "did you mean tax_class?" in allowed["products[0].taxclass"]


def test_a_problem_reads_well() -> None:
    text = str(problems_of(BAD)[5])
    assert text == (
        "0.yaml:14: price_plans[0].rates[0].price: at most 6 decimals are allowed (given: 12.5000001); "
        "The price of a flat rate, in major units."
    )


def test_missing_keys_name_the_entry() -> None:
    (problem,) = problems_of("products:\n  - code: tv\n    class: rounding\n")
    assert (problem.code, problem.line, problem.path) == ("missing", 2, "products[0].name")


def test_the_same_version_twice() -> None:
    unit = "organisational_units:\n  - {code: a, name: A}\n"
    (problem,) = problems_of(unit, unit)
    assert (problem.file, problem.line, problem.code) == ("1.yaml", 2, "given_twice")
    assert "0.yaml:2" in problem.message


def test_two_operators() -> None:
    operator = "operator: {code: a, name: A, currency: EUR}\n"
    (problem,) = problems_of(operator, operator)
    assert problem.message == "the operator is already given in 0.yaml:1"


def test_empty_files_and_sections_are_right() -> None:
    assert problems_of("", "# only a comment\n", "products:\n", "products: []\n") == []


def test_sections_are_lists() -> None:
    assert problems_of("products: {code: a}\n")[0].message.startswith("a list is wanted")
    assert problems_of("- a\n")[0].message == "the file has no sections"


def test_codes_of_wrong_entities_are_remembered() -> None:
    parsed = parse_sources([SourceDocument("a.yaml", BAD)])
    assert parsed.declared == {("product", "tv"), ("price_plan", "main")}


def test_a_whole_number_may_stand_for_a_text() -> None:
    text = "operator: {code: a, name: 24, currency: EUR, tax_number: 0123, address: [12]}\n"
    parsed = parse_sources([SourceDocument("a.yaml", text)])
    assert parsed.operator is not None
    assert (parsed.operator.name, parsed.operator.tax_number, parsed.operator.address) == (
        "24",
        "0123",
        ("12",),
    )
