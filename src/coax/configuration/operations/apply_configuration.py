"""Apply configuration files: all of them or nothing, twice the same as once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

from django.db import transaction

from coax.base.audit import acting_as
from coax.base.db import execute, fetch_rows
from coax.base.tenancy import CURRENT_TENANT_SQL
from coax.configuration.models import ConfigurationEntity, ConfigurationVersion
from coax.configuration.queries import find_versions
from coax.configuration.rules.changes import Key, PlannedChange, plan_changes
from coax.configuration.rules.check import check_outcome
from coax.configuration.rules.outcome import Outcome
from coax.configuration.rules.parse import parse_sources
from coax.configuration.types.documents import (
    ApplyResult,
    Change,
    ChangeAction,
    ConfigurationRefused,
    ParsedConfiguration,
    Problem,
    SourceDocument,
    StoredVersion,
    VersionInUse,
)

_LOCK_SQL: Final = f"SELECT pg_advisory_xact_lock(hashtext('coax.configuration'), {CURRENT_TENANT_SQL})"
_LOCK_VERSIONS_SQL: Final = "SELECT 1 FROM configuration_version ORDER BY id FOR UPDATE"


def apply_configuration(
    *, documents: Sequence[SourceDocument], as_of: date, actor: str, dry_run: bool = False
) -> ApplyResult:
    """Bring the stored configuration of the open transaction's tenant to what the documents say.

    Entities not named in the documents stay. `as_of` is today: a changed entity that is in use gets
    a new version from it on. A dry run does the same and takes it back.

    Raises:
        ConfigurationRefused: with every problem found; nothing was changed.
        VersionInUse: likewise, when the only problems are versions that documents name.

    """
    parsed = parse_sources(documents)
    with transaction.atomic():
        with acting_as(actor):
            tenant_id = _lock_configuration()
            stored = _read_stored()
            planned, problems = plan_changes(parsed.entities, stored, as_of=as_of)
            outcome = Outcome(planned, stored, as_of=as_of)
            currency = parsed.operator.currency if parsed.operator else _find_currency(tenant_id)
            found = check_outcome(outcome, declared=parsed.declared, currency=currency)
            refuse_problems([*parsed.problems, *problems, *found])
            _store(planned, tenant_id=tenant_id, actor=actor)
        if dry_run:
            transaction.set_rollback(True)
    return _summarize(planned, parsed, dry_run=dry_run)


def refuse_problems(problems: Sequence[Problem]) -> None:
    """Raise what the problems amount to, if there are any.

    Raises:
        VersionInUse: all of them are versions in use.
        ConfigurationRefused: otherwise.

    """
    if not problems:
        return
    are_in_use = all(problem.code == VersionInUse.code for problem in problems)
    raise VersionInUse(problems) if are_in_use else ConfigurationRefused(problems)


def _lock_configuration() -> int:
    """Let one transaction at a time change a tenant's configuration, and none use what is being changed."""
    execute(_LOCK_SQL)
    execute(_LOCK_VERSIONS_SQL)
    tenant_id: int = fetch_rows(f"SELECT {CURRENT_TENANT_SQL}")[0][0]
    return tenant_id


def _find_currency(tenant_id: int) -> str | None:
    rows = fetch_rows("SELECT currency FROM base_operator WHERE tenant_id = %s", [tenant_id])
    return rows[0][0] if rows else None


def _read_stored() -> dict[Key, list[StoredVersion]]:
    rows = find_versions()
    return {
        key: [
            StoredVersion(
                entity_id=row.entity_id,
                version_id=row.version_id,
                kind=row.kind,
                code=row.code,
                number=row.number,
                effective_date=row.effective_date,
                is_used=row.is_used,
                spec=row.spec,
            )
            for row in versions
        ]
        for key, versions in groupby(rows, key=lambda row: (row.kind, row.code))
    }


def _store(planned: Iterable[PlannedChange], *, tenant_id: int, actor: str) -> None:
    steps = [step for step in planned if step.change.action is not ChangeAction.UNCHANGED]
    entity_ids = _create_entities(steps, tenant_id)
    new = [step for step in steps if step.change.action is not ChangeAction.UPDATED]
    ConfigurationVersion.objects.bulk_create(
        ConfigurationVersion(
            tenant_id=tenant_id,
            entity_id=entity_ids[step.entity.key],
            number=step.change.number,
            effective_date=step.change.effective_date,
            created_by=actor,
            **_columns(step),
        )
        for step in new
    )
    for step in steps:
        if step.change.action is ChangeAction.UPDATED and step.target is not None:
            ConfigurationVersion.objects.filter(pk=step.target.version_id).update(**_columns(step))


def _create_entities(steps: Sequence[PlannedChange], tenant_id: int) -> dict[Key, int]:
    """Return the key of each step's entity, making the ones that are new."""
    keys = sorted({step.entity.key for step in steps})
    entities = {(entity.kind, entity.code): entity.pk for entity in ConfigurationEntity.objects.order_by("pk")}
    missing = [key for key in keys if key not in entities]
    made = ConfigurationEntity.objects.bulk_create(
        ConfigurationEntity(tenant_id=tenant_id, kind=kind, code=code) for kind, code in missing
    )
    return entities | {(entity.kind, entity.code): entity.pk for entity in made}


def _columns(step: PlannedChange) -> dict[str, Any]:
    """Return the columns of a version that its spec fills; its date has a column of its own."""
    spec = step.entity.spec
    body = json.loads(spec.model_dump_json(by_alias=True, exclude={"effective_date"}))
    return {"name": spec.name, "state": spec.state.value, "body": body}


def _summarize(planned: Sequence[PlannedChange], parsed: ParsedConfiguration, *, dry_run: bool) -> ApplyResult:
    def pick(*actions: ChangeAction) -> tuple[Change, ...]:
        return tuple(step.change for step in planned if step.change.action in actions)

    return ApplyResult(
        created=pick(ChangeAction.CREATED),
        changed=pick(ChangeAction.UPDATED, ChangeAction.NEW_VERSION),
        unchanged=pick(ChangeAction.UNCHANGED),
        operator=parsed.operator,
        dry_run=dry_run,
    )
