"""Validity of configuration as epochs: between two changes nothing changes, so a date is a small number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from coax.rating.frames.calendar import OPEN_DAY, Days, day_number


def is_in_force(day: int, effective_from: int, effective_to: int) -> bool:
    """Tell whether a half-open validity holds the day."""
    return effective_from <= day < effective_to


def end_day(effective_to: date | None) -> int:
    """Return an end of validity as a day number, open ends as `OPEN_DAY`."""
    return int(OPEN_DAY) if effective_to is None else day_number(effective_to)


@dataclass(frozen=True, slots=True)
class Epochs:
    """The sorted days on which anything starts or ends to be valid."""

    changes: Days

    @classmethod
    def of(cls, days: Iterable[int]) -> Epochs:
        return cls(np.array(sorted(set(days)), dtype=np.int32))

    def find(self, days: Days) -> npt.NDArray[np.intp]:
        """Return the epoch of each day: how many changes there are on or before it."""
        if not len(days):
            return np.empty(0, dtype=np.intp)
        first, last = int(days.min()), int(days.max())
        calendar = np.arange(first, last + 1, dtype=np.int32)
        return np.searchsorted(self.changes, calendar, side="right").take(days - np.int32(first))

    def days_in(self, epochs: npt.NDArray[np.int64]) -> Days:
        """Return a day of each epoch, its first."""
        return np.append(-OPEN_DAY, self.changes).astype(np.int32).take(epochs)
