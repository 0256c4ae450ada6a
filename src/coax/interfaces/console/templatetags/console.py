"""How figures, dates and codes are written in the console."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import template

from coax.base.money import currency_scale, micro_to_decimal, minor_to_decimal
from coax.interfaces.console.forms.nodes import write_label

register = template.Library()
MINUS = "\u2212"
DASH = "\u2013"
NO_BREAK_SPACE = "\u00a0"
PPM_PER_PERCENT = 10_000


@register.filter
def minor(amount_minor: int | None, currency: str) -> str:
    """Write minor units: 123456 EUR is 1,234.56."""
    return "" if amount_minor is None else _sign(f"{minor_to_decimal(int(amount_minor), currency):,f}")


@register.filter
def micro(amount_micro: int | None, currency: str) -> str:
    """Write micros with the currency's decimals, and more where there are more: 12500000 is 12.50."""
    if amount_micro is None:
        return ""
    whole, _, decimals = f"{micro_to_decimal(int(amount_micro)):,f}".partition(".")
    scale = currency_scale(currency)
    kept = decimals[:scale] + decimals[scale:].rstrip("0")
    return _sign(f"{whole}.{kept}" if kept else whole)


@register.filter
def number(value: int | None) -> str:
    """Write a whole number with its thousands apart."""
    return "" if value is None else _sign(f"{int(value):,}")


@register.filter
def percent(ppm: int) -> str:
    """Write parts per million as a percentage: 190000 is 19 %."""
    whole, rest = divmod(ppm, PPM_PER_PERCENT)
    decimals = f"{rest:04d}".rstrip("0")
    return f"{whole}.{decimals}{NO_BREAK_SPACE}%" if decimals else f"{whole}{NO_BREAK_SPACE}%"


@register.filter
def day(value: date | None) -> str:
    """Write a civil date."""
    return "" if value is None else value.isoformat()


@register.filter
def last_day(value: date | None) -> str:
    """Write the last day before an exclusive end."""
    return "" if value is None else (value - timedelta(days=1)).isoformat()


@register.filter
def moment(value: datetime | None, time_zone: str) -> str:
    """Write an instant as the operator's clocks show it."""
    return "" if value is None else f"{value.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M}"


@register.filter
def words(code: Any) -> str:
    """Write a code in words: not_exceeded is Not exceeded."""
    return write_label(str(getattr(code, "value", code) or ""))


@register.filter
def shown(value: Any) -> str:
    """Write a plain value of a difference."""
    if value is None or value == "":
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value) or DASH
    if isinstance(value, dict):
        return ", ".join(f"{key}: {shown(item)}" for key, item in value.items() if item not in (None, [], "")) or DASH
    return str(value)


def _sign(text: str) -> str:
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


@register.filter
def get(names: dict[str, str], code: str) -> str:
    """Write the name that a code has, or the code itself where it has none."""
    return names.get(code, code)
