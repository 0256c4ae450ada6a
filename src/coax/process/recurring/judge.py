"""Which occurrences of a schedule are executed, and which are only shown as missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from coax.process.recurring.types import ProcessState

MISSED_AFTER: Final = timedelta(hours=1)


def judge_occurrences(
    due: Sequence[datetime], *, now: datetime, is_simulated: bool, is_in_order: bool, is_behind: bool
) -> list[tuple[datetime, ProcessState]]:
    """Return each occurrence that has fallen due with its state: at most the latest one is executed by itself.

    By a real clock it may be less than `MISSED_AFTER` late; a simulated clock jumps, so there the latest one is never
    too late. Where periods are done in order, nothing is executed by itself while an earlier one is undone
    (`is_behind`).
    """
    states = [(at, ProcessState.MISSED) for at in due]
    if not states:
        return []
    is_late = not is_simulated and is_too_late(due[-1], now)
    is_out_of_order = is_in_order and (is_behind or len(due) > 1)
    if not (is_late or is_out_of_order):
        states[-1] = (due[-1], ProcessState.WAITING)
    return states


def is_too_late(due_at: datetime, now: datetime) -> bool:
    """Tell whether so much time has passed since an occurrence that it counts as missed."""
    return now - due_at >= MISSED_AFTER
