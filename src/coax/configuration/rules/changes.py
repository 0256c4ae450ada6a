"""Decide what applying parsed entities does to the stored versions; a used version is never changed.

A version that documents name is frozen. A change to it is refused for price plans, billing term schemes and
tax classes unless the file gives a later effective date, which makes a new version; other kinds get a new
version from the day of the change on. What only adds is let through: a rate for a product that a
plan does not price yet, a tax rate that begins after the last one, a description, a state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from coax.configuration.rules.difference import find_differences
from coax.configuration.types.catalogue import TaxClass
from coax.configuration.types.documents import (
    Change,
    ChangeAction,
    ParsedEntity,
    Problem,
    StoredVersion,
    format_path,
    format_value,
)
from coax.configuration.types.entity import Entity
from coax.configuration.types.price_plan import PricePlan, Rate
from coax.configuration.types.registry import KINDS
from coax.configuration.types.usage import UsageServiceCatalog

Key = tuple[str, str]
Stored = Mapping[Key, Sequence[StoredVersion]]

_PRICED: Final = ("price_plan", "usage_service_catalog")
HARMLESS_FIELDS: Final = ("description", "state", "effective_date")


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change with the entity that asks for it and the stored version it is about, if there is one."""

    change: Change
    entity: ParsedEntity
    target: StoredVersion | None


def plan_changes(
    entities: Sequence[ParsedEntity], stored: Stored, *, as_of: date
) -> tuple[list[PlannedChange], list[Problem]]:
    """Return what is to be done for each entity, in order, and what is refused.

    `stored` has the versions of each entity in the order of their effective dates.
    """
    planned: list[PlannedChange] = []
    problems: list[Problem] = []
    numbers = {key: max((version.number for version in versions), default=0) for key, versions in stored.items()}
    taken: dict[tuple[str, str, date], ParsedEntity] = {}
    for entity in entities:
        step = _plan(entity, stored.get(entity.key, ()), next_number=numbers.get(entity.key, 0) + 1, as_of=as_of)
        if isinstance(step, Problem):
            problems.append(step)
            continue
        other = taken.setdefault((*entity.key, step.change.effective_date), entity)
        if other.spec.effective_date != entity.spec.effective_date:  # equal dates are refused when parsing
            problems.append(_describe_clash(entity, other))
        numbers[entity.key] = max(numbers.get(entity.key, 0), step.change.number)
        planned.append(step)
    return planned, problems


def _plan(
    entity: ParsedEntity, versions: Sequence[StoredVersion], *, next_number: int, as_of: date
) -> PlannedChange | Problem:
    target = _find_target(entity.spec, versions, as_of)
    if target is None:
        action = ChangeAction.NEW_VERSION if next_number > 1 else ChangeAction.CREATED
        before = _latest_before(versions, entity.spec.in_force_from)
        return _step(action, entity, before, next_number, entity.spec.in_force_from)
    if not find_differences(target.spec, entity.spec):
        return _step(ChangeAction.UNCHANGED, entity, target, target.number, target.effective_date)
    if not target.is_used or is_addition(target.spec, entity.spec):
        return _step(ChangeAction.UPDATED, entity, target, target.number, target.effective_date)
    if KINDS[entity.kind].on_use == "replace":
        return _describe_use(entity, target)
    return _plan_successor(entity, target, versions, next_number=next_number, as_of=as_of)


def _plan_successor(
    entity: ParsedEntity,
    target: StoredVersion,
    versions: Sequence[StoredVersion],
    *,
    next_number: int,
    as_of: date,
) -> PlannedChange | Problem:
    """Plan a version from `as_of` on in place of a used one, or find that it is already there."""
    present = _latest_before(versions, as_of)
    if present is not None and not find_differences(present.spec, entity.spec):
        return _step(ChangeAction.UNCHANGED, entity, present, present.number, present.effective_date)
    if present is not None and present.effective_date == as_of and not present.is_used:
        return _step(ChangeAction.UPDATED, entity, present, present.number, as_of)
    if target.effective_date >= as_of or any(version.effective_date == as_of for version in versions):
        return _describe_use(entity, target)
    return _step(ChangeAction.NEW_VERSION, entity, present or target, next_number, as_of)


def _find_target(spec: Entity, versions: Sequence[StoredVersion], as_of: date) -> StoredVersion | None:
    """Find the version that a spec is about: that of its date, or without one that in force."""
    if spec.effective_date is not None:
        same = [version for version in versions if version.effective_date == spec.effective_date]
        return same[0] if same else None
    return _latest_before(versions, as_of) or (versions[0] if versions else None)


def _latest_before(versions: Sequence[StoredVersion], on: date) -> StoredVersion | None:
    in_force = [version for version in versions if version.effective_date <= on]
    return in_force[-1] if in_force else None


def _step(
    action: ChangeAction,
    entity: ParsedEntity,
    target: StoredVersion | None,
    number: int,
    effective_date: date,
) -> PlannedChange:
    is_change = action in {ChangeAction.UPDATED, ChangeAction.NEW_VERSION}
    differences = find_differences(target.spec, entity.spec) if is_change and target else ()
    change = Change(action, entity.kind, entity.spec.code, number, effective_date, differences)
    return PlannedChange(change, entity, target)


def is_addition(before: Entity, after: Entity) -> bool:
    """Tell whether a change leaves everything that documents may have used as it was."""
    added: set[str] = {*HARMLESS_FIELDS}
    if isinstance(before, PricePlan) and isinstance(after, PricePlan) and _adds_products(before.rates, after.rates):
        added.add("rates")
    if (
        isinstance(before, UsageServiceCatalog)
        and isinstance(after, UsageServiceCatalog)
        and _adds_products(before.rates, after.rates)
    ):
        added.add("entries")
    if isinstance(before, TaxClass) and isinstance(after, TaxClass) and _adds_tax_rates(before, after):
        added.add("rates")
    return before.model_dump(exclude=added) == after.model_dump(exclude=added)


def _adds_products(before: Sequence[Rate], after: Sequence[Rate]) -> bool:
    """Tell whether prices of other products were put behind those in use, which items name by their place."""
    priced = {one.product for one in before}
    added = after[len(before) :]
    return after[: len(before)] == before and not any(one.product in priced for one in added)


def _adds_tax_rates(before: TaxClass, after: TaxClass) -> bool:
    return after.rates[: len(before.rates)] == before.rates


def _describe_use(entity: ParsedEntity, target: StoredVersion) -> Problem:
    paths = ", ".join(difference.path for difference in find_differences(target.spec, entity.spec))
    origin = entity.origin
    also = "; prices of further products may be added behind those there are" if entity.kind in _PRICED else ""
    return Problem(
        file=origin.file,
        line=origin.line_of(),
        path=format_path(origin.loc),
        value=format_value(entity.spec.code),
        message=f"version {target.number} of {target.effective_date} is in use and stays; changed: {paths}",
        allowed=f"to replace it give an effective_date later than {target.effective_date}{also}",
        code="version_in_use",
    )


def _describe_clash(entity: ParsedEntity, other: ParsedEntity) -> Problem:
    origin, first = entity.origin, other.origin
    return Problem(
        file=origin.file,
        line=origin.line_of(),
        path=format_path(origin.loc),
        value=format_value(entity.spec.code),
        message=f"the same version is already given in {first.file}:{first.line_of()}",
        allowed="give every version of an entity its own effective_date",
        code="given_twice",
    )
