"""The history of an entity: its versions from the latest on, what differs between them, and later edits of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps

from coax.base.audit import AuditFilter, AuditRow, find_audit_entries
from coax.configuration.rules.difference import find_differences
from coax.configuration.types.documents import ConfigurationRow, Difference
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.registry import KINDS

VERSION_TABLE = "configuration_version"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a version after it was made."""

    at: datetime
    actor: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """A version with its makers."""

    row: ConfigurationRow
    start: date | None
    state: str
    used_at: datetime | None
    created_at: datetime
    created_by: str
    differences: tuple[Difference, ...]
    edits: tuple[Edit, ...]


def find_history(*, tenant_id: int, versions: Sequence[ConfigurationRow]) -> list[VersionEntry]:
    """Return the versions of one entity, the latest first; `versions` are all of them in the order of their dates."""
    model: Any = apps.get_model("configuration", "ConfigurationVersion")
    made = model.objects.in_bulk([row.version_id for row in versions])
    entries = []
    for place, row in enumerate(versions):
        before = versions[place - 1].spec if place else None
        record = made[row.version_id]
        entries.append(
            VersionEntry(
                row=row,
                start=None if row.effective_date == BEGINNING else row.effective_date,
                state=record.state,
                used_at=record.used_at,
                created_at=record.created_at,
                created_by=record.created_by,
                differences=find_differences(before, row.spec) if before else (),
                edits=_find_edits(tenant_id, row),
            )
        )
    return entries[::-1]


def find_body_differences(kind: str, entry: AuditRow) -> tuple[Difference, ...]:
    """Return which fields of a version an entry of the audit trail changed."""
    before, after = entry.before.get("body"), entry.after.get("body")
    if before is None or after is None:
        return ()
    spec = KINDS[kind].spec
    old, new = (spec.model_validate_json(json.dumps(_load(body))) for body in (before, after))
    return find_differences(old, new)


def _find_edits(tenant_id: int, row: ConfigurationRow) -> tuple[Edit, ...]:
    wanted = AuditFilter(source=VERSION_TABLE, subject=str(row.version_id))
    entries = find_audit_entries(tenant_id=tenant_id, wanted=wanted)
    edits = (Edit(entry.at, entry.actor, find_body_differences(row.kind, entry)) for entry in entries)
    return tuple(edit for edit in edits if edit.differences)


def _load(body: Any) -> Any:
    return json.loads(body) if isinstance(body, str) else body
