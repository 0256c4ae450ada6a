"""Figures, dates and words in the customer's language."""

from __future__ import annotations

import string
from datetime import date

import pytest

from coax.billing.types.document import MovementKind, PeriodPart
from coax.process.bills.formats import Formats
from coax.process.bills.numbers import InvalidBillNumber, compose_bill_number, parse_bill_number
from coax.process.bills.texts import choose_locale, get_format_locale, get_texts, list_languages
from coax.process.bills.view import write_address
from coax.process.bills.words import write_price_periods
from tests.builders.bills import a_customer

NBSP = "\N{NO-BREAK SPACE}"
DASH = "\N{EN DASH}"


def formats(locale: str, currency: str = "EUR") -> Formats:
    return Formats(get_format_locale(locale), currency)


@pytest.mark.parametrize(
    ("locale", "currency", "amount_minor", "expected"),
    [
        ("en", "EUR", 123_456, "\N{EURO SIGN}1,234.56"),
        ("en", "EUR", -5, "-\N{EURO SIGN}0.05"),
        ("de", "EUR", 123_456, f"1.234,56{NBSP}\N{EURO SIGN}"),
        ("en", "JPY", 123_456, "JP\N{YEN SIGN}123,456"),
        ("en", "KWD", 123_456, f"KWD{NBSP}123.456"),
        ("de", "KWD", -123_456, f"-123,456{NBSP}KWD"),
        ("en_US", "USD", 123_456, "$1,234.56"),
        ("de_CH", "CHF", 123_456, f"CHF{NBSP}1\N{RIGHT SINGLE QUOTATION MARK}234.56"),
        ("en_IN", "INR", 12_345_678, "\N{INDIAN RUPEE SIGN}1,23,456.78"),
    ],
)
def test_money_has_the_decimals_of_its_currency(locale: str, currency: str, amount_minor: int, expected: str) -> None:
    assert formats(locale, currency).write_money(amount_minor) == expected


@pytest.mark.parametrize(
    ("currency", "amount_micro", "expected"),
    [
        ("EUR", 12_000_000, "12.00"),
        ("EUR", 12_341_000, "12.341"),
        ("EUR", -1_234_567_891_234, "-1,234,567.891234"),
        ("JPY", 12_000_000, "12"),
        ("JPY", 12_500_000, "12.5"),
        ("KWD", 12_000_000, "12.000"),
        ("EUR", 9_007_199_254_740_993_000_001, "9,007,199,254,740,993.000001"),
    ],
)
def test_rated_amounts_show_every_decimal_they_have(currency: str, amount_micro: int, expected: str) -> None:
    assert formats("en", currency).write_micro(amount_micro) == expected


@pytest.mark.parametrize(
    ("locale", "start", "end", "expected"),
    [
        ("en", date(2026, 8, 1), date(2026, 9, 1), f"1 Aug {DASH} 31 Aug 2026"),
        ("de", date(2026, 8, 1), date(2026, 9, 1), f"1. Aug. {DASH} 31. Aug. 2026"),
        ("en_US", date(2026, 8, 1), date(2026, 9, 1), f"Aug 1 {DASH} Aug 31, 2026"),
        ("en", date(2026, 8, 1), date(2027, 2, 1), f"1 Aug 2026 {DASH} 31 Jan 2027"),
        ("en", date(2028, 2, 1), date(2028, 3, 1), f"1 Feb {DASH} 29 Feb 2028"),
        ("en", date(2026, 12, 1), date(2027, 1, 1), f"1 Dec {DASH} 31 Dec 2026"),
        ("en", date(2026, 8, 5), date(2026, 8, 6), "5 Aug 2026"),
        ("en", date(2026, 8, 5), date(2026, 8, 5), "5 Aug 2026"),
    ],
)
def test_periods_are_shown_with_their_last_day(locale: str, start: date, end: date, expected: str) -> None:
    assert formats(locale).write_period(start, end) == expected


@pytest.mark.parametrize(("ppm", "expected"), [(190_000, "19%"), (55_000, "5.5%"), (0, "0%"), (333_333, "33.3333%")])
def test_percentages_are_exact(ppm: int, expected: str) -> None:
    assert formats("en").write_percent(ppm) == expected


STUB, ONE, SIX = PeriodPart(0, 17, 31), PeriodPart(1, 0, 1), PeriodPart(6, 0, 1)


@pytest.mark.parametrize(
    ("parts", "span", "expected"),
    [
        ((ONE,), (1, 0), "1 month"),
        ((SIX,), (1, 0), "6 months"),
        ((STUB,), (1, 0), "17/31 month"),
        ((STUB, ONE), (1, 0), "17/31 + 1 months"),
        ((PeriodPart(2, 9, 31),), (1, 0), "2 + 9/31 months"),
        ((ONE,), (6, 0), "1 × 6 months"),  # noqa: RUF001 - the sign of multiplication
        ((ONE,), (12, 0), "1 year"),
        ((SIX,), (0, 1), "6 days"),
        ((ONE,), (0, 10), "1 × 10 days"),  # noqa: RUF001 - the sign of multiplication
        ((STUB,), None, "17/31"),
        ((), (1, 0), ""),
    ],
)
def test_numbers_of_periods_read_as_words(
    parts: tuple[PeriodPart, ...], span: tuple[int, int] | None, expected: str
) -> None:
    assert write_price_periods(parts, span, get_texts("en"), formats("en")) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("de_DE", "en"), "de_DE"),
        (("de-AT", "en"), "de_AT"),
        (("", "de"), "de"),
        (("el_GR", "de"), "de"),
        (("de_XX", "en"), "de"),
        (("nonsense", ""), "en"),
    ],
)
def test_the_customers_language_wins_where_there_are_texts(wanted: tuple[str, ...], expected: str) -> None:
    assert choose_locale(*wanted) == expected


@pytest.mark.parametrize("language", sorted(list_languages()))
def test_every_language_has_every_text_with_the_same_places(language: str) -> None:
    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english, texts = get_texts("en"), get_texts(language)
    assert texts.keys() == english.keys()
    assert {key: places(text) for key, text in texts.items()} == {key: places(text) for key, text in english.items()}
    assert set(MovementKind) <= texts.keys()


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("DE", ["Ada Byron", "Long Lane 5", "20095 Hamburg", "Germany"]),
        ("GB", ["Ada Byron", "Long Lane 5", "Hamburg 20095", "United Kingdom"]),
        ("Deutschland", ["Ada Byron", "Long Lane 5", "20095 Hamburg", "Deutschland"]),
        ("", ["Ada Byron", "Long Lane 5", "20095 Hamburg"]),
    ],
)
def test_addresses_follow_the_country(country: str, expected: list[str]) -> None:
    assert write_address(a_customer(country=country), formats("en")) == expected


def test_bill_numbers_are_read_with_and_without_their_prefix() -> None:
    assert compose_bill_number("ZX-", 12) == "ZX-00000012"
    assert [parse_bill_number("ZX-", text) for text in ("ZX-00000012", "00000012", " 12 ")] == [12, 12, 12]
    with pytest.raises(InvalidBillNumber):
        parse_bill_number("ZX-", "AB-12")
