"""The rate frame worked out into arrays: rates, their bands (maturity or duration), the tiers of each band.

A rate is what rows of equal (plan, product, frequency, effective_from) make together. A band is a stretch
of months of maturity, or of rate periods of duration, over which its tiers by quantity stay the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from coax.base.errors import DomainError
from coax.rating.frames.calendar import Days, Ints, day_number
from coax.rating.frames.refusals import Rows
from coax.rating.frames.services import STEP_DAYS_MAX, STEP_MONTHS_MAX
from coax.rating.frames.validity import Epochs, end_day
from coax.rating.types import AppliedPer, RateModel, TierBasis

NO_END = 1 << 40
AMOUNT_LIMIT = 1 << 61  # twice this is the largest product that is ever formed
BAND_SHIFT = 41

_SHARED = (
    "model",
    "tier_basis",
    "price_months",
    "price_days",
    "applied_per",
    "maturity_start",
    "is_tax_inclusive",
    "effective_to",
)
_STAGED = (RateModel.MATURITY.frame_code, RateModel.DURATION.frame_code)

Row = Mapping[str, Any]
RateKey = tuple[int, int, int]


class InvalidRates(DomainError):
    """Rate rows that contradict each other: tiers that overlap, or one rate with two models or lengths."""

    code: ClassVar[str] = "invalid_rates"


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates by position: attributes, and the position of the only band (-1 when there are several)."""

    by_key: Mapping[RateKey, Sequence[tuple[int, int, int]]]  # (from, to, rate), the latest first
    epochs: Epochs
    plan_key: Ints
    model: Days
    months: Days
    days: Days
    applied_per: Days
    basis: Days
    maturity_start: Days
    is_tax_inclusive: Days
    only_band: Rows
    bands: Bands

    @property
    def free_rate(self) -> int:
        """Return the position of the rate that stands in for a free service without a price."""
        return len(self.plan_key) - 1


@dataclass(frozen=True, slots=True)
class Bands:
    """`key` is `rate << BAND_SHIFT | first stage`, sorted; `only_tier` the tier for any quantity, else -1."""

    key: Ints
    only_tier: Rows
    tiers: Tiers


@dataclass(frozen=True, slots=True)
class Tiers:
    """`key` is `band << BAND_SHIFT | first unit`, sorted.

    For a quantity q inside, one rate period costs `lead_micro` + `price_micro` x (q - `before` if charged
    per item, else 1). `peak_micro` is the highest price up to this tier.
    """

    key: Ints
    end: Ints
    rate_id: Ints
    price_micro: Ints
    lead_micro: Ints
    before: Ints
    peak_micro: Ints


def compile_rates(rates: pl.DataFrame) -> Rates:
    """Return the rates of a frame of `RATE_SCHEMA`, with a price of zero appended for free services.

    Raises:
        InvalidRates: if rows of one rate disagree, tiers overlap, or a value is out of range.
    """
    groups = _group_rows(rates)
    by_key: dict[RateKey, list[tuple[int, int, int]]] = defaultdict(list)
    for position, rows in enumerate(groups):
        head = rows[0]
        key = (head["plan_key"], head["product_key"], head["frequency_key"])
        by_key[key].append((day_number(head["effective_from"]), end_day(head["effective_to"]), position))
    heads = [rows[0] for rows in groups] + [_FREE_ROW]
    only_band, bands = _compile_bands([*groups, [_FREE_ROW]])
    return Rates(
        by_key={key: sorted(versions, reverse=True) for key, versions in by_key.items()},
        epochs=Epochs.of(day for versions in by_key.values() for version in versions for day in version[:2]),
        plan_key=_int64(head["plan_key"] for head in heads),
        model=_int32(head["model"] for head in heads),
        months=_int32(head["price_months"] for head in heads),
        days=_int32(head["price_days"] for head in heads),
        applied_per=_int32(head["applied_per"] for head in heads),
        basis=_int32(head["tier_basis"] for head in heads),
        maturity_start=_int32(head["maturity_start"] for head in heads),
        is_tax_inclusive=_int32(head["is_tax_inclusive"] for head in heads),
        only_band=np.array(only_band, dtype=np.intp),
        bands=bands,
    )


_FREE_ROW: Row = {
    "rate_id": -1,
    "plan_key": -1,
    "model": RateModel.FLAT.frame_code,
    "tier_from": 0,
    "tier_to": None,
    "tier_basis": TierBasis.VOLUME.frame_code,
    "price_micro": 0,
    "price_months": 0,
    "price_days": 0,
    "applied_per": AppliedPer.PERIOD.frame_code,
    "maturity_start": 0,
    "is_tax_inclusive": False,
}


def _int32(values: Any) -> Days:
    return np.array(list(values), dtype=np.int32)


def _int64(values: Any) -> Ints:
    return np.array(list(values), dtype=np.int64)


def _group_rows(rates: pl.DataFrame) -> list[list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    row: Row
    for row in rates.iter_rows(named=True):
        _check_row(row)
        key = (row["plan_key"], row["product_key"], row["frequency_key"], row["effective_from"])
        groups[key].append(row)
    for rows in groups.values():
        for row in rows[1:]:
            differing = [name for name in _SHARED if row[name] != rows[0][name]]
            if differing:
                first, other = rows[0]["rate_id"], row["rate_id"]
                raise InvalidRates(
                    f"rates {first} and {other} are one rate but differ in {differing[0]}",
                    rate_id=other,
                    column=differing[0],
                )
    return list(groups.values())


def _check_row(row: Row) -> None:
    months, days = row["price_months"], row["price_days"]
    if not (0 <= months <= STEP_MONTHS_MAX and 0 <= days <= STEP_DAYS_MAX) or (months and days):
        raise InvalidRates(f"rate {row['rate_id']} covers {months} months, {days} days", rate_id=row["rate_id"])
    if not 0 <= row["price_micro"] <= AMOUNT_LIMIT:
        raise InvalidRates(f"rate {row['rate_id']} has price {row['price_micro']}", rate_id=row["rate_id"])


@dataclass(frozen=True, slots=True)
class _Tier:
    """One row on two axes: stages (maturity or duration) and units."""

    rate_id: int
    stage: tuple[int, int]
    units: tuple[int, int]
    price_micro: int


def _read_tier(row: Row) -> _Tier:
    model = row["model"]
    anything, tier = (0, NO_END), _read_range(row, "tier")
    stage, units = anything, anything
    if model in _STAGED:
        stage = tier
    elif model == RateModel.QUANTITY.frame_code:
        units = tier
    elif model == RateModel.QUANTITY_AND_MATURITY.frame_code:
        stage, units = _read_range(row, "maturity"), tier
    return _Tier(row["rate_id"], stage, units, row["price_micro"])


def _read_range(row: Row, axis: str) -> tuple[int, int]:
    start, end = row[f"{axis}_from"], row[f"{axis}_to"]
    end = NO_END if end is None else end
    if not 0 <= start < end <= NO_END:
        raise InvalidRates(f"rate {row['rate_id']} has the {axis} {start} to {end}", rate_id=row["rate_id"])
    return start, end


def _compile_bands(groups: Sequence[Sequence[Row]]) -> tuple[list[int], Bands]:
    only_band: list[int] = []
    band_keys: list[int] = []
    only_tier: list[int] = []
    compiled: list[tuple[int, ...]] = []
    for rate, rows in enumerate(groups):
        tiers = [_read_tier(row) for row in rows]
        stages = sorted({0} | {stage for tier in tiers for stage in tier.stage if stage < NO_END})
        only_band.append(len(band_keys) if len(stages) == 1 else -1)
        for stage in stages:
            inside = [tier for tier in tiers if tier.stage[0] <= stage < tier.stage[1]]
            ladder = _compile_ladder(len(band_keys), inside, rows[0])
            is_plain = len(ladder) == 1 and inside[0].units[0] <= 1 and inside[0].units[1] == NO_END
            only_tier.append(len(compiled) if is_plain else -1)
            band_keys.append((rate << BAND_SHIFT) | stage)
            compiled += ladder
    columns = [_int64(column) for column in zip(*compiled, strict=True)]
    return only_band, Bands(_int64(band_keys), np.array(only_tier, dtype=np.intp), Tiers(*columns))


def _compile_ladder(band: int, tiers: Sequence[_Tier], head: Row) -> list[tuple[int, ...]]:
    """Return the tiers of one band as rows of `Tiers`; a graduated ladder ends where a unit has no price."""
    is_graduated = head["tier_basis"] == TierBasis.GRADUATED.frame_code
    is_per_item = head["applied_per"] == AppliedPer.PERIOD_AND_ITEM.frame_code
    ladder: list[tuple[int, ...]] = []
    lead, reached, peak = 0, 0, 0
    for tier in sorted(tiers, key=lambda tier: tier.units):
        start, end = max(tier.units[0], 1), tier.units[1]
        if start <= reached:
            raise InvalidRates(f"rate {tier.rate_id} overlaps another tier", rate_id=tier.rate_id)
        if is_graduated and start > reached + 1:
            break
        before, lead_here = (start - 1, min(lead, AMOUNT_LIMIT)) if is_graduated else (0, 0)
        peak = max(peak, tier.price_micro) if is_graduated else tier.price_micro
        key = (band << BAND_SHIFT) | start
        ladder.append((key, end, tier.rate_id, tier.price_micro, lead_here, before, peak))
        lead += tier.price_micro * (end - start if is_per_item else 1)
        reached = end - 1
    return ladder
