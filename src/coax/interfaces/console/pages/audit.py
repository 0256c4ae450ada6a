"""The audit trail: every change of configuration, staff, operator and customers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.http import HttpResponse

from coax.base.audit import PAGE_ROWS, AuditFilter, AuditRow, find_audit_entries
from coax.base.money import minor_to_decimal
from coax.configuration.queries import find_versions, find_versions_by_id
from coax.configuration.types.documents import ConfigurationRow, Difference
from coax.configuration.types.registry import KINDS
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.pages.history import VERSION_TABLE, find_body_differences
from coax.interfaces.console.pages.page import page, show
from coax.party.operations.update_account import name_term
from coax.party.queries.accounts import find_account_codes
from coax.party.queries.contacts import find_contact_codes
from coax.party.queries.staff import find_staff

SOURCES = {
    VERSION_TABLE: "Configuration",
    "configuration_entity": "New entity",
    "party_staff_member": "Staff",
    "base_operator": "Operator",
    "party_contact": "Contact",
    "party_account": "Account",
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*\+00:00")
HIDDEN = frozenset({"tenant_id", "id", "entity_id", "body", "created_at", "created_by", "language", "password"})


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An entry as shown: what it is about, and the values before and after."""

    entry: AuditRow
    source: str
    subject: str
    kind: str
    code: str
    differences: tuple[Difference, ...]


@page()
def audit(request: StaffRequest) -> HttpResponse:
    """Show entries, the latest first."""
    asked = request.GET
    wanted = AuditFilter(
        source=asked.get("source", ""), actor=asked.get("actor", "").strip(), subject=asked.get("subject", "")
    )
    before = asked.get("before", "")
    entries = find_audit_entries(
        tenant_id=request.tenant.id, wanted=wanted, before_id=int(before) if before.isdecimal() else None
    )
    return show(
        request,
        "audit.html",
        page="audit",
        title="Audit trail",
        lines=_describe(request, entries),
        sources=SOURCES,
        wanted=wanted,
        next_before=entries[-1].id if len(entries) == PAGE_ROWS else None,
    )


def _describe(request: StaffRequest, entries: list[AuditRow]) -> list[AuditLine]:
    versions = {row.version_id: row for row in find_versions_by_id(_keys(entries, VERSION_TABLE))}
    model: Any = apps.get_model("configuration", "ConfigurationEntity")
    entities = model.objects.in_bulk(_keys(entries, "configuration_entity"))
    tenant_id = request.tenant.id
    names: dict[str, dict[int, str]] = {
        "party_staff_member": {row.staff_id: row.username for row in find_staff(tenant_id=tenant_id)},
        "party_contact": find_contact_codes(tenant_id=tenant_id, contact_ids=_keys(entries, "party_contact")),
        "party_account": find_account_codes(tenant_id=tenant_id, account_ids=_keys(entries, "party_account")),
    }
    classifications = {str(row.entity_id): row.spec.name for row in find_versions("account_classification")}
    lines = []
    for entry in entries:
        version = versions.get(int(entry.subject)) if entry.source == VERSION_TABLE else None
        entity = entities.get(int(entry.subject)) if entry.source == "configuration_entity" else None
        kind, code = _find_entity(version, entity)
        known = names.get(entry.source)
        subject = request.tenant.name if known is None else known.get(int(entry.subject), "(gone)")
        if kind:
            subject = f"{KINDS[kind].label}: {code}" + (f", version {version.number}" if version else "")
        lines.append(
            AuditLine(
                entry,
                SOURCES.get(entry.source, entry.source),
                subject,
                kind,
                code,
                _describe_terms(entry, classifications, request.tenant.currency)
                if entry.source == "party_account"
                else _differences(entry, kind),
            )
        )
    return lines


def _keys(entries: Iterable[AuditRow], source: str) -> list[int]:
    return [int(entry.subject) for entry in entries if entry.source == source]


def _find_entity(version: ConfigurationRow | None, entity: Any) -> tuple[str, str]:
    found = version or entity
    return (found.kind, found.code) if found is not None else ("", "")


def _differences(entry: AuditRow, kind: str) -> tuple[Difference, ...]:
    """Return what changed, the body of a version field by field; of a new row what it says."""
    body = find_body_differences(kind, entry) if entry.source == VERSION_TABLE and kind else ()
    keys = [key for key in {**entry.before, **entry.after} if key not in HIDDEN]
    plain = (Difference(key, _plain(entry.before.get(key)), _plain(entry.after.get(key))) for key in keys)
    password = (Difference("password", None, "set"),) if "password" in entry.after else ()
    return (*(row for row in plain if row.before is not None or row.after is not None), *password, *body)


def _describe_terms(entry: AuditRow, classifications: dict[str, str], currency: str) -> tuple[Difference, ...]:
    """Return what changed of an account, as people call it; what was not there before is none."""

    def say(name: str, value: Any) -> Any:
        if value in ("", None):
            return "none"
        if name == "classification_id":
            return classifications.get(str(value), value)
        return str(minor_to_decimal(value, currency)) if name == "credit_limit_minor" else value

    return tuple(
        Difference(name_term(name), say(name, entry.before[name]), say(name, entry.after[name])) for name in entry.after
    )


def _plain(value: Any) -> Any:
    """Leave out what is empty, and the fractions of a second."""
    is_instant = isinstance(value, str) and INSTANT.fullmatch(value)
    return f"{value[:10]} {value[11:16]} UTC" if is_instant else value if value != "" else None
