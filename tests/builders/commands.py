"""`coax` as people use it: in processes of its own, whose output, errors and exit code count."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
from typer.testing import CliRunner

from coax.base.db import connection_parameters
from coax.interfaces.cli.main import app

WAIT_S = 60


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """Return its errors as one line, without line breaks of the terminal; there is never a traceback."""
        assert "Traceback" not in self.err
        return " ".join(self.err.split())


@dataclass
class ACommand:
    """A `coax` command in processes of its own; none of them outlives the block."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "coax.interfaces.cli.main", *self.arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def finish(self) -> Ended:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=WAIT_S)
        return Ended(self.process.returncode, out, err)

    def kill(self) -> None:
        """Kill it, but not its workers, and wait until the kernel is done with it."""
        self.process.kill()
        self.process.wait(WAIT_S)

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def list_workers(self) -> list[int]:
        """Return the process numbers of its pool."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid and b"spawn_main" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return sorted(found)


def start_coax(*arguments: str | Path) -> ACommand:
    """Start `coax` on the database of this process."""
    return ACommand(tuple(map(str, arguments)), {**os.environ, "COLUMNS": "200"})


def run_coax(*arguments: str | Path) -> Ended:
    """Run `coax` on the database of this process to its end."""
    with start_coax(*arguments) as command:
        return command.finish()


def call_coax(*arguments: str | Path) -> Ended:
    """Run `coax` in this process, where nothing of a process of its own counts."""
    done = CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "200"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ended(done.exit_code, done.stdout, done.stderr)


@contextmanager
def locked(*statements: str) -> Iterator[psycopg.Connection[Any]]:
    """Hold rows for the length of a block: who wants them stands still there."""
    with psycopg.connect(**connection_parameters("run")) as holder:  # type: ignore[arg-type]
        for statement in statements:
            holder.execute(statement.encode())
        yield holder
        holder.rollback()


def count_waiting() -> int:
    """Return how many sessions of the database wait for a lock."""
    with psycopg.connect(**connection_parameters("run")) as connection:  # type: ignore[arg-type]
        row = connection.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN "
            "(SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        ).fetchone()
    assert row is not None
    return int(row[0])


def end_waiting() -> None:
    """End the sessions of people and programs that wait for a lock, as when their server goes down."""
    with psycopg.connect(**connection_parameters("app")) as connection:  # type: ignore[arg-type]
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND pid IN "
            "(SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        )


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for has ended too."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Ask again and again until it is so."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)
