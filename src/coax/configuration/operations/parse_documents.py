"""Read and parse configuration files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Final

from coax.base.errors import DomainError
from coax.configuration.rules.parse import parse_sources
from coax.configuration.types.documents import (
    ConfigurationRefused,
    ParsedConfiguration,
    SourceDocument,
)

SUFFIXES: Final = (".yaml", ".yml")


class FileUnreadable(DomainError):
    """A configuration file or directory is missing, empty of files, or not text."""

    code: ClassVar[str] = "file_unreadable"


def read_documents(paths: Iterable[Path | str]) -> list[SourceDocument]:
    """Return the texts of files; a directory stands for all its *.yaml files in the order of their names.

    Raises:
        FileUnreadable: a path is not there, cannot be read, or is a directory without such files.

    """
    return [_read(file) for path in paths for file in _expand(Path(path))]


def parse_documents(paths: Iterable[Path | str]) -> ParsedConfiguration:
    """Return what the files say, checked file by file and entity by entity, not yet against each other.

    Raises:
        FileUnreadable: as `read_documents`.
        ConfigurationRefused: with every problem found.

    """
    parsed = parse_sources(read_documents(paths))
    if parsed.problems:
        raise ConfigurationRefused(parsed.problems)
    return parsed


def parse_text(text: str, *, name: str = "configuration.yaml") -> ParsedConfiguration:
    """Return what one text says.

    Raises:
        ConfigurationRefused: with every problem found.

    """
    parsed = parse_sources([SourceDocument(name, text)])
    if parsed.problems:
        raise ConfigurationRefused(parsed.problems)
    return parsed


def _expand(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    if not files:
        raise FileUnreadable(f"There are no *.yaml files in {path}.", path=path)
    return files


def _read(path: Path) -> SourceDocument:
    try:
        return SourceDocument(str(path), path.read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise FileUnreadable(f"Cannot read {path}: {fault.strerror}.", path=path) from None
    except UnicodeDecodeError:
        raise FileUnreadable(f"Cannot read {path}: it is not UTF-8 text.", path=path) from None
