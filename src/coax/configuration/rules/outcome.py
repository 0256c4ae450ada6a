"""The configuration as it would be after the planned changes: what the cross checks look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coax.configuration.rules.changes import PlannedChange, Stored
from coax.configuration.types.documents import STORED, Loc, Origin, Problem, format_path, format_value
from coax.configuration.types.entity import Entity
from coax.configuration.types.registry import KINDS

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Version:
    """One version after the changes, with its place in the files or a stored place."""

    kind: str
    effective_date: date
    spec: Entity
    origin: Origin

    def report(
        self, loc: Loc, message: str, *, value: object = None, allowed: str = "", code: str = "conflict"
    ) -> Problem:
        """Return a problem at a place inside this version."""
        origin = self.origin
        path = format_path((*origin.loc, *loc))
        return Problem(origin.file, origin.line_of(loc), path, format_value(value), message, allowed, code)


class Outcome:
    """All versions after the changes; those that ended before `as_of` are history and not looked at again."""

    def __init__(self, planned: Sequence[PlannedChange], stored: Stored, *, as_of: date) -> None:
        self.as_of = as_of
        self._versions = _merge(planned, stored)
        self.codes: dict[str, list[str]] = {kind: [] for kind in KINDS}
        for kind, code in self._versions:
            self.codes[kind].append(code)

    def versions(self, kind: str) -> Iterator[Version]:
        """Yield the versions of a kind that hold on `as_of` or later."""
        for key, versions in self._versions.items():
            if key[0] == kind:
                yield from self._current(versions)

    def versions_of(self, kind: str, code: str) -> list[Version]:
        """Return the versions of one entity that hold on `as_of` or later."""
        return self._current(self._versions.get((kind, code), ()))

    def in_force(self, kind: str, on: date) -> Iterator[Version]:
        """Yield the version of each entity of a kind that holds on a day."""
        for key, versions in self._versions.items():
            begun = [version for version in versions if version.effective_date <= on]
            if key[0] == kind and begun:
                yield begun[-1]

    def dates(self, kind: str) -> list[date]:
        """Return `as_of` and every later day on which a version of the kind begins."""
        later = {version.effective_date for version in self.versions(kind) if version.effective_date > self.as_of}
        return sorted({self.as_of, *later})

    def _current(self, versions: Sequence[Version]) -> list[Version]:
        begun = [version for version in versions if version.effective_date <= self.as_of]
        return [*begun[-1:], *(version for version in versions if version.effective_date > self.as_of)]


def _merge(planned: Sequence[PlannedChange], stored: Stored) -> Mapping[Key, Sequence[Version]]:
    merged: dict[Key, dict[date, Version]] = {}
    for (kind, code), versions in stored.items():
        origin = Origin(STORED, (KINDS[kind].section, code))
        merged[kind, code] = {v.effective_date: Version(kind, v.effective_date, v.spec, origin) for v in versions}
    for step in planned:
        entity, effective_date = step.entity, step.change.effective_date
        version = Version(entity.kind, effective_date, entity.spec, entity.origin)
        merged.setdefault(entity.key, {})[effective_date] = version
    return {key: [versions[day] for day in sorted(versions)] for key, versions in merged.items()}
