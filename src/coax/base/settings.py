"""What the environment says: where the data lies, which server, how many workers. Read once, here only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from coax.base.errors import DomainError


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of this process; every one has a default that works on a laptop."""

    database_url: str | None
    data_dir: Path | None
    database_name: str
    workers: int
    debug: bool
    allowed_hosts: tuple[str, ...]
    secret_key: str | None
    api_requests_per_minute: int


class EnvironmentInvalid(DomainError):
    """A variable of the environment has a value that is not allowed."""

    code: ClassVar[str] = "environment_invalid"


def read_environment() -> Environment:
    """Return the process's settings from COAX_* variables (docs/operations.md lists them).

    Raises: EnvironmentInvalid.
    """
    data_dir = os.environ.get("COAX_DATA_DIR")
    return Environment(
        database_url=os.environ.get("COAX_DATABASE_URL") or None,
        data_dir=Path(data_dir) if data_dir else None,
        database_name=os.environ.get("COAX_DATABASE_NAME") or "coax",
        workers=_read_count("COAX_WORKERS", default=min(os.cpu_count() or 1, 8)),
        debug=os.environ.get("COAX_DEBUG") == "1",
        allowed_hosts=tuple((os.environ.get("COAX_ALLOWED_HOSTS") or "127.0.0.1,localhost,[::1]").split(",")),
        secret_key=os.environ.get("COAX_SECRET_KEY") or None,
        api_requests_per_minute=_read_count("COAX_API_REQUESTS_PER_MINUTE", default=600),
    )


def _read_count(name: str, *, default: int) -> int:
    text = os.environ.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not int(text):
        raise EnvironmentInvalid(f"{name}: {text!r} is not allowed; allowed is a whole number from 1 on.", value=text)
    return int(text)


def read_port(text: str) -> str:
    """Return a port as text. Raises: EnvironmentInvalid, which names the variable that holds the URL."""
    if not text.isascii() or not text.isdigit():
        raise EnvironmentInvalid(f"COAX_DATABASE_URL: the port {text!r} is no number.", value=text)
    return text
