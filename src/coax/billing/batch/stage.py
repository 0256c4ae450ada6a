"""What a task computed, as columnar blocks in the database: invisible to readers, reviewable, re-doable."""

from __future__ import annotations

from io import BytesIO

import polars as pl

from coax.base.db import binary_cursor, execute


def save_frames(frames: dict[str, pl.DataFrame], *, tenant_id: int, run_id: int, part: int, using: str) -> None:
    """Replace a task's staged frames by these."""
    delete_frames(run_id=run_id, part=part, using=using)
    with binary_cursor(using=using) as cursor:
        for name, frame in frames.items():
            buffer = BytesIO()
            frame.write_ipc(buffer, compression="lz4")
            cursor.execute(
                "INSERT INTO billing_run_stage (run_id, part, frame, tenant_id, payload) VALUES (%s, %s, %s, %s, %b)",
                [run_id, part, name, tenant_id, buffer.getbuffer()],
            )


def load_frames(*, run_id: int, part: int, using: str) -> dict[str, pl.DataFrame]:
    """Return a task's staged frames by name."""
    with binary_cursor(using=using) as cursor:
        cursor.execute("SELECT frame, payload FROM billing_run_stage WHERE run_id = %s AND part = %s", [run_id, part])
        rows = cursor.fetchall()
    return {name: pl.read_ipc(BytesIO(payload)) for name, payload in rows}


def load_frame(*, run_id: int, part: int, frame: str, using: str) -> pl.DataFrame | None:
    """Return one staged frame of a task, or None where there is none."""
    with binary_cursor(using=using) as cursor:
        cursor.execute(
            "SELECT payload FROM billing_run_stage WHERE run_id = %s AND part = %s AND frame = %s",
            [run_id, part, frame],
        )
        row = cursor.fetchone()
    return pl.read_ipc(BytesIO(row[0])) if row else None


def delete_frames(*, run_id: int, part: int, using: str) -> None:
    """Drop a task's staged frames."""
    execute("DELETE FROM billing_run_stage WHERE run_id = %s AND part = %s", [run_id, part], using=using)
