"""Keep, fetch and drop what a task computed, together with its progress row."""

from __future__ import annotations

from typing import Any

import polars as pl

from coax.base.db import execute, fetch_rows
from coax.billing.batch.stage import delete_frames, load_frame, load_frames, save_frames

SUMMED = (
    "services",
    "due",
    "billed",
    "pending",
    "refused",
    "accounts",
    "invoices",
    "items",
    "net_micro",
    "tax_micro",
    "rounding_micro",
    "total_minor",
)


def claim_part(*, run_id: int, part: int, using: str) -> str:
    """Lock a task's row for this transaction and return the state it is in; a second worker waits here."""
    return str(
        fetch_rows(
            "SELECT state FROM billing_run_part WHERE run_id = %s AND part = %s FOR UPDATE",
            [run_id, part],
            using=using,
        )[0][0]
    )


def stage_part(
    *,
    tenant_id: int,
    run_id: int,
    part: int,
    state: str,
    frames: dict[str, pl.DataFrame],
    sums: dict[str, Any],
    using: str,
) -> None:
    """Keep a task's frames and sums in the open transaction; whatever it had staged before is replaced."""
    save_frames(frames, tenant_id=tenant_id, run_id=run_id, part=part, using=using)
    names = [name for name in SUMMED if name in sums]
    assignments = ", ".join(f"{name} = %s" for name in names)
    execute(
        f"UPDATE billing_run_part SET state = %s, staged_at = now(), {assignments} WHERE run_id = %s AND part = %s",
        [state, *(sums[name] for name in names), run_id, part],
        using=using,
    )


def fetch_part(*, run_id: int, part: int, using: str) -> dict[str, pl.DataFrame]:
    """Return the frames that a task has staged."""
    return load_frames(run_id=run_id, part=part, using=using)


def fetch_frame(*, run_id: int, part: int, frame: str, using: str) -> pl.DataFrame | None:
    """Return one frame that a task has staged; None before it has."""
    return load_frame(run_id=run_id, part=part, frame=frame, using=using)


def finish_part(*, run_id: int, part: int, sums: dict[str, Any], using: str) -> None:
    """Mark a task as posted, with its final sums, and drop what it staged."""
    delete_frames(run_id=run_id, part=part, using=using)
    assignments = ", ".join(f"{name} = %s" for name in sums)
    execute(
        f"UPDATE billing_run_part SET state = 'posted', posted_at = now(), {assignments} "
        "WHERE run_id = %s AND part = %s",
        [*sums.values(), run_id, part],
        using=using,
    )


def drop_stage(*, run_id: int, using: str) -> None:
    """Drop everything that a run staged."""
    execute("DELETE FROM billing_run_stage WHERE run_id = %s", [run_id], using=using)
