"""The one module that rounds: a quotient of integers is rounded once, a total is split without loss."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from coax.base.errors import DomainError
from coax.base.money import MICRO_SCALE

_POWERS_OF_TEN = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)


class RoundingMethod(StrEnum):
    """How a quotient becomes a whole number; all three treat debit and credit alike (R102, decision C4)."""

    ROUND_UP = "round_up"  # away from zero
    ROUND_DOWN = "round_down"  # toward zero
    ROUND_HALF_UP = "round_half_up"  # to the nearest, a half away from zero


class InvalidRounding(DomainError):
    """A rounding or a split that has no meaning: a divisor, scale or weights out of range."""

    code: ClassVar[str] = "invalid_rounding"


def round_div(numerator: int, denominator: int, method: RoundingMethod) -> int:
    """Return numerator / denominator as a whole number; a negative result mirrors the positive one.

    Raises:
        InvalidRounding: if the denominator is not positive.
    """
    if denominator <= 0:
        raise InvalidRounding(f"cannot divide by {denominator}", denominator=denominator)
    quotient, rest = divmod(abs(numerator), denominator)
    quotient += _is_rounded_away(rest, denominator, method)
    return -quotient if numerator < 0 else quotient


def _is_rounded_away(rest: int, denominator: int, method: RoundingMethod) -> bool:
    match method:
        case RoundingMethod.ROUND_UP:
            return rest > 0
        case RoundingMethod.ROUND_HALF_UP:
            return 2 * rest >= denominator
        case RoundingMethod.ROUND_DOWN:
            return False


def round_micro_to_minor(
    amount_micro: int, currency_scale: int, method: RoundingMethod, decimal_scale: int | None = None
) -> int:
    """Return micros as minor units of a currency with `currency_scale` decimals.

    `decimal_scale` rounds to fewer decimals than the currency has (0 of EUR: whole euros); the result is in
    minor units all the same: 12.341 to 2 decimals up is 1235, to 1 decimal 1240.

    Raises:
        InvalidRounding: if the decimal scale is negative or above the currency's, or the currency's is
        above six.
    """
    scale = currency_scale if decimal_scale is None else decimal_scale
    if not 0 <= scale <= currency_scale <= MICRO_SCALE:
        raise InvalidRounding(
            f"cannot round to {scale} decimals in a currency of {currency_scale}",
            decimal_scale=scale,
            currency_scale=currency_scale,
        )
    return round_div(amount_micro, _POWERS_OF_TEN[MICRO_SCALE - scale], method) * _POWERS_OF_TEN[currency_scale - scale]


def split_minor(total: int, weights: Sequence[int]) -> list[int]:
    """Return the total split in proportion to the weights; the parts always add up to the total.

    Every part is floored on its absolute value, then the remainder is handed out one unit at a time in the
    order of the weights, skipping weights of zero: 100 by [1, 1, 1] is [34, 33, 33].

    Raises:
        InvalidRounding: if there is no weight, a weight is negative, or all are zero.
    """
    weight_sum = sum(weights)
    if weight_sum <= 0 or min(weights) < 0:
        raise InvalidRounding(f"cannot split by weights {list(weights)}", weights=list(weights))
    size, sign = abs(total), -1 if total < 0 else 1
    parts = [size * weight // weight_sum for weight in weights]
    receivers = [position for position, weight in enumerate(weights) if weight]
    for position in receivers[: size - sum(parts)]:
        parts[position] += 1
    return [sign * part for part in parts]
