"""Cells read as sets agree with the base's exact reading of single amounts, and nothing passes half read."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.base.money import InvalidAmount, parse_micro, parse_minor
from coax.process.import_subscribers.columns import COLUMN_NAMES, COLUMNS, Level, columns_of
from coax.process.import_subscribers.parsing import parse_rows


def _parse(currency_scale: int = 2, **cells: list[str | None]) -> tuple[pl.DataFrame, pl.DataFrame]:
    height = len(next(iter(cells.values())))
    required = {"account_code": "A", "subscription_code": "S", "scheme": "s", "product": "p"}
    filled = {name: [required.get(name)] * height for name in COLUMN_NAMES} | {
        "effective_from": ["2026-01-01"] * height
    }
    rows = pl.DataFrame(
        {"line": range(2, height + 2), **filled, **cells}, schema_overrides=dict.fromkeys(COLUMN_NAMES, pl.String)
    )
    parsed, problems = parse_rows(rows, currency_scale=currency_scale)
    return parsed, pl.concat(problems)


amounts = st.one_of(
    st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False).map(str),
    st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,8})?", fullmatch=True),
    st.sampled_from(["", "-1", "1,5", "1e3", ".5", "5.", "+5", "0x1", "\u0661", "1 000", "NaN", "inf"]),
)


@given(st.lists(amounts, min_size=1, max_size=20))
def test_amounts_are_read_as_single_ones_are(texts):
    parsed, problems = _parse(agreed_price=[text or None for text in texts])
    expected = [_micro(text) for text in texts]
    assert parsed["agreed_price_micro"].to_list() == expected
    assert problems["value"].to_list() == [
        text for text, micro in zip(texts, expected, strict=True) if text and micro is None
    ]


def _micro(text: str) -> int | None:
    """Plain digits only, read by the base."""
    whole, _, decimals = text.partition(".")
    is_plain = whole.isascii() and whole.isdigit() and ("." not in text or (decimals.isascii() and decimals.isdigit()))
    try:
        return parse_micro(text) if is_plain and len(decimals) <= 6 else None
    except InvalidAmount:
        return None


@pytest.mark.parametrize(
    ("currency", "scale", "text", "minor"),
    [
        ("EUR", 2, "250", 25000),
        ("EUR", 2, "250.5", 25050),
        ("JPY", 0, "250", 250),
        ("JPY", 0, "250.0", None),
        ("KWD", 3, "0.125", 125),
        ("KWD", 3, "0.1250", None),
    ],
)
def test_a_credit_limit_is_exact_in_its_currency(currency, scale, text, minor):
    parsed, problems = _parse(scale, credit_limit=[text])
    assert parsed["credit_limit_minor"].to_list() == [minor]
    assert problems.height == (minor is None)
    if minor is not None:
        assert parse_minor(text, currency) == minor


@given(st.lists(st.dates(min_value=date(1960, 1, 1), max_value=date(2160, 1, 1)), min_size=1, max_size=20))
def test_dates_are_read_within_the_calendar(days):
    parsed, problems = _parse(billed_until=[day.isoformat() for day in days])
    kept = [day if date(1970, 1, 1) <= day <= date(2150, 12, 31) else None for day in days]
    assert parsed["billed_until"].to_list() == kept
    assert problems.height == kept.count(None)


def test_frequencies_take_their_one_name():
    parsed, problems = _parse(frequency=["6_months", "biannual", "1_year", "10_days", "often", None])
    assert parsed["frequency"].to_list() == ["biannual", "biannual", "annual", "10_days", "often", None]
    assert problems.height == 0


def test_control_signs_are_refused_wherever_texts_stand():
    _, problems = _parse(name=["a\x00b", "a\nb", "ok"], account_code=["A\t1", "A2", "A3"])
    assert problems.select("line", "field").rows() == [(2, "name"), (3, "name"), (2, "account_code")]


def test_every_column_belongs_to_one_level():
    assert sorted(name for level in Level for name in columns_of(level)) == sorted(column.name for column in COLUMNS)
