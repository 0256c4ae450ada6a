"""A cluster as its users see it: start, stop, look, connect."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, urlencode

import psycopg

from coax.base.embedded.account import choose_account
from coax.base.embedded.binaries import drop_other_copies, find_binaries
from coax.base.embedded.directory import (
    SOCKET_PORT,
    DataDirectoryOwnedByAnother,
    Layout,
    choose_data_dir,
    prepare_directory,
    refuse_foreign,
)
from coax.base.embedded.lock import locked
from coax.base.embedded.passwords import ensure_passwords, get_passwords, write_json
from coax.base.embedded.postmaster import Postmaster, clear_stale, find_postmaster
from coax.base.embedded.roles import (
    DATABASE,
    ROLE_NAMES,
    Role,
    create_database,
    create_roles,
    hand_over_schema,
)
from coax.base.embedded.server import EmbeddedServerFailed, Server, StopMode, choose_settings
from coax.base.embedded.signals import signals_as_exceptions, signals_ignored
from coax.base.errors import DomainError

CONNECT_TIMEOUT_S = 10
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class ServerNotRunning(DomainError):
    """The server is not running, so the port on which it will listen is not known."""

    code = "server_not_running"


class ProvisioningFailed(DomainError):
    """The server started, but refused us or the statements that make its roles and database."""

    code = "provisioning_failed"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that takes connections; `is_ours` when this call started it."""

    cluster: Cluster
    pid: int
    host: str
    port: int
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a cluster; `version` is that of the cluster (`18`), None where there is none yet."""

    data_dir: Path
    is_running: bool
    pid: int | None
    version: str | None
    host: str | None
    port: int | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """The embedded server of one data directory; making the value touches nothing."""

    data_dir: Path

    @classmethod
    def at(cls, data_dir: Path | None = None) -> Cluster:
        """Return the cluster of a data directory: the argument, `COAX_DATA_DIR` or the user's default."""
        return cls(choose_data_dir(data_dir))

    def start(self, *, settings: Mapping[str, str] = NO_SETTINGS) -> Running:
        """Start the server, making the cluster, the roles and the database first if need be.

        Many processes may call this at once, and on a running server, whose settings then stay as they are.
        The server outlives this process. Interrupted, the call stops what it had begun to start.

        Raises: EmbeddedServerFailed, ProvisioningFailed, ClusterVersionMismatch, ClusterBusy,
        BinariesMissing, PasswordsMissing, ServiceUserUnusable and the DataDirectory errors.
        """
        account = choose_account(self._layout.cluster)
        prepare_directory(self._layout, account)
        with locked(self._layout.lock):
            found = find_postmaster(self._layout)
            if found is not None and self._read_record().get("pid") == found.pid:
                return self._describe(found, is_ours=False)
            passwords = ensure_passwords(self._layout)
            server = Server(self._layout, account, find_binaries(self._layout, account))
            server.init_cluster(passwords["superuser"])
            server.check_version()
            try:
                postmaster = self._launch(server, choose_settings(settings), is_there=found is not None)
                self._provision(postmaster, passwords)
                self._record(postmaster)
            except EmbeddedServerFailed:
                raise  # it is gone already, or in a long recovery that had better go on
            except BaseException:
                with signals_ignored():
                    server.stop_interrupted()
                raise
            return self._describe(postmaster, is_ours=found is None)

    def stop(self, mode: StopMode = "fast") -> bool:
        """Stop the server and wait until it is gone; return False when it was not running.

        Raises: EmbeddedServerFailed, ClusterBusy, BinariesMissing, the DataDirectory errors.
        """
        if not self._exists():
            return False
        with locked(self._layout.lock):
            found = find_postmaster(self._layout)
            if found is not None:
                account = choose_account(self._layout.cluster)
                Server(self._layout, account, find_binaries(self._layout, account)).stop(mode)
            self._record(None)
            return found is not None

    def status(self) -> Status:
        """Look at the cluster without touching it.

        Raises: DataDirectoryOwnedByAnother, DataDirectoryMismatch.
        """
        found = self.find_running()
        version_file = self._layout.cluster / "PG_VERSION"
        has_cluster = self._exists() and version_file.exists()
        return Status(
            data_dir=self.data_dir,
            is_running=found is not None,
            pid=found.pid if found else None,
            version=version_file.read_text().strip() if has_cluster else None,
            host=found.host if found else None,
            port=found.port if found else None,
            size_bytes=_measure(self._layout.cluster) if has_cluster else 0,
        )

    def find_running(self) -> Postmaster | None:
        """Return the server that runs on this cluster, or None.

        Raises: DataDirectoryOwnedByAnother, DataDirectoryMismatch.
        """
        return find_postmaster(self._layout) if self._exists() else None

    def is_stopped_in_order(self) -> bool:
        """Whether the server was last stopped by us, not killed."""
        return self.find_running() is None and self._read_record().get("pid") is None

    def dsn(self, role: Role, database: str = DATABASE) -> dict[str, str]:
        """Return host, port, user, password and dbname as psycopg takes them.

        Raises: ServerNotRunning where the port is chosen at each start, PasswordsMissing,
        DataDirectoryOwnedByAnother, DataDirectoryMismatch.
        """
        found = self.find_running()
        if found is None and not self._layout.has_socket:
            raise ServerNotRunning(f"The server of {self.data_dir} is not running; start it with: coax db start")
        return {
            "host": found.host if found else str(self._layout.run),
            "port": str(found.port if found else SOCKET_PORT),
            "user": ROLE_NAMES[role],
            "password": get_passwords(self._layout)[role],
            "dbname": database,
        }

    def url(self, role: Role, database: str = DATABASE) -> str:
        """Return the connection as a `postgresql://` URL, password included.

        Host and port stand in its query: many readers of URLs cannot take the path of a socket as a host.

        Raises: as `dsn`.
        """
        dsn = self.dsn(role, database)
        where = urlencode({"host": dsn["host"], "port": dsn["port"]}, quote_via=quote, safe="")
        user, password = quote(dsn["user"], safe=""), quote(dsn["password"], safe="")
        return f"postgresql://{user}:{password}@/{quote(database, safe='')}?{where}"

    @property
    def _layout(self) -> Layout:
        return Layout(self.data_dir)

    def _exists(self) -> bool:
        """Whether the directory was ever ours. Raises: DataDirectoryOwnedByAnother."""
        try:
            if not self._layout.lock.exists():
                return False
            refuse_foreign(self._layout, choose_account(self._layout.cluster))
        except PermissionError as error:
            raise DataDirectoryOwnedByAnother(
                f"{self.data_dir} is closed to this user; run the command as its owner.", path=self.data_dir
            ) from error
        return True

    def _launch(self, server: Server, settings: Mapping[str, str], *, is_there: bool) -> Postmaster:
        """Start the server, or wait for the one that a killed process left starting."""
        if not is_there:
            clear_stale(self._layout)
            drop_other_copies(self._layout, server.binaries)
            server.start(settings, port_before=self._read_record().get("port"))
        return server.wait_until_ready()

    def _provision(self, postmaster: Postmaster, passwords: Mapping[str, str]) -> None:
        """Bring roles and database into their proper state: a first start may have been killed half-way."""
        try:
            with self._connect(postmaster, passwords, "postgres") as conn:
                create_roles(conn, passwords)
                create_database(conn)
            with self._connect(postmaster, passwords, DATABASE) as conn:
                hand_over_schema(conn)
        except psycopg.Error as error:
            raise ProvisioningFailed(
                f"The server started, but its roles and database could not be made; it was stopped: {error} "
                f"Does {self._layout.passwords} belong to this cluster?",
                data_dir=self.data_dir,
            ) from error

    def _connect(
        self, postmaster: Postmaster, passwords: Mapping[str, str], database: str
    ) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=postmaster.host,
            port=postmaster.port,
            user=ROLE_NAMES["superuser"],
            password=passwords["superuser"],
            dbname=database,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
        )

    def _record(self, postmaster: Postmaster | None) -> None:
        """Note which server is complete with roles and database, and its port for the next start."""
        port = postmaster.port if postmaster else self._read_record().get("port")
        pid = postmaster.pid if postmaster else None
        write_json(self._layout.server, {"pid": pid, "port": port}, mode=0o644)

    def _read_record(self) -> dict[str, int | None]:
        try:
            found = json.loads(self._layout.server.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _describe(self, postmaster: Postmaster, *, is_ours: bool) -> Running:
        return Running(self, postmaster.pid, postmaster.host, postmaster.port, is_ours)


def ensure_running(data_dir: Path | None = None) -> Cluster:
    """Return the cluster with its server running, started if need be; many processes may call this at once.

    Raises: as `Cluster.start`.
    """
    cluster = Cluster.at(data_dir)
    cluster.start()
    return cluster


@contextmanager
def running(data_dir: Path | None = None) -> Iterator[Cluster]:
    """Run the server for the length of a block and stop it on the way out, Ctrl-C and SIGTERM included.

    Only a server started here is stopped; one that ran before goes on.

    Raises: as `Cluster.start`.
    """
    cluster = Cluster.at(data_dir)
    with signals_as_exceptions():
        started = cluster.start()
        try:
            yield cluster
        finally:
            if started.is_ours:
                with signals_ignored():
                    cluster.stop()


def _measure(folder: Path) -> int:
    """Add up the sizes of the files below a folder, in bytes; files may vanish meanwhile."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118 -- a large cluster has many files
            except FileNotFoundError:
                continue
    return total
