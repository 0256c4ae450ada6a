"""Rating the slow way: one service at a time, rule after rule, with fractions in place of clever integers.

Rows are dictionaries with the columns of `coax.rating.frames.schemas`; nothing of the frames is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any

from tests.oracle.calendar import (
    add_months,
    count_whole_months,
    first_cycle_date_on_or_after,
    is_cycle_date,
    last_cycle_date_on_or_before,
)

Row = dict[str, Any]
PPM = 1_000_000
PERIODS_MAX = 400
NO_ADJUSTMENT, PREVIOUS, NEXT = 0, 1, 2
FREQUENCY_PERIOD, FIXED_PERIOD, TO_NEXT_CYCLE = 0, 1, 2
FLAT, QUANTITY, MATURITY, DURATION, QUANTITY_AND_MATURITY = range(5)
VOLUME, GRADUATED = 0, 1
PER_PERIOD, PER_PERIOD_AND_ITEM = 0, 1


class Refused(Exception):
    """The service cannot be rated, for the reason given."""


@dataclass(frozen=True)
class Period:
    start: date
    end: date
    full_end: date


@dataclass(frozen=True)
class Piece:
    """Whole windows, or days of one window."""

    start: date
    end: date
    whole: int
    days: int
    period_days: int


# --- due periods ------------------------------------------------------------------------------------------


def effective_cycle_day(service: Row) -> int:
    is_anchored = (
        not service["is_post_billed"]
        and service["adjustment"] == NO_ADJUSTMENT
        and service["advance_mode"] != TO_NEXT_CYCLE
    )
    return service["anchor_day"] if is_anchored else service["cycle_day"]


def step(service: Row) -> tuple[int, int]:
    """Months and days that one period adds."""
    if not service["is_post_billed"] and service["advance_mode"] == FIXED_PERIOD:
        months = service["advance_months"]
        return months, 0 if months else service["advance_days"]
    return service["frequency_months"], service["frequency_days"]


def full_period_end(service: Row, start: date) -> date:
    cycle_day = effective_cycle_day(service)
    months, days = step(service)
    is_on_cycle = is_cycle_date(start, cycle_day)
    after_start = first_cycle_date_on_or_after(start + timedelta(days=1), cycle_day)
    runs_to_cycle = service["is_post_billed"] or service["advance_mode"] == TO_NEXT_CYCLE
    if not months:
        raw = start + timedelta(days=days)
    elif is_on_cycle:
        raw = add_months(start, months, cycle_day)
    elif runs_to_cycle:
        return after_start
    else:
        raw = add_months(start, months, start.day)
    if runs_to_cycle or not service["frequency_months"] or service["adjustment"] == NO_ADJUSTMENT:
        return raw
    if service["adjustment"] == NEXT:
        return first_cycle_date_on_or_after(raw, cycle_day)
    previous = last_cycle_date_on_or_before(raw, cycle_day)
    return previous if previous > start else after_start


def due_periods(service: Row, as_of: date) -> list[Period]:
    periods: list[Period] = []
    start, end_of_service = service["rated_up_to"], service["effective_to"]
    if service["billing_effective_date"] > as_of:
        return []
    while start <= as_of and (end_of_service is None or start < end_of_service):
        full_end = full_period_end(service, start)
        end = full_end if end_of_service is None else min(full_end, end_of_service)
        if service["is_post_billed"] and end > as_of:
            break
        if len(periods) == PERIODS_MAX:
            raise Refused("too_many_periods")
        periods.append(Period(start, end, full_end))
        start = end
    return periods


# --- windows ----------------------------------------------------------------------------------------------


def turn_day(service: Row, period: Period) -> tuple[date, int]:
    """A day on which a window starts, and the day of the month on which windows turn."""
    cycle_day = effective_cycle_day(service)
    if is_cycle_date(period.full_end, cycle_day):
        return period.full_end, cycle_day
    if is_cycle_date(period.start, cycle_day):
        return period.start, cycle_day
    if step(service)[0]:
        return period.start, period.start.day
    return last_cycle_date_on_or_before(period.start, cycle_day), cycle_day


def window_starts(service: Row, period: Period, months: int, days: int) -> list[date]:
    """Starts of consecutive windows, from one on or before the period's start to one after its end."""
    if not months:
        starts = [period.start]
        while starts[-1] <= period.end:
            starts.append(starts[-1] + timedelta(days=days))
        return starts
    anchor, turns_on = turn_day(service, period)
    steps = [0]
    while add_months(anchor, steps[0] * months, turns_on) > period.start:
        steps.insert(0, steps[0] - 1)
    while add_months(anchor, steps[-1] * months, turns_on) <= period.end:
        steps.append(steps[-1] + 1)
    starts = [add_months(anchor, number * months, turns_on) for number in steps]
    return starts[max(i for i, day in enumerate(starts) if day <= period.start) :]


def cut(period: Period, starts: list[date]) -> list[Piece]:
    """One piece per window that the period touches."""
    pieces = []
    for start, end in pairwise(starts):
        left, right = max(start, period.start), min(end, period.end)
        if (left, right) == (start, end):
            pieces.append(Piece(left, right, 1, 0, 1))
        elif left < right:
            pieces.append(Piece(left, right, 0, (right - left).days, (end - start).days))
    return pieces


# --- prices -----------------------------------------------------------------------------------------------


def in_force(row: Row, day: date) -> bool:
    return row["effective_from"] <= day and (row["effective_to"] is None or day < row["effective_to"])


def find_rate(service: Row, rates: list[Row], day: date) -> list[Row]:
    """The rows of the rate that prices the service on a day."""
    for plan in (service["plan_key"], service["fallback_plan_key"]):
        for frequency in (service["frequency_key"], -1):
            rows = [
                row
                for row in rates
                if (row["plan_key"], row["product_key"], row["frequency_key"])
                == (plan, service["product_key"], frequency)
                and in_force(row, day)
            ]
            if rows:
                latest = max(row["effective_from"] for row in rows)
                return [row for row in rows if row["effective_from"] == latest]
    if service["is_free"]:
        return [FREE]
    raise Refused("no_price")


FREE: Row = {
    "rate_id": -1, "plan_key": -1, "model": FLAT, "tier_from": 0, "tier_to": None, "tier_basis": VOLUME,
    "price_micro": 0, "price_months": 0, "price_days": 0, "applied_per": PER_PERIOD, "maturity_start": 0,
    "is_tax_inclusive": False,
}  # fmt: skip


def window_length(service: Row, rate: Row) -> tuple[int, int]:
    length = rate["price_months"], rate["price_days"]
    return length if any(length) else (service["frequency_months"], service["frequency_days"])


def holds(start: int, end: int | None, value: int) -> bool:
    return start <= value and (end is None or value < end)


def tiers_at(rows: list[Row], *, maturity: int, duration: int) -> list[tuple[int, int | None, Row]]:
    """The tiers by quantity that hold at a stage, as (first unit, end, row), in order."""
    tiers = []
    for row in rows:
        own = row["tier_from"], row["tier_to"]
        match row["model"]:
            case 0:
                tiers.append((1, None, row))
            case 1:
                tiers.append((*own, row))
            case 2 if holds(*own, maturity):
                tiers.append((1, None, row))
            case 3 if holds(*own, duration):
                tiers.append((1, None, row))
            case 4 if holds(row["maturity_from"], row["maturity_to"], maturity):
                tiers.append((*own, row))
    return sorted(((max(start, 1), end, row) for start, end, row in tiers), key=lambda tier: tier[0])


def price(tiers: list[tuple[int, int | None, Row]], service: Row) -> tuple[Row, int, int]:
    """The row reached, its unit price, and the charge of one whole rate period."""
    quantity = service["quantity"]
    reached = [row for start, end, row in tiers if holds(start, end, quantity)]
    if not reached:
        raise Refused("no_price")
    row = reached[0]
    is_per_item = row["applied_per"] == PER_PERIOD_AND_ITEM
    agreed = 0 if service["is_free"] else service["agreed_price_micro"]
    if row["tier_basis"] == GRADUATED and row["model"] in {QUANTITY, QUANTITY_AND_MATURITY}:
        by_unit = [
            next((tier for start, end, tier in tiers if holds(start, end, unit)), None)
            for unit in range(1, quantity + 1)
        ]
        if None in by_unit:
            raise Refused("no_price")
        charged = by_unit if is_per_item else list({tier["rate_id"]: tier for tier in by_unit}.values())
        charge = sum(tier["price_micro"] for tier in charged)
    else:
        charge = row["price_micro"] * (quantity if is_per_item else 1)
    if agreed is not None:
        return row, agreed, agreed * (quantity if is_per_item else 1)
    return row, row["price_micro"], charge


def maturity_months(service: Row, row: Row, day: date) -> int:
    names = ("service_start", "binding_start", "agreement_date")
    start = service[names[row["maturity_start"]]] or service["service_start"]
    return count_whole_months(start, day) if start <= day else 0


# --- discounts and taxes ----------------------------------------------------------------------------------


def discounts_of(service: Row, discounts: list[Row], plan: int, day: date) -> tuple[int, int]:
    """Parts per million and micros per rate period off."""
    holding = [
        row
        for row in discounts
        if row["plan_key"] == plan
        and in_force(row, day)
        and row["product_key"] in {-1, service["product_key"]}
        and row["frequency_key"] in {-1, service["frequency_key"]}
        and row["classification_key"] in {-1, service["classification_key"]}
        and row["min_quantity"] <= service["quantity"]
        and row["min_binding_months"] <= service["binding_months"]
    ]
    percent = sum(row["percent_ppm"] for row in holding) + service["extra_discount_ppm"]
    return min(percent, PPM), sum(row["amount_off_micro"] for row in holding)


def tax_of(service: Row, taxes: list[Row], day: date) -> int:
    rates = [row for row in taxes if row["tax_class_key"] == service["tax_class_key"] and in_force(row, day)]
    if not rates:
        raise Refused("no_tax_rate")
    return max(rates, key=lambda row: row["effective_from"])["rate_ppm"]


# --- amounts ----------------------------------------------------------------------------------------------


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def amounts(charge: int, parts: Fraction, discount_ppm: int, amount_off: int, tax_ppm: int, *, inclusive: bool) -> Row:
    base = half_up(charge * parts)
    discount = min(base, half_up(Fraction(base * discount_ppm, PPM)) + half_up(amount_off * parts))
    after = base - discount
    if inclusive:
        net = half_up(Fraction(after * PPM, PPM + tax_ppm))
        tax = after - net
    else:
        net, tax = after, half_up(Fraction(after * tax_ppm, PPM))
    return {
        "base_micro": base,
        "discount_micro": discount,
        "net_micro": net,
        "tax_micro": tax,
        "total_micro": net + tax,
    }


# --- the whole --------------------------------------------------------------------------------------------


def rate_service(service: Row, rates: list[Row], discounts: list[Row], taxes: list[Row], as_of: date) -> list[Row]:
    """The items of a service, or `Refused`: for want of a price first, of a tax rate second."""
    items, reasons = [], set()
    for number, period in enumerate(due_periods(service, as_of)):
        try:
            rated = rate_period(service, period, rates, discounts, taxes)
        except Refused as refused:
            reasons.add(str(refused))
        else:
            items += [{"period_no": number, "segment_no": no, **item} for no, item in enumerate(rated)]
    for reason in ("no_price", "no_tax_rate"):
        if reason in reasons:
            raise Refused(reason)
    return items


def rate_period(service: Row, period: Period, rates: list[Row], discounts: list[Row], taxes: list[Row]) -> list[Row]:
    head = find_rate(service, rates, period.start)
    months, days = window_length(service, head[0])
    pieces = cut(period, window_starts(service, period, months, days))
    groups: list[tuple[Any, ...]] = []
    for ordinal, piece in enumerate(pieces, start=1):
        is_first_whole = not groups or not groups[-1][0].whole or not piece.whole
        if is_first_whole:
            run_start = piece.start
        rows = find_rate(service, rates, run_start)
        if window_length(service, rows[0]) != (months, days):
            rows = head
        is_counted_up = rows[0]["tier_basis"] == GRADUATED
        stage = {
            "maturity": maturity_months(service, rows[0], piece.start),
            "duration": ordinal if is_counted_up else len(pieces),
        }
        tiers = tiers_at(rows, **stage)
        if not is_first_whole and [tier[2] for tier in tiers] == [tier[2] for tier in groups[-1][1]]:
            last = groups[-1][0]
            groups[-1] = (Piece(last.start, piece.end, last.whole + 1, 0, 1), tiers)
        else:
            groups.append((piece, tiers))
    priced = [(piece, *price(tiers, service)) for piece, tiers in groups]
    return [rate_piece(service, *each, discounts, taxes) for each in priced]


def rate_piece(
    service: Row,
    piece: Piece,
    row: Row,
    unit_price: int,
    charge: int,
    discounts: list[Row],
    taxes: list[Row],
) -> Row:
    tax_ppm = tax_of(service, taxes, piece.start)
    discount_ppm, amount_off = discounts_of(service, discounts, row["plan_key"], piece.start)
    parts = piece.whole + Fraction(piece.days, piece.period_days)
    return {
        "period_from": piece.start,
        "period_to": piece.end,
        "whole_periods": piece.whole,
        "days": piece.days,
        "period_days": piece.period_days,
        "rate_id": row["rate_id"],
        "price_micro": unit_price,
        "charge_micro": charge,
        "discount_ppm": discount_ppm,
        "amount_off_micro": amount_off,
        "tax_ppm": tax_ppm,
        "is_tax_inclusive": row["is_tax_inclusive"],
        **amounts(charge, parts, discount_ppm, amount_off, tax_ppm, inclusive=row["is_tax_inclusive"]),
    }


# --- credits ----------------------------------------------------------------------------------------------

AMOUNTS = ("base_micro", "discount_micro", "net_micro", "tax_micro", "total_micro")


def used_part(item: Row, end: date) -> tuple[int, int, int]:
    """Whole rate periods and days of one in [period_from, end) of an item."""
    start = item["period_from"]
    if not item["whole_periods"]:
        used = max((end - start).days, 0)
        return 0, used, item["period_days"] if used else 1
    whole, turn = 0, start
    while True:
        if item["price_months"]:
            following = add_months(start, (whole + 1) * item["price_months"], item["cycle_day"])
        else:
            following = start + timedelta(days=(whole + 1) * item["price_days"])
        if following > end:
            break
        whole, turn = whole + 1, following
    days = max((end - turn).days, 0)
    return whole, days, (following - turn).days if days else 1


def charged_until(item: Row, end: date) -> Row:
    """What the item costs up to a day."""
    if end >= item["period_to"]:
        return {name: item[name] for name in AMOUNTS}
    whole, days, period_days = used_part(item, end)
    return amounts(
        item["charge_micro"],
        whole + Fraction(days, period_days),
        item["discount_ppm"],
        item["amount_off_micro"],
        item["tax_ppm"],
        inclusive=item["is_tax_inclusive"],
    )


def credit(item: Row, effective_to: date, charged_to: date) -> Row | None:
    """What an item gives back when its service ends on a day."""
    used_to = max(effective_to, item["period_from"])
    if used_to >= charged_to:
        return None
    remains, stands = charged_until(item, used_to), charged_until(item, charged_to)
    whole, days, period_days = used_part(item, used_to)
    return {
        "period_from": used_to,
        "period_to": charged_to,
        "used_whole_periods": whole,
        "used_days": days,
        "used_period_days": period_days,
        **{name: remains[name] - stands[name] for name in AMOUNTS},
    }
