"""What the environment says: where the data lies, which server, how many workers. Read once, here only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of this process; every one has a default that works on a laptop."""

    database_url: str | None
    data_dir: Path | None
    database_name: str
    workers: int
    debug: bool
    allowed_hosts: tuple[str, ...]


def read_environment() -> Environment:
    """Return the process's settings from COAX_* variables (docs/operations.md lists them)."""
    data_dir = os.environ.get("COAX_DATA_DIR")
    return Environment(
        database_url=os.environ.get("COAX_DATABASE_URL") or None,
        data_dir=Path(data_dir) if data_dir else None,
        database_name=os.environ.get("COAX_DATABASE_NAME") or "coax",
        workers=int(os.environ.get("COAX_WORKERS") or min(os.cpu_count() or 1, 8)),
        debug=os.environ.get("COAX_DEBUG") == "1",
        allowed_hosts=tuple((os.environ.get("COAX_ALLOWED_HOSTS") or "127.0.0.1,localhost,[::1]").split(",")),
    )
