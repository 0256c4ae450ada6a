"""What came of an execution, in the words of lists and logs."""

from __future__ import annotations

from typing import Final

from coax.base.money import minor_to_decimal
from coax.process.recurring.types import ProcessRunRow, ProcessState

COUNTED: Final = ("performed", "bills", "pending", "refused", "spared")


def write_result(run: ProcessRunRow, currency: str) -> str:
    """Return the sums of an execution so far, and the error that ended it."""
    parts = [f"{count:,} {_name(name, count)}" for name in COUNTED if (count := run.counts.get(name))]
    if run.counts.get("bills"):
        parts.append(f"{minor_to_decimal(run.counts['total_minor'], currency):,} {currency}")
    if run.state is ProcessState.RUNNING and run.total:
        parts.append(f"{run.done * 100 // run.total} %")
    if not parts and run.state in (ProcessState.COMPLETED, ProcessState.STOPPED):
        parts.append("nothing to do" if run.started_at else "not begun")
    return ", ".join([*parts, *([run.error] if run.error else [])])


def _name(name: str, count: int) -> str:
    return "bill" if name == "bills" and count == 1 else name
