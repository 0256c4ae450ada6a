"""The configuration: kinds, entities of a kind such as products and price plans, and a document applied."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from itertools import groupby
from typing import Annotated, Any, Final

from ninja import Query
from pydantic import Field

from coax.base.clock import tenant_today
from coax.configuration.queries import EntityNotFound, find_versions, get_entity
from coax.configuration.types.documents import Change, ChangeAction, ConfigurationRow, SourceDocument, choose_version
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.registry import KINDS, SECTIONS
from coax.interfaces.api.rest.paging import Page, PageRequest, cut_page, make_page, read_place
from coax.interfaces.api.rest.problems import refuse_field
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.resource import Resource
from coax.interfaces.api.rest.values import Code, Day, Flag, Model
from coax.party.types import ApiScope
from coax.process.operators import apply_documents

resource = Resource("Configuration")
DOCUMENT_NAME: Final = "document"
OPERATOR: Final = "operator"


class ConfigurationKind(Model):
    """A kind of entity; `section` is its name in addresses and documents."""

    section: str
    label: str
    entities: int


class ConfigurationKinds(Model):
    """All kinds."""

    data: list[ConfigurationKind]


class Entity(Model):
    """A version of an entity, in force from `effective_date` (null for the beginning) to before `expiration_date`."""

    section: str
    code: str
    name: str
    version: int
    effective_date: date | None
    expiration_date: date | None
    is_used: bool = Field(description="A bill or contract has used it; it never changes any more.")
    spec: dict[str, Any] = Field(description="What `coax schema` and docs/configuration.md describe.")


class EntityPage(Page[Entity]):
    """A page of entities in the order of their codes."""


class DocumentToApply(Model):
    """Sections as in configuration files; entities that are not named stay as they are."""

    document: dict[str, Any] = Field(description='Such as {"products": [{"code": ...}]}; as `coax schema` says.')
    dry_run: Annotated[Flag, Field(description="Say what would change and change nothing.")] = False


class EntityDifference(Model):
    """A field that changes."""

    path: str
    before: Any
    after: Any


class EntityChange(Model):
    """What applying a document does to one version of one entity."""

    action: ChangeAction
    section: str
    code: str
    version: int
    effective_date: date | None
    differences: list[EntityDifference]


class AppliedDocument(Model):
    """What a document changed, or would change."""

    dry_run: bool
    changed: list[EntityChange]
    unchanged: int


class EntityDay(Model):
    """The day that is asked about."""

    as_of: Annotated[Day | None, Field(description="By default today.")] = None


@resource.read("", scope=ApiScope.CONFIGURATION_READ, answer=ConfigurationKinds)
def list_kinds(request: ApiRequest) -> dict[str, Any]:
    """List the kinds of entities."""
    counts = Counter(kind for kind, _ in {(row.kind, row.code) for row in find_versions()})
    kinds = KINDS.values()
    return {
        "data": [{"section": kind.section, "label": kind.label_plural, "entities": counts[kind.code]} for kind in kinds]
    }


@resource.write("", scope=ApiScope.CONFIGURATION_WRITE, answer=AppliedDocument)
def apply_document(request: ApiRequest, body: DocumentToApply) -> dict[str, Any]:
    """Bring the configuration to what a document says: all of it or nothing."""
    if OPERATOR in body.document:
        message = "the operator's own record is changed by `coax apply` only"
        raise refuse_field("operator_not_allowed", f"document.{OPERATOR}", OPERATOR, message, ", ".join(SECTIONS))
    text = json.dumps(body.document, default=str, ensure_ascii=False)
    done = apply_documents(
        tenant=request.tenant,
        documents=[SourceDocument(DOCUMENT_NAME, text)],
        as_of=tenant_today(request.tenant.id),
        actor=request.caller.actor,
        dry_run=body.dry_run,
    )
    changed = [_describe_change(change) for change in (*done.created, *done.changed)]
    return {"dry_run": done.dry_run, "changed": changed, "unchanged": len(done.unchanged)}


@resource.read("/{section}", scope=ApiScope.CONFIGURATION_READ, answer=EntityPage)
def list_entities(
    request: ApiRequest, section: Code, day: Query[EntityDay], page: Query[PageRequest]
) -> dict[str, Any]:
    """List the entities of a kind as they stand on a day, those still to come too."""
    on = day.as_of or tenant_today(request.tenant.id)
    after = read_place(request, page)
    versions = groupby(find_versions(_get_kind(section)), key=lambda row: row.code)
    rows = [choose_version(list(own), on) for _, own in versions]
    return make_page(
        request,
        page,
        cut_page(rows, page, after, place=lambda row: row.code),
        place=lambda row: row.code,
        describe=_describe,
    )


@resource.read("/{section}/{code}", scope=ApiScope.CONFIGURATION_READ, answer=Entity)
def get_one_entity(request: ApiRequest, section: Code, code: Code, day: Query[EntityDay]) -> dict[str, Any]:
    """Show an entity as it stands on a day."""
    on = day.as_of or tenant_today(request.tenant.id)
    return _describe(get_entity(_get_kind(section), code, on))


def _get_kind(section: str) -> str:
    """Return the code of a kind. Raises: EntityNotFound."""
    if section not in SECTIONS:
        allowed = ", ".join(SECTIONS)
        text = f"section: there is no {section!r}; there are: {allowed}."
        raise EntityNotFound(text, field="section", value=section, allowed=allowed)
    return SECTIONS[section].code


def _describe(row: ConfigurationRow) -> dict[str, Any]:
    return {
        "section": KINDS[row.kind].section,
        "code": row.code,
        "name": row.spec.name,
        "version": row.number,
        "effective_date": _day(row.effective_date),
        "expiration_date": row.expiration_date,
        "is_used": row.is_used,
        "spec": json.loads(row.spec.model_dump_json(by_alias=True)),
    }


def _describe_change(change: Change) -> dict[str, Any]:
    return {
        "action": change.action,
        "section": KINDS[change.kind].section,
        "code": change.code,
        "version": change.number,
        "effective_date": _day(change.effective_date),
        "differences": [
            {"path": found.path, "before": _plain(found.before), "after": _plain(found.after)}
            for found in change.differences
        ],
    }


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def _day(on: date) -> date | None:
    return None if on == BEGINNING else on
