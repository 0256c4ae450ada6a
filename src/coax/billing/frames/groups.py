"""Sums and numbers within groups of rows that lie together: a group is a run of equal keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

Array = np.ndarray[Any, Any]


def find_starts(frame: pl.DataFrame, keys: list[str]) -> Array:
    """Return the row at which each group begins; rows of a group must lie together."""
    if not frame.height:
        return np.zeros(0, np.int64)
    changes = np.zeros(frame.height, bool)
    changes[0] = True
    for key in keys:
        values = frame[key].to_numpy()
        changes[1:] |= values[1:] != values[:-1]
    return np.flatnonzero(changes)


def sum_groups(values: pl.Series, starts: Array) -> Array:
    """Return the sum of each group."""
    return np.add.reduceat(values.to_numpy(), starts) if len(starts) else np.zeros(0, np.int64)


def count_groups(starts: Array, height: int) -> Array:
    """Return how many rows each group has."""
    return np.diff(starts, append=height)


def number_rows(starts: Array, height: int) -> Array:
    """Return each row's number within its group, from 1."""
    counts = count_groups(starts, height)
    numbers: Array = np.arange(height) - np.repeat(starts, counts) + 1
    return numbers
