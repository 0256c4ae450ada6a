"""The number of price periods in words: `17/31 + 1 months`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from coax.base.calendar import MONTHS_PER_YEAR
from coax.billing.types.document import PeriodPart
from coax.process.bills.formats import Formats

SINGLE: Final = PeriodPart(1, 0, 1)


def write_price_periods(
    parts: Sequence[PeriodPart],
    span: tuple[int, int] | None,
    texts: Mapping[str, str],
    formats: Formats,
) -> str:
    """Return how many price periods of `span` (months, days) the parts are; empty without parts."""
    count = " + ".join(map(str, parts))
    if not parts or span is None or span == (0, 0):
        return count
    unit, length = _find_unit(*span)
    if length > 1:
        return texts[f"{unit}s_of"].format(count=count, length=formats.write_integer(length))
    return texts[f"{unit}_{_plural(parts)}"].format(count=count)


def _find_unit(months: int, days: int) -> tuple[str, int]:
    if months == MONTHS_PER_YEAR:
        return "year", 1
    return ("month", months) if months else ("day", days)


def _plural(parts: Sequence[PeriodPart]) -> str:
    """Return which form the unit takes: one for a single period or a fraction of one."""
    is_one = len(parts) == 1 and (parts[0] == SINGLE or not parts[0].whole_periods)
    return "one" if is_one else "other"
