"""Expected problems of a set: a service is rated whole or refused, with the first reason found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from coax.rating.frames.calendar import Flags
from coax.rating.frames.schemas import REFUSED_SCHEMA
from coax.rating.types import RefusalReason

Rows = npt.NDArray[np.intp]


@dataclass(slots=True)
class Refusals:
    """Collects refused rows of `services`; `is_refused` has one flag per row."""

    services: pl.DataFrame
    is_refused: Flags
    frames: list[pl.DataFrame] = field(default_factory=list)

    @classmethod
    def of(cls, services: pl.DataFrame) -> Refusals:
        return cls(services, np.zeros(services.height, dtype=np.bool_))

    def refuse(self, rows: Rows, reason: RefusalReason, detail: pl.Expr) -> None:
        """Refuse services by row, unless they are already; `detail` is worked out on their input columns."""
        fresh = np.unique(rows[~self.is_refused[rows]])
        if not len(fresh):
            return
        self.is_refused[fresh] = True
        self.frames.append(self.services[fresh].select("service_key", reason=pl.lit(reason.value), detail=detail))

    def to_frame(self) -> pl.DataFrame:
        """Return the refused services, by reason in the order found, then by row."""
        return pl.concat([pl.DataFrame(schema=REFUSED_SCHEMA), *self.frames])
