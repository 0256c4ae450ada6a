"""Money comes in exactly or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.base.money import (
    CURRENCY_SCALES,
    InvalidAmount,
    UnknownCurrency,
    currency_scale,
    micro_to_decimal,
    minor_to_decimal,
    parse_micro,
    parse_minor,
)


@pytest.mark.parametrize(
    ("currency", "scale"),
    [("EUR", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("BHD", 3), ("ISK", 0), ("CLF", 4), ("IQD", 3)],
)
def test_a_currency_has_its_iso_scale(currency, scale):
    assert currency_scale(currency) == scale


@pytest.mark.parametrize("currency", ["", "eur", "XAU", "XXX", "DEM", "EURO"])
def test_an_unknown_currency_is_refused(currency):
    with pytest.raises(UnknownCurrency) as refused:
        currency_scale(currency)
    assert refused.value.data == {"currency": currency}


@pytest.mark.parametrize(
    ("given_value", "micro"),
    [
        ("12", 12_000_000),
        ("12.50", 12_500_000),
        ("0.000001", 1),
        ("-3.25", -3_250_000),
        ("1e3", 1_000_000_000),
        ("12.34567800", 12_345_678),
        (7, 7_000_000),
        (Decimal("19.99"), 19_990_000),
        (Decimal("-0"), 0),
        ("90000000000000000000", 90_000_000_000_000_000_000_000_000),
    ],
)
def test_micros_are_exact(given_value, micro):
    assert parse_micro(given_value) == micro


@pytest.mark.parametrize("value", ["", "abc", "1.0000001", "NaN", "Infinity", "1e-400", "1e400", 1.5, True, None, [1]])
def test_what_is_not_an_exact_amount_is_refused(value):
    with pytest.raises(InvalidAmount) as refused:
        parse_micro(value)
    assert repr(value) in refused.value.message


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [("12.5", "EUR", 1250), ("1250", "JPY", 1250), ("1.234", "KWD", 1234), (Decimal("-0.01"), "EUR", -1)],
)
def test_minor_units_follow_the_currency(value, currency, minor):
    assert parse_minor(value, currency) == minor


@pytest.mark.parametrize(("value", "currency"), [("1.5", "JPY"), ("0.001", "EUR"), ("0.0001", "KWD"), (1.0, "EUR")])
def test_more_decimals_than_the_currency_are_refused(value, currency):
    with pytest.raises(InvalidAmount):
        parse_minor(value, currency)


def test_decimals_show_all_places():
    assert str(micro_to_decimal(12_500_000)) == "12.500000"
    assert str(micro_to_decimal(-1)) == "-0.000001"
    assert str(minor_to_decimal(1250, "EUR")) == "12.50"
    assert str(minor_to_decimal(1250, "JPY")) == "1250"
    assert str(minor_to_decimal(-5, "KWD")) == "-0.005"


def test_a_float_amount_is_refused_on_the_way_out():
    with pytest.raises(InvalidAmount):
        micro_to_decimal(1.0)


@given(st.integers(), st.sampled_from(sorted(CURRENCY_SCALES)))
def test_minor_units_survive_the_round_trip(amount_minor, currency):
    assert parse_minor(str(minor_to_decimal(amount_minor, currency)), currency) == amount_minor


@given(st.integers())
def test_micros_survive_the_round_trip(amount_micro):
    assert parse_micro(micro_to_decimal(amount_micro)) == amount_micro
