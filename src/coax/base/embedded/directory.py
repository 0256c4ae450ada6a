"""The data directory: where it is, what lies in it, who may reach it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from coax.base.embedded.account import ServerAccount, name_user
from coax.base.errors import DomainError

SOCKET_PORT = 5432
SOCKET_PATH_BYTES_MAX = 103 if os.uname().sysname == "Darwin" else 107
ROOT_DATA_DIR = Path("/var/lib/coax")
UNUSABLE_IN_NAMES = '"$`\\\n\r'  # pg_ctl puts the path between double quotes of a shell


class DataDirectoryUnreachable(DomainError):
    """The directory cannot be made or entered by the user who needs it."""

    code = "data_directory_unreachable"


class DataDirectoryOwnedByAnother(DomainError):
    """The directory belongs to a user other than the caller and the server's user."""

    code = "data_directory_owned_by_another"


class DataDirectoryNotEmpty(DomainError):
    """The directory holds other things and was never a data directory of Coax."""

    code = "data_directory_not_empty"


class DataDirectoryNameUnusable(DomainError):
    """The path holds a character that PostgreSQL's own tools do not pass on safely."""

    code = "data_directory_name_unusable"


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one data directory."""

    root: Path

    @property
    def cluster(self) -> Path:
        return self.root / "cluster"

    @property
    def cluster_in_making(self) -> Path:
        return self.root / "cluster.new"

    @property
    def passwords(self) -> Path:
        return self.root / "secrets.json"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def server(self) -> Path:
        return self.root / "server.json"

    @property
    def pginstall(self) -> Path:
        return self.root / "pginstall"

    @property
    def has_socket(self) -> bool:
        """Whether a socket in `run` has a path short enough for the kernel and readable for libpq."""
        path = os.fsencode(self.run / f".s.PGSQL.{SOCKET_PORT}")
        return len(path) <= SOCKET_PATH_BYTES_MAX and b"," not in path


def choose_data_dir(data_dir: Path | None = None) -> Path:
    """Return the absolute data directory: the argument, `COAX_DATA_DIR`, or the default of this user."""
    chosen = data_dir or (Path(named) if (named := os.environ.get("COAX_DATA_DIR")) else _default_data_dir())
    return chosen.expanduser().resolve()


def prepare_directory(layout: Layout, account: ServerAccount) -> None:
    """Make the data directory, or check that the one there is ours and within reach of the server's user.

    It is closed to everybody else: 0700, and as root 0710 with the server's group, so that the server's user
    may pass through it but not replace what root reads in it.

    Raises: DataDirectoryNameUnusable, DataDirectoryUnreachable, DataDirectoryOwnedByAnother,
    DataDirectoryNotEmpty, ServiceUserUnusable.
    """
    _refuse_unusable_name(layout.root)
    try:
        _refuse_unreachable(_nearest_existing(layout.root.parent), account)
        layout.root.mkdir(parents=True, exist_ok=True)
        refuse_foreign(layout, account)
        _refuse_filled(layout)
        _close(layout.root, account)
    except OSError as error:
        raise DataDirectoryUnreachable(
            f"The data directory {layout.root} cannot be used: {error.strerror}: {error.filename}. "
            "Name another one by --data-dir or COAX_DATA_DIR.",
            path=layout.root,
        ) from error
    _refuse_unreachable(layout.root, account)


def refuse_foreign(layout: Layout, account: ServerAccount) -> None:
    """Check that the data directory and the cluster in it belong to the caller or the server's user.

    Raises: DataDirectoryOwnedByAnother.
    """
    _refuse_owner(layout.root, allowed={os.geteuid(), account.uid})
    if layout.cluster.is_dir():
        _refuse_owner(layout.cluster, allowed={account.uid})


def _default_data_dir() -> Path:
    if os.geteuid() == 0:
        return ROOT_DATA_DIR
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "coax"


def _refuse_unusable_name(root: Path) -> None:
    if bad := [char for char in UNUSABLE_IN_NAMES if char in str(root)]:
        raise DataDirectoryNameUnusable(
            f"The path of the data directory holds {bad[0]!r}, which PostgreSQL's tools cannot take: {root}",
            path=root,
        )


def _refuse_owner(path: Path, *, allowed: set[int]) -> None:
    owner = path.stat().st_uid
    if owner not in allowed:
        raise DataDirectoryOwnedByAnother(
            f"{path} belongs to {name_user(owner)}, not to {' or '.join(sorted(map(name_user, allowed)))}. "
            "Run the command as that user (root: COAX_SERVICE_USER), or name another directory "
            "by --data-dir or COAX_DATA_DIR (a new one inside this one is fine where you may make it).",
            path=path,
            owner=name_user(owner),
        )


def _refuse_filled(layout: Layout) -> None:
    names = {entry.name for entry in layout.root.iterdir()} - {"lost+found"}
    if names and not layout.lock.exists():
        raise DataDirectoryNotEmpty(
            f"{layout.root} holds other files ({', '.join(sorted(names)[:3])}, ...) and is no data directory "
            "of Coax. Name an empty or a new one.",
            path=layout.root,
        )


def _close(root: Path, account: ServerAccount) -> None:
    found = root.stat()
    if account.is_other and found.st_uid == os.geteuid():
        if found.st_gid != account.gid:
            os.chown(root, -1, account.gid)
        mode = 0o710
    else:
        mode = 0o700
    if found.st_mode & 0o7777 != mode:
        root.chmod(mode)


def _nearest_existing(path: Path) -> Path:
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())


def _refuse_unreachable(path: Path, account: ServerAccount) -> None:
    if not account.is_other or account.can_enter(path):
        return
    closed = next(step for step in (*reversed(path.parents), path) if not account.can_enter(step))
    raise DataDirectoryUnreachable(
        f"PostgreSQL does not run as root but as user {account.name}, who cannot enter {closed}. "
        f"Name a data directory outside of it by --data-dir or COAX_DATA_DIR ({ROOT_DATA_DIR}, say), "
        f"or another user by COAX_SERVICE_USER, or let the user in: chmod o+x {closed}",
        path=closed,
        user=account.name,
    )
