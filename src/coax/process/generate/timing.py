"""When services began and ended, and until when they were billed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from coax.base.calendar import CYCLE_DAY_MAX, Frequency
from coax.process.generate.draws import Chance
from coax.process.generate.offers import Offer
from coax.process.generate.rows import Flags, Rows, find_flags, name_products
from coax.rating.frames.calendar import (
    Days,
    cycle_dates,
    day_number,
    days_of_month,
    first_cycle_dates_on_or_after,
    months_of,
)

SUBSCRIBED_DAYS: Final = 2000
LATER_DAYS: Final = 200
# A service this old has been billed by the system that it comes from, whatever its cycle.
ESTABLISHED_DAYS: Final = 70
SHORTEST_DAYS: Final = 35
ENDED_DAYS: Final = 900
FIRST_OF_CYCLE_PERCENT: Final = 70
LATER_SERVICE_PERCENT: Final = 15
ENDED_PERCENT: Final = 4


@dataclass(frozen=True, slots=True)
class Dates:
    """Days since 1970-01-01 of each row; `billed_until` and `end` count only where their flags are set."""

    start: Days
    end: Days
    is_ended: Flags
    billed_until: Days
    is_billed: Flags


def date_services(chance: Chance, rows: Rows, offers: Sequence[Offer], as_of: date) -> Dates:
    """Return the dates of all rows as of the day on which the operator takes them over."""
    today = day_number(as_of)
    joined = (today - chance.pick("joined", rows.subscription, SUBSCRIBED_DAYS)).astype(np.int32)
    cycle_day = find_cycle_days(chance, rows, offers, joined)
    on_cycle = cycle_dates(months_of(joined), cycle_day)
    is_first = chance.is_one_of("first of cycle", rows.subscription, FIRST_OF_CYCLE_PERCENT)
    is_first &= ~find_flags(rows, offers, lambda offer: offer.cycle_days.is_anniversary) & (on_cycle <= today)
    begun = np.where(is_first, on_cycle, joined)
    is_later = (rows.place > 0) & chance.is_one_of("later", rows.service, LATER_SERVICE_PERCENT)
    later = np.minimum(begun + chance.pick("later by", rows.service, LATER_DAYS), today)
    start = np.where(is_later, later, begun).astype(np.int32)
    end = start + SHORTEST_DAYS + chance.pick("lasted", rows.service, ENDED_DAYS).astype(np.int32)
    is_ended = chance.is_one_of("ended", rows.service, ENDED_PERCENT)
    billed = _billed_until(chance, rows, offers, cycle_day, today)
    cut = np.where(is_ended, np.minimum(billed, end), billed).astype(np.int32)
    return Dates(start, end, is_ended, cut, start <= today - ESTABLISHED_DAYS)


def find_cycle_days(chance: Chance, rows: Rows, offers: Sequence[Offer], joined: Days) -> Days:
    """Return the cycle day that each subscription's contract has or will have."""
    days = days_of_month(joined)
    for number, offer in enumerate(offers):
        rules, own = offer.cycle_days, rows.offer == number
        allowed = (CYCLE_DAY_MAX,) if rules.is_last_day_of_month else rules.allowed_days
        if allowed:
            picked = chance.pick("cycle day", rows.subscription[own], len(allowed))
            days[own] = np.array(allowed, dtype=np.int32)[picked]
    return days


def _billed_until(chance: Chance, rows: Rows, offers: Sequence[Offer], cycle_day: Days, today: int) -> Days:
    """Return the coming cycle date, or for longer frequencies one of those after it; post-billed: the one before."""
    tomorrow = np.full(len(rows.offer), today + 1, dtype=np.int32)
    coming = first_cycle_dates_on_or_after(tomorrow, cycle_day)
    frequencies = [Frequency.from_code(offer.frequency) for offer in offers]
    months = np.array([found.months for found in frequencies], dtype=np.int64)[rows.offer]
    days = np.array([found.days for found in frequencies], dtype=np.int64)[rows.offer]
    ahead = chance.pick("billed ahead", rows.subscription, np.maximum(months, 1))
    is_post_billed = _is_post_billed(rows, offers)
    months_on = np.where(is_post_billed, -1, ahead).astype(np.int32)
    by_month = cycle_dates(months_of(coming) + months_on, cycle_day)
    by_day = today + 1 + chance.pick("billed days", rows.subscription, np.maximum(days, 1))
    return np.where(months > 0, by_month, by_day).astype(np.int32)


def _is_post_billed(rows: Rows, offers: Sequence[Offer]) -> Flags:
    products = name_products(rows, offers)
    post_billed = [offer.post_billed for offer in offers]
    if not any(post_billed):
        return np.zeros(len(rows.offer), dtype=np.bool_)
    pairs = pl.DataFrame({"offer": rows.offer, "product": products})
    late = pl.DataFrame(
        [(number, product) for number, found in enumerate(post_billed) for product in sorted(found)],
        schema={"offer": pl.Int64, "product": pl.String},
        orient="row",
    ).with_columns(pl.lit(value=True).alias("is_late"))
    joined = pairs.join(late, on=["offer", "product"], how="left", maintain_order="left")
    flags: Flags = joined["is_late"].fill_null(value=False).to_numpy()
    return flags


def find_first_starts(rows: Rows, start: Days) -> Days:
    """Return the start of each row's subscription, which is that of its first service."""
    is_first = rows.place == 0
    number = np.cumsum(is_first) - 1
    first: Days = start[is_first][number]
    return first
