"""Discounts of a plan: worked out per combination of conditions, then gathered back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from coax.base.errors import DomainError
from coax.rating.frames.calendar import Days, Ints, day_number
from coax.rating.frames.keys import AnyInts, find_combinations
from coax.rating.frames.validity import Epochs, end_day
from coax.rating.types import PPM

AMOUNT_OFF_MICRO_MAX = 1 << 52


class InvalidDiscounts(DomainError):
    """A discount row out of range."""

    code: ClassVar[str] = "invalid_discounts"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Per segment: what discounts ask about; `start` is the segment's first day."""

    plan_key: Ints
    product_key: Days
    frequency_key: Days
    classification_key: Days
    quantity: Ints
    binding_months: Days
    start: Days


@dataclass(frozen=True, slots=True)
class Discounts:
    """Discount rows with validity as day numbers, and the thresholds at which another one may apply."""

    frame: pl.DataFrame
    epochs: Epochs
    quantities: Ints
    binding_months: Ints


@dataclass(frozen=True, slots=True)
class Discounted:
    """Per segment: parts per million off, at most `PPM`, and micros off per rate period."""

    discount_ppm: Ints
    amount_off_micro: Ints


def compile_discounts(discounts: pl.DataFrame) -> Discounts:
    """Return the discounts of a frame of `DISCOUNT_SCHEMA`.

    Raises:
        InvalidDiscounts: if a percentage is outside 0..100 or an amount outside its limit.
    """
    is_good = pl.col("percent_ppm").is_between(0, PPM) & pl.col("amount_off_micro").is_between(0, AMOUNT_OFF_MICRO_MAX)
    bad = discounts.filter(~is_good)
    if bad.height:
        raise InvalidDiscounts(f"discount out of range: {bad.row(0, named=True)}")
    starts = [day_number(day) for day in discounts["effective_from"]]
    ends = [end_day(day) for day in discounts["effective_to"]]
    return Discounts(
        frame=discounts.with_columns(
            from_day=pl.Series(starts, dtype=pl.Int64), to_day=pl.Series(ends, dtype=pl.Int64)
        ),
        epochs=Epochs.of([*starts, *ends]),
        quantities=discounts["min_quantity"].unique().sort().to_numpy(),
        binding_months=discounts["min_binding_months"].unique().sort().to_numpy(),
    )


def find_discounts(discounts: Discounts, conditions: Conditions, extra_ppm: Days) -> Discounted:
    """Return the sum of the discounts that apply to each segment, the ad hoc one included."""
    if not discounts.frame.height:
        return Discounted(extra_ppm.astype(np.int64), np.zeros(len(extra_ppm), dtype=np.int64))
    found = find_combinations(_list_columns(discounts, conditions))
    sums = _sum_by_combination(discounts, found.columns)
    percent = sums["percent_ppm"].to_numpy().take(found.position)
    return Discounted(
        discount_ppm=np.minimum(percent + extra_ppm, PPM),
        amount_off_micro=sums["amount_off_micro"].to_numpy().take(found.position),
    )


def _list_columns(discounts: Discounts, conditions: Conditions) -> list[AnyInts]:
    """Return the condition columns; quantity and binding only as how many thresholds they reach."""
    return [
        conditions.plan_key,
        conditions.product_key,
        conditions.frequency_key,
        conditions.classification_key,
        np.searchsorted(discounts.quantities, conditions.quantity, side="right"),
        np.searchsorted(discounts.binding_months, conditions.binding_months, side="right"),
        discounts.epochs.find(conditions.start),
    ]


def _sum_by_combination(discounts: Discounts, columns: Sequence[Ints]) -> pl.DataFrame:
    """Return percent and amount off per combination, in the combinations' order."""
    names = ("plan_key", "product", "frequency", "classification", "quantities", "bindings", "epoch")
    asked = pl.DataFrame(dict(zip(names, columns, strict=True))).with_row_index("position")
    day = pl.Series(discounts.epochs.days_in(columns[-1]))
    asked = asked.with_columns(pl.col("plan_key").cast(pl.Int32), day=day)
    reached = discounts.frame.with_columns(
        quantity_rank=pl.col("min_quantity").rank("dense"),
        binding_rank=pl.col("min_binding_months").rank("dense"),
    )
    sums = (
        asked.join(reached, on="plan_key")
        .filter(
            _is_any_or("product_key", "product"),
            _is_any_or("frequency_key", "frequency"),
            _is_any_or("classification_key", "classification"),
            pl.col("quantity_rank") <= pl.col("quantities"),
            pl.col("binding_rank") <= pl.col("bindings"),
            pl.col("day") >= pl.col("from_day"),
            pl.col("day") < pl.col("to_day"),
        )
        .group_by("position")
        .agg(pl.col("percent_ppm").cast(pl.Int64).sum(), pl.col("amount_off_micro").sum())
    )
    return asked.select("position").join(sums, on="position", how="left", maintain_order="left").fill_null(0)


def _is_any_or(condition: str, asked: str) -> pl.Expr:
    return (pl.col(condition) == -1) | (pl.col(condition) == pl.col(asked))
