"""Which server runs on a cluster: `postmaster.pid`, believed only when the process is that server."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from coax.base.embedded.directory import SOCKET_PORT, Layout
from coax.base.errors import DomainError

LOOPBACK = "127.0.0.1"
NOBODYS_PID = 2**22 + 1  # above the highest process number that a kernel gives
PID_LINES_MIN = 5
STATE_LINE = 7


class DataDirectoryMismatch(DomainError):
    """The pid file is that of a running server of another directory: this one was copied or moved."""

    code = "data_directory_mismatch"


class Liveness(StrEnum):
    """What the process number in a pid file stands for."""

    RUNNING = "running"
    ELSEWHERE = "elsewhere"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A server as its pid file describes it; `host` is its socket's directory or the loopback address."""

    pid: int
    cluster_dir: Path
    host: str
    port: int
    is_ready: bool


def find_postmaster(layout: Layout) -> Postmaster | None:
    """Return the server that runs on this cluster, or None (a stale pid file counts as none).

    Raises: DataDirectoryMismatch.
    """
    found = _read_pid_file(layout)
    if found is None:
        return None
    liveness = _judge(found, layout)
    if liveness is Liveness.ELSEWHERE:
        raise DataDirectoryMismatch(
            f"{layout.cluster} was copied or moved while its server ran "
            f"(process {found.pid} on {found.cluster_dir}). "
            "Stop that server first and copy again; a copy of a running server is not sound.",
            pid=found.pid,
            path=layout.cluster,
        )
    return found if liveness is Liveness.RUNNING else None


def clear_stale(layout: Layout) -> None:
    """Take away what a killed server left and PostgreSQL would stumble over; call with no server running.

    Where the process number was given to a stranger, it is replaced in the pid file and the rest is kept:
    by it PostgreSQL notices backends of the killed server that still live.
    """
    pid_file = _pid_file(layout)
    found = _read_pid_file(layout)
    if found is None:
        pid_file.unlink(missing_ok=True)
    elif read_command(found.pid) is not None:
        descriptor = os.open(pid_file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "r+") as file:
            rest = file.read().split("\n", 1)[1]
            file.seek(0)
            file.truncate()
            file.write(f"{NOBODYS_PID}\n{rest}")
    for name in (f".s.PGSQL.{SOCKET_PORT}", f".s.PGSQL.{SOCKET_PORT}.lock"):
        (layout.run / name).unlink(missing_ok=True)


def read_command(pid: int) -> str | None:
    """Return the command line of a process, empty for a dead one not yet reaped; None when there is none."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # alive, another user's
    proc = Path("/proc") / str(pid) / "cmdline"
    if proc.parent.parent.joinpath("self").exists():
        try:
            return proc.read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="surrogateescape")
        except OSError:
            return None
    return _ask_ps(pid)


def _ask_ps(pid: int) -> str:
    program = shutil.which("ps") or "/bin/ps"
    command = [program, "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 -- a number


def _judge(found: Postmaster, layout: Layout) -> Liveness:
    command = (read_command(found.pid) or "") + " "
    program = command.split(" -D ", 1)[0]
    if Path(program).name != "postgres":
        return Liveness.STALE
    if f" -D {layout.cluster} " in command:
        return Liveness.RUNNING
    return Liveness.ELSEWHERE if f" -D {found.cluster_dir} " in command else Liveness.STALE


def _pid_file(layout: Layout) -> Path:
    return layout.cluster / "postmaster.pid"


def _read_pid_file(layout: Layout) -> Postmaster | None:
    """Parse the lines (see below); None when the file is absent or damaged.

    Pid, directory, start time, port, socket directory, address, shared memory, state.
    """
    try:
        lines = _pid_file(layout).read_text(errors="surrogateescape").splitlines()
        if len(lines) < PID_LINES_MIN or int(lines[0]) <= 0:
            return None
        return Postmaster(
            pid=int(lines[0]),
            cluster_dir=Path(lines[1]),
            port=int(lines[3]),
            host=lines[4] or LOOPBACK,
            is_ready=len(lines) > STATE_LINE and lines[STATE_LINE].strip() == "ready",
        )
    except (FileNotFoundError, ValueError):
        return None
