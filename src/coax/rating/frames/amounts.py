"""The arithmetic of rated items on columns of int64: every amount is rounded half up, once.

All inputs are at least 0. The caller keeps charge x rate periods below `AMOUNT_LIMIT`; under that bound
nothing here overflows, because a quotient is taken apart (`a * b / c = (a // c) * b + (a % c) * b / c`)
before it is multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coax.rating.frames.calendar import Days, Flags, Ints
from coax.rating.frames.rates import AMOUNT_LIMIT
from coax.rating.types import PPM


@dataclass(frozen=True, slots=True)
class Parts:
    """Per item: `whole` rate periods and `days` of one of `period_days`."""

    whole: Days
    days: Days
    period_days: Days


@dataclass(frozen=True, slots=True)
class Terms:
    """Per item: charge of one rate period, discount, tax."""

    charge_micro: Ints
    discount_ppm: Ints
    amount_off_micro: Ints
    tax_ppm: Ints
    is_tax_inclusive: Flags


@dataclass(frozen=True, slots=True)
class AmountColumns:
    """Per item, in micros; net + tax = total by construction."""

    base_micro: Ints
    discount_micro: Ints
    net_micro: Ints
    tax_micro: Ints
    total_micro: Ints


def is_too_large(peak_micro: Ints, quantity: Ints, parts: Parts) -> Flags:
    """Tell which products of price, quantity and rate periods could exceed the limit."""
    weight = parts.whole.astype(np.int64) * parts.period_days + parts.days
    if len(weight) and int(peak_micro.max()) * int(quantity.max()) * int(weight.max()) <= AMOUNT_LIMIT:
        return np.zeros(len(weight), dtype=np.bool_)
    price_limit: Ints = AMOUNT_LIMIT // weight.clip(min=1) // quantity
    return peak_micro > price_limit


def compute_amounts(terms: Terms, parts: Parts) -> AmountColumns:
    """Return the amounts of each item."""
    base = _prorate(terms.charge_micro, parts)
    discount = _discount(base, terms, parts)
    after_discount = base - discount
    exclusive_tax = _percent(after_discount, terms.tax_ppm)
    inclusive = np.flatnonzero(terms.is_tax_inclusive)
    net, tax = after_discount, exclusive_tax
    if len(inclusive):
        gross = after_discount[inclusive]
        net = after_discount.copy()
        net[inclusive] = _take_out_tax(gross, terms.tax_ppm[inclusive])
        tax[inclusive] = gross - net[inclusive]
    return AmountColumns(base, discount, net, tax, net + tax)


def _prorate(charge: Ints, parts: Parts) -> Ints:
    """Return charge x (whole + days / period_days)."""
    amount = charge * parts.whole
    partial = np.flatnonzero(parts.days)
    if len(partial):
        days = parts.days[partial].astype(np.int64)
        period_days = parts.period_days[partial].astype(np.int64)
        quotient = charge[partial] // period_days
        rest = charge[partial] - quotient * period_days
        amount[partial] += quotient * days + _half_up(rest * days, period_days)
    return amount


def _discount(base: Ints, terms: Terms, parts: Parts) -> Ints:
    discount = _percent(base, terms.discount_ppm)
    off = np.flatnonzero(terms.amount_off_micro)
    if len(off):
        # More off than the charge takes all of the base anyway; the minimum keeps the product below the
        # limit.
        capped = np.minimum(terms.amount_off_micro[off], terms.charge_micro[off])
        some = Parts(parts.whole[off], parts.days[off], parts.period_days[off])
        discount[off] = np.minimum(base[off], discount[off] + _prorate(capped, some))
    return discount


def _percent(amount: Ints, ppm: Ints) -> Ints:
    """Return amount x ppm / 1_000_000."""
    part = np.zeros(len(amount), dtype=np.int64)
    some = np.flatnonzero(ppm)
    if len(some):
        wanted = ppm[some]
        quotient = amount[some] // PPM
        rest = amount[some] - quotient * PPM
        part[some] = quotient * wanted + (rest * wanted + PPM // 2) // PPM
    return part


def _take_out_tax(gross: Ints, tax_ppm: Ints) -> Ints:
    """Return gross x 1_000_000 / (1_000_000 + tax_ppm)."""
    divisor = tax_ppm + PPM
    quotient = gross // divisor
    return quotient * PPM + _half_up((gross - quotient * divisor) * PPM, divisor)


def _half_up(numerator: Ints, denominator: Ints) -> Ints:
    return (2 * numerator + denominator) // (2 * denominator)
