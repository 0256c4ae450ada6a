"""Rounding is the same for debits and credits; a split loses nothing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.base.rounding import InvalidRounding, RoundingMethod, round_div, round_micro_to_minor, split_minor

UP, DOWN, HALF_UP = RoundingMethod.ROUND_UP, RoundingMethod.ROUND_DOWN, RoundingMethod.ROUND_HALF_UP


@pytest.mark.parametrize(
    ("numerator", "denominator", "up", "down", "half_up"),
    [
        (10, 5, 2, 2, 2),
        (11, 5, 3, 2, 2),
        (12, 5, 3, 2, 2),
        (13, 5, 3, 2, 3),
        (5, 2, 3, 2, 3),
        (-5, 2, -3, -2, -3),
        (-11, 5, -3, -2, -2),
        (1, 3, 1, 0, 0),
        (-1, 3, -1, 0, 0),
        (0, 7, 0, 0, 0),
    ],
)
def test_a_quotient_is_rounded_by_its_method(numerator, denominator, up, down, half_up):
    assert round_div(numerator, denominator, UP) == up
    assert round_div(numerator, denominator, DOWN) == down
    assert round_div(numerator, denominator, HALF_UP) == half_up


@pytest.mark.parametrize("denominator", [0, -1])
def test_a_divisor_that_is_not_positive_is_refused(denominator):
    with pytest.raises(InvalidRounding):
        round_div(1, denominator, UP)


@pytest.mark.parametrize(
    ("amount_micro", "scale", "method", "decimal_scale", "minor"),
    [
        (12_341_000, 2, UP, None, 1235),  # Company ZX, case G: 12.341 becomes 12.35
        (12_341_000, 2, HALF_UP, None, 1234),
        (12_341_000, 2, DOWN, 2, 1234),
        (-12_341_000, 2, UP, 2, -1235),  # away from zero for credits too (C4)
        (12_341_000, 2, UP, 1, 1240),
        (12_341_000, 2, UP, 0, 1300),
        (12_341_000, 0, UP, None, 13),
        (12_341_000, 3, UP, None, 12_341),
        (12_340_000, 2, UP, None, 1234),
        (1, 2, UP, None, 1),
        (0, 2, UP, None, 0),
    ],
)
def test_micros_become_minor_units(amount_micro, scale, method, decimal_scale, minor):
    assert round_micro_to_minor(amount_micro, scale, method, decimal_scale) == minor


@pytest.mark.parametrize(("scale", "decimal_scale"), [(2, 3), (2, -1), (7, 2)])
def test_a_scale_out_of_range_is_refused(scale, decimal_scale):
    with pytest.raises(InvalidRounding):
        round_micro_to_minor(1, scale, UP, decimal_scale)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (5, [0, 1, 1], [0, 3, 2]),
        (1, [1, 1], [1, 0]),
        (0, [3, 4], [0, 0]),
        (10, [1, 2, 7], [1, 2, 7]),
    ],
)
def test_a_split_hands_out_the_remainder_in_order(total, weights, parts):
    assert split_minor(total, weights) == parts


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_weights_without_meaning_are_refused(weights):
    with pytest.raises(InvalidRounding):
        split_minor(10, weights)


@given(st.integers(), st.integers(1, 10**9), st.sampled_from(RoundingMethod))
def test_rounding_mirrors_at_zero_and_is_off_by_less_than_one(numerator, denominator, method):
    rounded = round_div(numerator, denominator, method)
    assert round_div(-numerator, denominator, method) == -rounded
    distance = abs(rounded - Fraction(numerator, denominator))
    assert distance <= Fraction(1, 2) if method is HALF_UP else distance < 1


@given(st.integers(), st.lists(st.integers(0, 10**9), min_size=1).filter(any))
def test_the_parts_of_a_split_add_up_and_are_off_by_at_most_one(total, weights):
    parts = split_minor(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) <= 1
        assert part == 0 or weight > 0
