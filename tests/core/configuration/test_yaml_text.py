"""YAML is read exactly, and what cannot be read is reported with its line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.configuration.rules.yaml_text import ReadDocument
from coax.configuration.types.documents import SourceDocument


def read(text: str) -> ReadDocument:
    return ReadDocument(SourceDocument("file.yaml", text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.50", Decimal("12.50")),
        ("-0.1", Decimal("-0.1")),
        ("1e3", Decimal(1000)),
        ("12", 12),
        ("0", 0),
        ("0123", "0123"),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("true", True),
        ("~", None),
        ("", None),
        ("2026-01-31", date(2026, 1, 31)),
        ('"12.50"', "12.50"),
        ("'2026-01-31'", "2026-01-31"),
    ],
)
def test_scalar(text: str, value: object) -> None:
    found = read(f"key: {text}")
    assert found.problems == []
    assert found.value == {"key": value}
    assert type(found.value["key"]) is type(value)


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_price_text_is_exact(price: Decimal) -> None:
    assert read(f"price: {price:f}").value["price"] == price


def test_every_value_has_its_line() -> None:
    found = read("a:\n  - b: 1\n    c: 2\n  - d\n")
    assert found.lines["a",] == 1
    assert found.lines["a", 0, "b"] == 2
    assert found.lines["a", 0, "c"] == 3
    assert found.lines["a", 1] == 4


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\na: 2\n", 2, "the key is given twice"),
        ("a: [1, 2\n", 2, "not YAML"),
        ("a: 2026-02-30\n", 1, "cannot be read"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, None),
        ("a: !secret x\n", 1, "is not allowed"),
        ("a: &x [*x]\n", 1, "nested too deeply"),
        ("a: 1\n---\nb: 2\n", 2, "not YAML"),
        ("? [a, b]\n: 1\n", 1, "a key must be plain text"),
    ],
)
def test_unreadable(text: str, line: int, message: str | None) -> None:
    found = read(text)
    if message is None:
        assert found.value == {"a": ["ls"]}  # a tag on a list is not looked at, nothing is executed
        return
    assert [problem.line for problem in found.problems] == [line]
    assert message in found.problems[0].message


def test_deep_nesting_is_refused() -> None:
    assert read("[" * 5000).problems[0].message.startswith("not YAML")
    assert "nested too deeply" in read("[" * 100 + "]" * 100).problems[0].message


def test_alias_bombs_are_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for name, before in zip("bcdefgh", "abcdefg", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    found = read("\n".join(lines))
    assert "too much in it" in found.problems[0].message
    assert len(found.problems) < 1000
