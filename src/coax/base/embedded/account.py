"""Who the server runs as: the caller, or a service user where the caller is root, whom PostgreSQL refuses."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coax.base.errors import DomainError

DEFAULT_SERVICE_USERS = ("coax", "nobody")
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class ServiceUserUnusable(DomainError):
    """No user to run PostgreSQL as: unknown, root itself, or one this process may not become."""

    code = "service_user_unusable"


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The user and group of the server's processes and files."""

    uid: int
    gid: int
    name: str

    @property
    def is_other(self) -> bool:
        """Whether this is another user than the caller (who then is root)."""
        return self.uid != os.geteuid()

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program as this user in a session of its own, so that a Ctrl-C of ours does not reach it.

        Interrupted, the call kills the program and its children, but not a server that has left the session.
        The environment is reduced to the search paths: PGDATA, PGPORT and the like of the caller have no say.

        Raises: OSError when the program cannot be executed or this process may not become the user.
        """
        process = self._spawn([str(part) for part in command], cwd)
        try:
            output, problems = process.communicate()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, output, problems)

    def _spawn(self, command: list[str], cwd: Path) -> subprocess.Popen[str]:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        return subprocess.Popen(  # noqa: S603 -- our own programs and arguments, no shell
            command,
            cwd=cwd,
            env={"PATH": os.defpath} | kept | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
        )

    def own(self, path: Path) -> None:
        """Give a file or directory that we made to this user; nothing happens if it is theirs already."""
        if path.lstat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_enter(self, directory: Path) -> bool:
        """Whether this user reaches `directory` through all its parents, by modes and access lists.

        Raises: ServiceUserUnusable when this process may not become the user.
        """
        try:
            return self.run("/bin/sh", "-c", 'cd "$1"', "sh", directory, cwd=Path("/")).returncode == 0
        except OSError as error:
            raise ServiceUserUnusable(
                f"This process may not become user {self.name} ({error.strerror}); "
                "run Coax as an ordinary user, or name another one by COAX_SERVICE_USER.",
                user=self.name,
            ) from error


def choose_account(cluster_dir: Path) -> ServerAccount:
    """Return the caller, or as root `COAX_SERVICE_USER`, the owner of the cluster, `coax`, `nobody`.

    Raises: ServiceUserUnusable when root has no such user.
    """
    uid = os.geteuid()
    if uid != 0:
        return _account_of(uid, os.getegid())
    named = os.environ.get("COAX_SERVICE_USER")
    if named:
        return _account_named(named)
    if cluster_dir.is_dir() and (owner := cluster_dir.stat()).st_uid != 0:
        return _account_of(owner.st_uid, owner.st_gid)
    known = {entry.pw_name for entry in pwd.getpwall()}
    return _account_named(next((name for name in DEFAULT_SERVICE_USERS if name in known), "nobody"))


def name_user(uid: int) -> str:
    """Return the login name of a user, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _account_of(uid: int, gid: int) -> ServerAccount:
    return ServerAccount(uid=uid, gid=gid, name=name_user(uid))


def _account_named(name: str) -> ServerAccount:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise ServiceUserUnusable(
            f"PostgreSQL does not run as root, and there is no user {name} to run it as; "
            "name an existing ordinary user by COAX_SERVICE_USER.",
            user=name,
        ) from None
    if entry.pw_uid == 0:
        raise ServiceUserUnusable(
            f"COAX_SERVICE_USER is {name}, which is root, and PostgreSQL does not run as root. Name an ordinary user.",
            user=name,
        )
    return ServerAccount(uid=entry.pw_uid, gid=entry.pw_gid, name=name)
