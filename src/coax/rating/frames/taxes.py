"""The tax rate in force when a segment starts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from coax.base.errors import DomainError
from coax.rating.frames.calendar import Days, Ints, day_number
from coax.rating.frames.keys import find_combinations
from coax.rating.frames.validity import Epochs, end_day
from coax.rating.types import PPM

NO_TAX_RATE = -1


class InvalidTaxes(DomainError):
    """A tax rate outside 0..100 percent."""

    code: ClassVar[str] = "invalid_taxes"


@dataclass(frozen=True, slots=True)
class Taxes:
    """Per tax class its rates as (from, to, ppm), the latest first."""

    by_class: Mapping[int, Sequence[tuple[int, int, int]]]
    epochs: Epochs


def compile_taxes(taxes: pl.DataFrame) -> Taxes:
    """Return the rates of a frame of `TAX_SCHEMA`.

    Raises:
        InvalidTaxes: if a rate is outside 0..100 percent.
    """
    by_class: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for tax_class, rate_ppm, start, end in taxes.iter_rows():
        if not 0 <= rate_ppm <= PPM:
            raise InvalidTaxes(f"tax class {tax_class} has a rate of {rate_ppm} ppm", tax_class_key=tax_class)
        by_class[tax_class].append((day_number(start), end_day(end), rate_ppm))
    days = [day for rates in by_class.values() for rate in rates for day in rate[:2]]
    return Taxes({key: sorted(rates, reverse=True) for key, rates in by_class.items()}, Epochs.of(days))


def find_tax_rates(taxes: Taxes, tax_class: Days, start: Days) -> Ints:
    """Return the tax rate of each segment in ppm, `NO_TAX_RATE` where none is in force."""
    found = find_combinations([tax_class, taxes.epochs.find(start)])
    classes, days = found.columns[0].tolist(), taxes.epochs.days_in(found.columns[1]).tolist()
    rates = [_find_rate(taxes, key, day) for key, day in zip(classes, days, strict=True)]
    return np.array(rates, dtype=np.int64).take(found.position)


def _find_rate(taxes: Taxes, tax_class: int, day: int) -> int:
    for start, end, rate_ppm in taxes.by_class.get(tax_class, ()):
        if start <= day < end:
            return rate_ppm
    return NO_TAX_RATE
