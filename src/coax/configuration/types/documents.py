"""What goes into and comes out of applying a configuration: documents, parsed entities, problems, changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

from coax.base.errors import DomainError
from coax.configuration.types.entity import Entity
from coax.configuration.types.operator import OperatorSpec

Loc = tuple[str | int, ...]

STORED = "(stored)"


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """The text of one configuration file and the name to use for it in messages."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a configuration: where it is, what was given, what is allowed."""

    file: str
    line: int | None
    path: str
    value: str
    message: str
    allowed: str = ""
    code: str = "invalid_value"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        given = f" (given: {self.value})" if self.value else ""
        allowed = f"; {self.allowed}" if self.allowed else ""
        return f"{place}: {self.path}: {self.message}{given}{allowed}"

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as plain data."""
        return {
            "code": self.code,
            "file": self.file,
            "line": self.line,
            "path": self.path,
            "value": self.value,
            "message": self.message,
            "allowed": self.allowed,
        }


class ConfigurationRefused(DomainError):
    """A configuration has problems; all of them are in `problems` and nothing was changed."""

    code: ClassVar[str] = "configuration_refused"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        heading = "1 problem, nothing was changed" if count == 1 else f"{count} problems, nothing was changed"
        super().__init__("\n".join([heading, *map(str, self.problems)]))

    def as_dict(self) -> dict[str, Any]:
        """Return the error with its list of problems as plain data."""
        problems = [problem.as_dict() for problem in self.problems]
        return {"code": self.code, "message": self.message, "problems": problems}


class VersionInUse(ConfigurationRefused):
    """Versions that documents name would be changed, and that is all that is wrong."""

    code: ClassVar[str] = "version_in_use"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in the files a value was written; without a file it is one already stored."""

    file: str
    loc: Loc
    lines: Mapping[Loc, int] = field(default_factory=dict, repr=False)

    def line_of(self, loc: Loc = ()) -> int | None:
        """Return the line of the value at `loc` inside this one, or of the nearest value around it."""
        place = (*self.loc, *loc)
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


@dataclass(frozen=True, slots=True)
class ParsedEntity:
    """One entity of the files, right in itself, with its place."""

    kind: str
    spec: Entity
    origin: Origin

    @property
    def key(self) -> tuple[str, str]:
        """Return kind and code."""
        return self.kind, self.spec.code


@dataclass(frozen=True, slots=True)
class ParsedConfiguration:
    """What the files say. `declared` also holds the keys of entities that are not right in themselves."""

    operator: OperatorSpec | None
    entities: tuple[ParsedEntity, ...]
    declared: frozenset[tuple[str, str]] = frozenset()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of an entity as stored."""

    entity_id: int
    version_id: int
    kind: str
    code: str
    number: int
    effective_date: date
    is_used: bool
    spec: Entity


@dataclass(frozen=True, slots=True)
class ConfigurationRow:
    """One version of an entity as read; in force on [effective_date, expiration_date)."""

    entity_id: int
    version_id: int
    kind: str
    code: str
    number: int
    effective_date: date
    expiration_date: date | None
    is_used: bool
    spec: Any

    def is_in_force(self, on: date) -> bool:
        """Tell whether the version holds on a day."""
        return self.effective_date <= on and (self.expiration_date is None or on < self.expiration_date)


def choose_version(versions: Sequence[ConfigurationRow], on: date) -> ConfigurationRow:
    """Return the version of an entity that is in force on a day, or the first one."""
    return next((row for row in versions if row.is_in_force(on)), versions[0])


class ChangeAction(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    NEW_VERSION = "new_version"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that changes; values as plain data, None where there is none."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What applying a configuration does to one version of one entity."""

    action: ChangeAction
    kind: str
    code: str
    number: int
    effective_date: date
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What was done, or with a dry run would have been done."""

    created: tuple[Change, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[Change, ...]
    operator: OperatorSpec | None
    dry_run: bool


def format_path(loc: Loc) -> str:
    """Return a place as people write it: `price_plans[0].rates[2].price`."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def format_value(value: Any) -> str:
    """Return a given value for a message, cut when it is long."""
    if value is None:
        return ""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[: VALUE_LENGTH_MAX - 3]}..."


VALUE_LENGTH_MAX = 80
