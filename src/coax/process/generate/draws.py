"""Chance without a generator: whole numbers that follow from a seed, a key and a purpose, the same on every machine."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]
Draws = npt.NDArray[np.uint64]

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FACTORS: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))
_HALF: Final = np.uint64(32)


class Chance:
    """Draws of one seed. Each purpose has a name of its own, so that a new one changes none of the others."""

    def __init__(self, seed: int) -> None:
        self._seed = np.array([seed], dtype=np.int64).astype(np.uint64)

    def pick(self, purpose: str, keys: Keys, count: int | Keys) -> Keys:
        """Return a number from 0 to count - 1 for each key, all as likely; a count of 0 gives 0."""
        counts = np.asarray(count, dtype=np.int64).astype(np.uint64)
        return ((self._draw(purpose, keys) >> _HALF) * counts >> _HALF).astype(np.int64)

    def is_one_of(self, purpose: str, keys: Keys, percent: int) -> npt.NDArray[np.bool_]:
        """Tell for each key whether it is among so many of a hundred."""
        return self.pick(purpose, keys, 100) < percent

    def choose(self, purpose: str, keys: Keys, weights: Keys) -> Keys:
        """Return a position in `weights` for each key, as likely as its weight."""
        ends = np.cumsum(weights)
        return np.searchsorted(ends, self.pick(purpose, keys, int(ends[-1])), side="right").astype(np.int64)

    def _draw(self, purpose: str, keys: Keys) -> Draws:
        """Return 64 well mixed bits for each key (the finalizer of SplitMix64)."""
        salt = np.frombuffer(purpose.encode().ljust(24, b"\0")[:24], dtype="<u8")
        mixed = _mix(self._seed + _STEP)
        for part in salt:
            mixed = _mix(mixed ^ part)
        return _mix(mixed + keys.astype(np.uint64) * _STEP)


def _mix(bits: Draws) -> Draws:
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        bits = (bits ^ (bits >> shift)) * factor
    mixed: Draws = bits ^ (bits >> _SHIFTS[2])
    return mixed
