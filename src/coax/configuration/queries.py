"""Read the configuration of the open transaction's tenant; rows are frozen, their specs parsed.

The tenant is named in every statement too, for the role that runs use sees all tenants.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any, ClassVar, Final

from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.tenancy import APP_ALIAS, CURRENT_TENANT_SQL
from coax.configuration.rules.export import build_document
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.operator import OperatorSpec
from coax.configuration.types.registry import KINDS

PARSED_MAX: Final = 4096
_VERSIONS_SQL: Final = f"""
SELECT * FROM (
    SELECT entity.id AS entity_id, version.id AS version_id, entity.kind, entity.code, version.number,
           version.effective_date,
           lead(version.effective_date) OVER (PARTITION BY entity.id ORDER BY version.effective_date)
               AS expiration_date,
           version.used_at IS NOT NULL AS is_used, version.body::text AS body
      FROM configuration_entity entity
      JOIN configuration_version version ON version.entity_id = entity.id
     WHERE entity.tenant_id = {CURRENT_TENANT_SQL}
) AS dated
"""
_ORDER_SQL: Final = " ORDER BY kind, code, effective_date"
_IN_FORCE_SQL: Final = "effective_date <= %s AND (expiration_date IS NULL OR %s < expiration_date)"


class EntityNotFound(DomainError):
    """No entity of this kind and code holds on the day asked for."""

    code: ClassVar[str] = "entity_not_found"


def find_versions(
    kind: str | None = None, as_of: date | None = None, *, using: str = APP_ALIAS
) -> list[ConfigurationRow]:
    """Return versions in the order of kind, code and date: of one kind or all, of a day or of all time."""
    conditions: list[str] = []
    params: list[Any] = []
    if kind is not None:
        conditions.append("kind = %s")
        params.append(kind)
    if as_of is not None:
        conditions.append(_IN_FORCE_SQL)
        params.extend([as_of, as_of])
    return _fetch(conditions, params, using)


def find_versions_by_id(version_ids: Iterable[int], *, using: str = APP_ALIAS) -> list[ConfigurationRow]:
    """Return the versions with these keys, such as documents name them."""
    return _fetch(["version_id = ANY(%s)"], [list(version_ids)], using)


def get_entity(kind: str, code: str, as_of: date | None = None, *, using: str = APP_ALIAS) -> ConfigurationRow:
    """Return the version of an entity that holds on a day, without one its latest.

    Raises:
        EntityNotFound: there is none.

    """
    conditions = ["kind = %s", "code = %s"]
    params: list[Any] = [kind, code]
    if as_of is not None:
        conditions.append(_IN_FORCE_SQL)
        params.extend([as_of, as_of])
    rows = _fetch(conditions, params, using)
    if not rows:
        label = KINDS[kind].label.lower()
        when = f" on {as_of}" if as_of else ""
        raise EntityNotFound(f"There is no {label} {code!r}{when}.", kind=kind, entity_code=code)
    return rows[-1]


def find_active(kind: str, as_of: date, *, using: str = APP_ALIAS) -> ConfigurationRow | None:
    """Return the first entity of a kind that is active on a day, such as the one active run definition."""
    active = [row for row in find_versions(kind, as_of, using=using) if row.spec.is_active]
    return active[0] if active else None


def export_configuration(operator: OperatorSpec | None = None, *, using: str = APP_ALIAS) -> dict[str, Any]:
    """Return all versions in the shape of the files; applying them again changes nothing."""
    return build_document(find_versions(using=using), operator)


def _fetch(conditions: list[str], params: list[Any], using: str) -> list[ConfigurationRow]:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return [_make_row(row) for row in fetch_rows(_VERSIONS_SQL + where + _ORDER_SQL, params, using=using)]


def _make_row(row: tuple[Any, ...]) -> ConfigurationRow:
    entity_id, version_id, kind, code, number, effective_date, expiration_date, is_used, body = row
    given = None if effective_date == BEGINNING else effective_date.isoformat()
    text = json.dumps({**json.loads(body), "effective_date": given})
    return ConfigurationRow(
        entity_id=entity_id,
        version_id=version_id,
        kind=kind,
        code=code,
        number=number,
        effective_date=effective_date,
        expiration_date=expiration_date,
        is_used=is_used,
        spec=_parse(kind, text),
    )


@lru_cache(maxsize=PARSED_MAX)
def _parse(kind: str, text: str) -> Entity:
    """Read a spec; specs are immutable, so the same text may give the same one again."""
    return KINDS[kind].spec.model_validate_json(text)
