"""The audit trail: who changed what of configuration, staff, operator and customers.

A table joins it with `audit_sql` in a migration; every statement on it, from whatever program, leaves an entry per
row that it really changed. Of a table that runs write in bulk the operation that edits a row says so itself
(`record_change`). Entries are appended, never changed. ADR 0005 says why it is made like this.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connections

from coax.base.db import fetch_dicts
from coax.base.tenancy import APP_ALIAS

ACTOR_LENGTH_MAX: Final = 200
PAGE_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change of one row: of an update only the columns that changed."""

    id: int
    at: datetime
    actor: str
    source: str
    action: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; an empty text means all."""

    source: str = ""
    actor: str = ""
    subject: str = ""


def audit_sql(table: str, key: str) -> list[str]:
    """Return the statements that put `table`, whose rows are told apart by the column `key`, under audit."""
    transitions = {
        "INSERT": "REFERENCING NEW TABLE AS new_rows",
        "UPDATE": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "DELETE": "REFERENCING OLD TABLE AS old_rows",
    }
    return [
        f"CREATE TRIGGER audit_{action.lower()} AFTER {action} ON {table} {tables} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION coax_audit('{key}')"
        for action, tables in transitions.items()
    ]


def record_change(
    *, source: str, subject: int, before: Mapping[str, Any], after: Mapping[str, Any], using: str = APP_ALIAS
) -> None:
    """Append what changed of a row that no trigger watches, in the open transaction of the tenant and its actor."""
    with connections[using].cursor() as cursor:
        values = [source, str(subject), *(json.dumps(dict(part), default=str) for part in (before, after))]
        cursor.execute("SELECT coax_audit_change(%s, %s, %s::jsonb, %s::jsonb)", values)


def set_actor(actor: str, *, using: str = APP_ALIAS) -> None:
    """Name the person whose changes the open transaction makes."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config('coax.actor', %s, true)", [actor[:ACTOR_LENGTH_MAX]])


@contextmanager
def acting_as(actor: str, *, using: str = APP_ALIAS) -> Iterator[None]:
    """Name the person for a part of the open transaction, if nobody is named yet."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT current_setting('coax.actor', true)")
        present = cursor.fetchone()[0]
    if present:
        yield
        return
    set_actor(actor, using=using)
    yield
    set_actor("", using=using)


def find_audit_entries(
    *, tenant_id: int, wanted: AuditFilter = AuditFilter(), before_id: int | None = None, limit: int = PAGE_ROWS
) -> list[AuditRow]:
    """Return entries, the latest first; `before_id` is the last one of the page before. A transaction is open."""
    rows = fetch_dicts(
        """SELECT id, at, actor, source, action, subject, before::text, after::text FROM base_audit_entry
            WHERE tenant_id = %(tenant_id)s AND (%(before_id)s::bigint IS NULL OR id < %(before_id)s)
              AND (%(source)s = '' OR source = %(source)s) AND (%(actor)s = '' OR actor = %(actor)s)
              AND (%(subject)s = '' OR subject = %(subject)s)
            ORDER BY id DESC LIMIT %(limit)s""",
        {
            "tenant_id": tenant_id,
            "before_id": before_id,
            "limit": limit,
            "source": wanted.source,
            "actor": wanted.actor,
            "subject": wanted.subject,
        },
    )
    return [AuditRow(**{**row, "before": _load(row["before"]), "after": _load(row["after"])}) for row in rows]


def _load(text: str | None) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text) if text else {}
    return loaded
