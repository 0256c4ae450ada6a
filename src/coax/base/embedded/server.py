"""Making a cluster, starting and stopping its server with PostgreSQL's own tools."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coax.base.embedded.account import ServerAccount
from coax.base.embedded.binaries import Binaries
from coax.base.embedded.directory import SOCKET_PORT, Layout
from coax.base.embedded.postmaster import LOOPBACK, Postmaster, find_postmaster
from coax.base.embedded.roles import SUPERUSER
from coax.base.errors import DomainError

StopMode = Literal["smart", "fast", "immediate"]

PG_CTL_TIMEOUT_S = 300
ORPHANS_TIMEOUT_S = 30
APPEARANCE_TIMEOUT_S = 2
POLL_S = 0.1
PORT_ATTEMPTS_MAX = 5
LOG_SIZE_MAX = 20 * 1024**2
LOG_TAIL_LINES = 12
SHARED_BUFFERS_MAX = 4 * 1024**3
SHARED_BUFFERS_MIN = 32 * 1024**2
MEMORY_SHARE = 4  # one part in four
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
DEFAULT_SETTINGS: Mapping[str, str] = {
    "dynamic_shared_memory_type": "posix",
    "jit": "off",
    "log_timezone": "UTC",
    "max_connections": "100",
    "max_wal_size": "8GB",
    "timezone": "UTC",
    "wal_level": "replica",
}


class EmbeddedServerFailed(DomainError):
    """PostgreSQL could not be set up, started or stopped; the message ends with its last log lines."""

    code = "embedded_server_failed"


class ClusterVersionMismatch(DomainError):
    """The cluster was made by another major version of PostgreSQL."""

    code = "cluster_version_mismatch"


@dataclass(frozen=True, slots=True)
class Server:
    """All that starting and stopping need to know."""

    layout: Layout
    account: ServerAccount
    binaries: Binaries

    def init_cluster(self, password: str) -> None:
        """Make the cluster if there is none; a half-made one of a killed process is thrown away first.

        Raises: EmbeddedServerFailed.
        """
        if self.layout.cluster.exists():
            return
        draft = self.layout.cluster_in_making
        password_file = self.layout.root / "password.new"
        shutil.rmtree(draft, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        draft.mkdir(mode=0o700)
        self.account.own(draft)
        try:
            self._write_for_server(password_file, password)
            self._run_initdb(draft, password_file)
        finally:
            password_file.unlink(missing_ok=True)
        draft.rename(self.layout.cluster)

    def check_version(self) -> None:
        """Check that the programs and the cluster are of the same major version.

        Raises: ClusterVersionMismatch, EmbeddedServerFailed.
        """
        try:
            made_by = (self.layout.cluster / "PG_VERSION").read_text().strip()
        except FileNotFoundError as error:
            raise EmbeddedServerFailed(
                f"{self.layout.cluster} is no PostgreSQL cluster: PG_VERSION is missing."
            ) from error
        if made_by != self.binaries.major:
            raise ClusterVersionMismatch(
                f"The cluster in {self.layout.cluster} was made by PostgreSQL {made_by}, the programs in "
                f"{self.binaries.directory} are PostgreSQL {self.binaries.version}. Name programs of version "
                f"{made_by} by COAX_PG_BIN, or dump it with them and restore into a new data directory.",
                made_by=made_by,
                programs=self.binaries.version,
            )

    def start(self, settings: Mapping[str, str], *, port_before: int | None) -> None:
        """Start the server and wait until it takes connections; of ports `port_before` is tried first.

        Another port is tried where one was taken meanwhile, and backends of a killed server, which hold its
        memory until they notice, are waited for. A recovery longer than `PG_CTL_TIMEOUT_S` goes on behind the
        error.

        Raises: EmbeddedServerFailed.
        """
        self._prepare_files()
        orphans_until_s = time.monotonic() + ORPHANS_TIMEOUT_S
        ports_tried = 0
        while True:
            endpoint = _choose_endpoint(self.layout, port_before if ports_tried == 0 else None)
            log_before = self.layout.log.stat().st_size
            if self._pg_ctl("start", "-l", self.layout.log, "-o", _format_options({**settings, **endpoint})):
                return
            problem = self.read_log(log_before)
            if find_postmaster(self.layout) is not None:
                raise EmbeddedServerFailed(
                    f"PostgreSQL is not ready after {PG_CTL_TIMEOUT_S} s and goes on starting: start again "
                    f"to wait for it, or stop it. {self._quote_log(problem)}"
                )
            if "could not bind" in problem and ports_tried < PORT_ATTEMPTS_MAX:
                ports_tried += 1
            elif "is still in use" in problem and time.monotonic() < orphans_until_s:
                time.sleep(POLL_S)
            else:
                raise EmbeddedServerFailed(f"PostgreSQL did not start. {self._quote_log(problem)}")

    def wait_until_ready(self) -> Postmaster:
        """Return the server when it takes connections, also one that a killed process left starting.

        Raises: EmbeddedServerFailed.
        """
        until_s = time.monotonic() + PG_CTL_TIMEOUT_S
        while not ((found := find_postmaster(self.layout)) and found.is_ready):
            if found is None or time.monotonic() > until_s:
                raise EmbeddedServerFailed(f"PostgreSQL did not become ready. {self._quote_log(self.read_log())}")
            time.sleep(POLL_S)
        return found

    def stop(self, mode: StopMode) -> None:
        """Stop the running server and wait until it is gone.

        Raises: EmbeddedServerFailed.
        """
        log_before = self.layout.log.stat().st_size if self.layout.log.exists() else 0
        if not self._pg_ctl("stop", "-m", mode) and find_postmaster(self.layout) is not None:
            raise EmbeddedServerFailed(f"PostgreSQL did not stop. {self._quote_log(self.read_log(log_before))}")

    def stop_interrupted(self) -> None:
        """Stop a server whose start was interrupted, waiting a moment for one being forked."""
        until_s = time.monotonic() + APPEARANCE_TIMEOUT_S
        while find_postmaster(self.layout) is None:
            if time.monotonic() > until_s:
                return
            time.sleep(POLL_S)
        self.stop("fast")

    def read_log(self, offset: int = 0) -> str:
        """Return the log from a byte offset on."""
        if not self.layout.log.exists():
            return ""
        with self.layout.log.open("rb") as file:
            file.seek(offset)
            return file.read(LOG_SIZE_MAX).decode(errors="replace")

    def _run_initdb(self, draft: Path, password_file: Path) -> None:
        result = self.account.run(
            self.binaries.path("initdb"),
            *("-D", draft, "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password_file}"),
            *("--encoding=UTF8", "--locale=C", "--data-checksums"),
            cwd=self.layout.root,
        )
        if result.returncode != 0:
            raise EmbeddedServerFailed(
                f"The cluster could not be made. {result.stderr.strip() or result.stdout.strip()}"
            )

    def _pg_ctl(self, action: str, *arguments: str | Path) -> bool:
        command = (
            self.binaries.path("pg_ctl"),
            action,
            "-D",
            self.layout.cluster,
            "-w",
            "-t",
            str(PG_CTL_TIMEOUT_S),
        )
        return self.account.run(*command, *arguments, cwd=self.layout.root).returncode == 0

    def _prepare_files(self) -> None:
        run, log = self.layout.run, self.layout.log
        run.mkdir(mode=0o700, exist_ok=True)
        self.account.own(run)  # always: a start may have been killed after the line before
        if log.exists() and log.stat().st_size > LOG_SIZE_MAX:
            log.replace(log.with_name(log.name + ".1"))
        if not log.exists():
            self._write_for_server(log, "")
        self.account.own(log)

    def _write_for_server(self, path: Path, text: str) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        self.account.own(path)

    def _quote_log(self, text: str) -> str:
        lines = text.strip().splitlines()[-LOG_TAIL_LINES:] or ["(nothing was logged)"]
        return "\n".join([f"The last lines of {self.layout.log}:", *lines])


def choose_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the server settings: ours, overridden by the given ones.

    Raises: ValueError for a name that is none.
    """
    if bad := [name for name in settings if not re.fullmatch(r"[a-z_][a-z0-9_.]*", name)]:
        raise ValueError(f"No name of a server setting: {bad[0]!r}")
    return {**DEFAULT_SETTINGS, "shared_buffers": f"{_choose_shared_buffers() // 1024}kB", **settings}


def _choose_shared_buffers() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # "max", or no such limit here
        memory = min(memory, int(CGROUP_LIMIT.read_text()))
    return max(SHARED_BUFFERS_MIN, min(SHARED_BUFFERS_MAX, memory // MEMORY_SHARE))


def _choose_endpoint(layout: Layout, port_before: int | None) -> dict[str, str]:
    if layout.has_socket:
        return {
            "listen_addresses": "",
            "port": str(SOCKET_PORT),
            "unix_socket_directories": f'"{layout.run}"',
            "unix_socket_permissions": "0700",
        }
    port = port_before if port_before and _is_free(port_before) else _find_free_port()
    return {"listen_addresses": LOOPBACK, "port": str(port), "unix_socket_directories": ""}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _format_options(settings: Mapping[str, str]) -> str:
    return " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
