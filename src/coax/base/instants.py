"""Instants as text: ISO 8601 with an offset, or as the clocks of a time zone show them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from coax.base.errors import DomainError

FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
_FORM: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII)


class InstantInvalid(DomainError):
    """The text is no instant, or one without an offset where it needs one."""

    code: ClassVar[str] = "instant_invalid"


def parse_instant(text: str, *, time_zone: str | None = None) -> datetime:
    """Return an instant in UTC: `2026-07-09T20:15+02:00`, or without an offset as clocks of the time zone show it.

    Raises: InstantInvalid.
    """
    allowed = f"YYYY-MM-DDTHH:MM from {FIRST_DAY} to {LAST_DAY}" + ("" if time_zone else ", with an offset or Z")
    try:
        found = datetime.fromisoformat(text if _FORM.fullmatch(text) else "")
        zone = found.tzinfo or (ZoneInfo(time_zone) if time_zone else None)
        instant = found.replace(tzinfo=zone).astimezone(UTC) if zone else None
    except (ValueError, OverflowError):
        instant = None
    if instant is None or not FIRST_DAY <= instant.date() <= LAST_DAY:
        raise InstantInvalid(f"{text!r} is no time; allowed is {allowed}.", value=text, allowed=allowed)
    return instant
