"""Distinct combinations of integer columns: configuration is worked out once for each, then gathered back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

# Above this many possible combinations a table of all of them no longer pays.
DENSE_COMBINATIONS_MAX = 1 << 22

AnyInts = npt.NDArray[np.signedinteger]


@dataclass(frozen=True, slots=True)
class Combinations:
    """`columns[i][position[row]]` is the value of column i in that row; `count` combinations in all."""

    columns: list[npt.NDArray[np.int64]]
    position: npt.NDArray[np.intp]

    @property
    def count(self) -> int:
        return len(self.columns[0])


def find_combinations(columns: Sequence[AnyInts]) -> Combinations:
    """Return the distinct combinations of equally long columns, sorted, and where each row's one stands."""
    if not len(columns[0]):
        empty = [np.empty(0, dtype=np.int64) for _ in columns]
        return Combinations(empty, np.empty(0, dtype=np.intp))
    lows = [int(column.min()) for column in columns]
    sizes = [int(column.max()) - low + 1 for column, low in zip(columns, lows, strict=True)]
    if prod(sizes) <= DENSE_COMBINATIONS_MAX:
        return _find_dense(columns, lows, sizes)
    return _find_sparse(columns)


def _find_dense(columns: Sequence[AnyInts], lows: list[int], sizes: list[int]) -> Combinations:
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column, low, size in zip(columns, lows, sizes, strict=True):
        code *= size
        code += column
        code -= low
    is_present = np.zeros(prod(sizes), dtype=np.bool_)
    is_present[code] = True
    present = np.flatnonzero(is_present)
    position = np.empty(len(is_present), dtype=np.intp)
    position[present] = np.arange(len(present))
    return Combinations(_decode(present, lows, sizes), position.take(code))


def _decode(codes: npt.NDArray[np.intp], lows: list[int], sizes: list[int]) -> list[npt.NDArray[np.int64]]:
    values = []
    for low, size in zip(reversed(lows), reversed(sizes), strict=True):
        codes, value = np.divmod(codes, size)
        values.append(value.astype(np.int64) + low)
    return values[::-1]


def _find_sparse(columns: Sequence[AnyInts]) -> Combinations:
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:  # ranks stay below the number of rows, so a product of two never overflows
        values, rank = np.unique(column, return_inverse=True)
        code = np.unique(code * len(values) + rank, return_inverse=True)[1]
    _, first, position = np.unique(code, return_index=True, return_inverse=True)
    return Combinations([column[first].astype(np.int64) for column in columns], position)
