"""Half-open periods of civil dates: the start is in, the end is not (decision C8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Self

from coax.base.errors import DomainError


class InvalidPeriod(DomainError):
    """A period that ends on or before the day it starts."""

    code: ClassVar[str] = "invalid_period"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days `start <= day < end`; at least one.

    Raises:
        InvalidPeriod: if it would hold no day.
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InvalidPeriod(f"period [{self.start}, {self.end}) has no day", start=self.start, end=self.end)

    @property
    def days(self) -> int:
        """Return the number of days."""
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        """Return the last day inside, the way a bill shows it."""
        return self.end - timedelta(days=1)

    def contains(self, day: date) -> bool:
        """Tell whether the day lies inside."""
        return self.start <= day < self.end

    def overlaps(self, other: Period) -> bool:
        """Tell whether the two share a day; periods that only touch do not."""
        return self.start < other.end and other.start < self.end

    def intersect(self, other: Period) -> Self | None:
        """Return the shared days, or None when there are none."""
        if not self.overlaps(other):
            return None
        return type(self)(max(self.start, other.start), min(self.end, other.end))

    def __str__(self) -> str:
        return f"[{self.start}, {self.end})"
