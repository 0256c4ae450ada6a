"""The generated passwords of a cluster, kept in `secrets.json` for its owner alone."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from coax.base.embedded.directory import DataDirectoryOwnedByAnother, Layout
from coax.base.errors import DomainError

PASSWORD_BYTES = 32
PASSWORD_NAMES = ("superuser", "owner", "app", "run")


class PasswordsMissing(DomainError):
    """There is a cluster, but the file with its passwords is gone or damaged."""

    code = "passwords_missing"


def ensure_passwords(layout: Layout) -> Mapping[str, str]:
    """Return the passwords by role name, generating them before the cluster exists.

    Raises: PasswordsMissing, DataDirectoryOwnedByAnother.
    """
    if not layout.passwords.exists() and not layout.cluster.exists():
        generated = {name: secrets.token_urlsafe(PASSWORD_BYTES) for name in PASSWORD_NAMES}
        write_json(layout.passwords, generated, mode=0o600)
    return get_passwords(layout)


def get_passwords(layout: Layout) -> Mapping[str, str]:
    """Read the passwords by role name.

    Raises: PasswordsMissing, DataDirectoryOwnedByAnother.
    """
    try:
        found = json.loads(layout.passwords.read_text())
        return {name: str(found[name]) for name in PASSWORD_NAMES}
    except PermissionError as error:
        raise DataDirectoryOwnedByAnother(
            f"{layout.passwords} may be read by its owner only; run the command as that user.",
            path=layout.passwords,
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PasswordsMissing(
            f"The passwords of the cluster in {layout.root} cannot be read ({error}); "
            f"put {layout.passwords.name} back from a backup, or name a new data directory.",
            path=layout.passwords,
        ) from error


def write_json(path: Path, data: Mapping[str, object], *, mode: int) -> None:
    """Replace a file as a whole and on disk: a crash leaves the old one or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, mode)
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
