"""Cells as text in, typed columns out; a cell that cannot be read is a problem and becomes null.

Amounts come as integers in columns of their own (`TYPED_NAMES`), their text stays. Numbers are read digit by digit.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from coax.base.calendar import Frequency, UnknownFrequency
from coax.base.money import MICRO, MICRO_SCALE
from coax.configuration.types.fields import BEGINNING, CODE_LENGTH_MAX, PERCENT_DECIMALS_MAX, PRICE_MAX, TEXT_LENGTH_MAX
from coax.process.import_subscribers.columns import COLUMNS, REQUIRED, Cell, Column
from coax.process.import_subscribers.problems import list_problems

LAST_DATE: Final = date(2150, 12, 31)
INTEGER_PATTERN: Final = r"^[+-]?[0-9]{1,9}$"
DATE_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
WHOLE_DIGITS_MAX: Final = 12
PERCENT_MAX: Final = 100
EMAIL_LENGTH_MAX: Final = 254
LOCALE_LENGTH_MAX: Final = 16
PPM_OF_PERCENT_DIGITS: Final = PERCENT_DECIMALS_MAX
TYPED_NAMES: Final = {
    "credit_limit": "credit_limit_minor",
    "agreed_price": "agreed_price_micro",
    "discount_percent": "extra_discount_ppm",
}
TEXT_PATTERNS: Final = {
    Cell.CODE: (r"^[^\p{Cc}]+$", CODE_LENGTH_MAX, f"at most {CODE_LENGTH_MAX} printable characters"),
    Cell.TEXT: (r"^[^\p{Cc}]+$", TEXT_LENGTH_MAX, f"at most {TEXT_LENGTH_MAX} characters on one line"),
    Cell.EMAIL: (r"^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$", EMAIL_LENGTH_MAX, "an address such as name@example.org"),
    Cell.LOCALE: (r"^[a-z]{2,3}([_-][A-Z][a-z]{3})?([_-][A-Z]{2})?$", LOCALE_LENGTH_MAX, "a locale such as de_DE"),
}


def typed_name(name: str) -> str:
    """Return the name of the typed column of a file's column."""
    return TYPED_NAMES.get(name, name)


def parse_rows(rows: pl.DataFrame, *, currency_scale: int) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the rows with typed columns, and the problems found."""
    problems = [
        list_problems(rows.filter(pl.col(name).is_null()), name, "is required", "a value in every row")
        for name in REQUIRED
    ]
    typed: list[pl.Series] = []
    for column in COLUMNS:
        series, bad = _parse(rows, column, currency_scale)
        typed.append(series)
        if bad is not None:
            problems.append(bad)
    return rows.select("line", *TYPED_NAMES).with_columns(typed), problems


def _parse(rows: pl.DataFrame, column: Column, currency_scale: int) -> tuple[pl.Series, pl.DataFrame | None]:
    given = rows[column.name]
    if given.null_count() == rows.height:
        return _empty(column, rows.height), None
    text = pl.col(column.name)
    if column.cell is Cell.NAME:
        return given, None
    if column.cell is Cell.FREQUENCY:
        return _name_frequencies(given), None
    value, is_bad, allowed = _reader(column, text, currency_scale)
    read = rows.select(value.alias(typed_name(column.name)), is_bad.fill_null(value=True).alias("is_bad"))
    wrong = rows.filter(read["is_bad"] & given.is_not_null())
    reason = "is not a date" if column.cell is Cell.DATE else "cannot be read"
    good = read.select(pl.when(~pl.col("is_bad")).then(pl.col(typed_name(column.name))).alias(typed_name(column.name)))
    return good.to_series(), list_problems(wrong, column.name, reason, allowed) if wrong.height else None


def _reader(column: Column, text: pl.Expr, currency_scale: int) -> tuple[pl.Expr, pl.Expr, str]:
    """Return value, whether the cell is bad, and what is allowed."""
    if column.cell in TEXT_PATTERNS:
        pattern, length_max, allowed = TEXT_PATTERNS[column.cell]
        return text, ~(text.str.contains(pattern) & (text.str.len_chars() <= length_max)), allowed
    if column.cell is Cell.INTEGER:
        return _read_integer(text, column.bounds or (0, 0))
    if column.cell is Cell.DATE:
        return _read_date(text)
    if column.cell is Cell.MINOR:
        allowed = f"an amount of at most {currency_scale} decimals, such as 250"
        return *_read_decimal(text, currency_scale, None), allowed
    if column.cell is Cell.MICRO:
        allowed = f"an amount from 0 to {PRICE_MAX} of at most {MICRO_SCALE} decimals, such as 12.50"
        return *_read_decimal(text, MICRO_SCALE, int(PRICE_MAX) * MICRO), allowed
    allowed = f"a percentage from 0 to {PERCENT_MAX} of at most {PERCENT_DECIMALS_MAX} decimals, such as 7.5"
    return *_read_decimal(text, PPM_OF_PERCENT_DIGITS, PERCENT_MAX * 10**PPM_OF_PERCENT_DIGITS), allowed


def _read_integer(text: pl.Expr, bounds: tuple[int, int]) -> tuple[pl.Expr, pl.Expr, str]:
    value = text.str.strip_prefix("+").cast(pl.Int64, strict=False)
    is_good = text.str.contains(INTEGER_PATTERN) & value.is_between(*bounds)
    return value, ~is_good, f"a whole number from {bounds[0]} to {bounds[1]}"


def _read_date(text: pl.Expr) -> tuple[pl.Expr, pl.Expr, str]:
    value = text.str.to_date("%Y-%m-%d", strict=False)
    is_good = text.str.contains(DATE_PATTERN) & value.is_between(BEGINNING, LAST_DATE)
    return value, ~is_good, f"YYYY-MM-DD from {BEGINNING} to {LAST_DATE}"


def _read_decimal(text: pl.Expr, scale: int, maximum: int | None) -> tuple[pl.Expr, pl.Expr]:
    """Return the number times ten to the power of `scale`, and whether it is no such number."""
    decimals = rf"(\.[0-9]{{1,{scale}}})?" if scale else ""
    is_good = text.str.contains(rf"^[0-9]{{1,{WHOLE_DIGITS_MAX}}}{decimals}$")
    whole = text.str.extract(r"^([0-9]+)", 1)
    fraction = text.str.extract(r"\.([0-9]+)$", 1).fill_null("").str.pad_end(scale, "0")
    value = (whole + fraction).cast(pl.Int64, strict=False)
    return value, ~is_good if maximum is None else ~(is_good & (value <= maximum))


def _name_frequencies(given: pl.Series) -> pl.Series:
    """Give every frequency its one name (`1_month` is monthly); what is none stays as it is."""
    names = {text: _name_frequency(text) for text in given.unique().drop_nulls().to_list()}
    return given.replace_strict(names, default=None, return_dtype=pl.String)


def _name_frequency(text: str) -> str:
    try:
        return Frequency.from_code(text).code
    except UnknownFrequency:
        return text


def _empty(column: Column, height: int) -> pl.Series:
    numbers = {Cell.INTEGER, Cell.MINOR, Cell.MICRO, Cell.PERCENT}
    dtype = pl.Int64() if column.cell in numbers else pl.Date() if column.cell is Cell.DATE else pl.String()
    return pl.Series(typed_name(column.name), [None], dtype).new_from_index(0, height)
