"""The lock that makes starts and stops of one data directory happen one at a time."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coax.base.embedded.account import name_user
from coax.base.embedded.directory import DataDirectoryOwnedByAnother
from coax.base.errors import DomainError

LOCK_TIMEOUT_S = 330
LOCK_POLL_S = 0.05


class ClusterBusy(DomainError):
    """Another process has been starting or stopping this server for too long."""

    code = "cluster_busy"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file; the kernel frees it with the process, so a killed holder leaves nothing behind.

    Raises: ClusterBusy after `LOCK_TIMEOUT_S`, DataDirectoryOwnedByAnother when the file is another user's.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        owner = name_user(path.stat().st_uid)
        raise DataDirectoryOwnedByAnother(
            f"{path} belongs to {owner}; run the command as that user.", path=path, owner=owner
        ) from error
    try:
        _wait_for(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: Path) -> None:
    deadline_s = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline_s:
                raise ClusterBusy(
                    f"Another process holds {path}: it has been starting or stopping the server "
                    f"for over {LOCK_TIMEOUT_S} s.",
                    path=path,
                ) from None
            time.sleep(LOCK_POLL_S)
        else:
            return
