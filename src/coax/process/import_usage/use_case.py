"""Import a file of usage: the form of every line first, then what the rules allow, chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.process.import_usage.reading import Fault, UsageLine, read_usage
from coax.process.import_usage.recording import record_usages

LINES_AT_A_TIME: Final = 2_000

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that the rules refuse."""

    line: int
    subscription: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportedUsage:
    """What came of a file; with `faults` of form nothing was recorded.

    `without_reference` counts recorded lines that would be recorded again with the same file.
    """

    lines: int
    recorded: int = 0
    known: int = 0
    without_reference: int = 0
    refused: tuple[RefusedLine, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether every line is recorded now."""
        return not self.faults and not self.refused


def import_usage(
    *,
    tenant: Tenant,
    path: Path,
    actor: str,
    reason: str = "",
    progress: Progress | None = None,
    lines_at_a_time: int = LINES_AT_A_TIME,
) -> ImportedUsage:
    """Record the usage that a CSV file tells; each chunk is a transaction, and what is known already is passed over.

    Raises: FileUnreadable, UsageFileRefused.
    """
    lines, faults = read_usage(path, time_zone=tenant.time_zone, reason=reason or f"file {path.name}")
    if faults:
        return ImportedUsage(len(lines) + len({fault.line for fault in faults}), faults=tuple(faults))
    recorded = known = 0
    refused: list[RefusedLine] = []
    dealt = _deal(lines)
    for start in range(0, len(dealt), lines_at_a_time):
        chunk = dealt[start : start + lines_at_a_time]
        with tenant_transaction(tenant.id, using=RUN_ALIAS):
            done = record_usages([one.request for one in chunk], tenant=tenant, actor=actor, using=RUN_ALIAS)
        recorded, known = recorded + done.recorded, known + done.known
        refused += [RefusedLine(chunk[r.place].line, r.subscription, r.rule, r.reason) for r in done.refused]
        if progress:
            progress("Recording", start + len(chunk), len(dealt))
    refused_lines = {one.line for one in refused}
    without = sum(1 for one in lines if one.line not in refused_lines and not _has_reference(one))
    return ImportedUsage(len(lines), recorded, known, without, refused=tuple(sorted(refused, key=lambda one: one.line)))


def _deal(lines: Sequence[UsageLine]) -> list[UsageLine]:
    """Return the first line of every subscription, then the second ones, and so on.

    Several lines on one subscription are performed one after the other, those on different ones at once.
    """
    seen: Counter[str] = Counter()
    turns = []
    for one in lines:
        code = one.request.subscription_code
        turns.append(seen[code])
        seen[code] += 1
    return [one for _, one in sorted(zip(turns, lines, strict=True), key=lambda pair: pair[0])]


def _has_reference(line: UsageLine) -> bool:
    return line.request.usage is not None and bool(line.request.usage.reference)
