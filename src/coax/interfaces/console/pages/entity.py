"""One entity of the configuration: its form, its history, its YAML. The same for every kind."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from coax.base.clock import tenant_today
from coax.configuration.queries import EntityNotFound, find_versions
from coax.configuration.rules.export import build_document, write_yaml
from coax.configuration.types.documents import (
    ApplyResult,
    ChangeAction,
    ConfigurationRefused,
    ConfigurationRow,
    SourceDocument,
    VersionInUse,
    choose_version,
)
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.registry import Kind
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.forms.bound import Binder, Names
from coax.interfaces.console.forms.faults import FORM, Faults, place_problems
from coax.interfaces.console.forms.nodes import ListNode, describe_spec, find_node
from coax.interfaces.console.forms.values import change_rows, first_values, read_values
from coax.interfaces.console.pages.configuration import PAGE, get_kind
from coax.interfaces.console.pages.history import find_history
from coax.interfaces.console.pages.page import page, require_right, show
from coax.party.types import Right
from coax.process.operators import apply_documents

FORM_METHODS = ("GET", "HEAD", "POST")
ROW_PATH = re.compile(r"[a-z_]+(\.[a-z0-9_]+)*\.[0-9]+")
UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Sheet:
    """A form on its way to a page: whose it is, what it holds, what is wrong with it."""

    kind: Kind
    row: ConfigurationRow | None
    versions: list[ConfigurationRow]
    values: dict[str, Any]
    faults: Faults
    replace_from: date | None = None


@page(methods=FORM_METHODS)
def entity(request: StaffRequest, kind_code: str, code: str) -> HttpResponse:
    """Show an entity as a form, and save it."""
    kind, versions = _find(kind_code, code)
    row = _choose(request, versions)
    if request.method != "POST":
        return _show_form(request, Sheet(kind, row, versions, _values_of(row, versions), {}))
    require_right(request, Right.CONFIGURE)
    return _save(request, kind, row, versions)


@page(Right.CONFIGURE, methods=FORM_METHODS)
def new_entity(request: StaffRequest, kind_code: str) -> HttpResponse:
    """Show an empty form, or one filled from another entity, and save it."""
    kind = get_kind(kind_code)
    if request.method == "POST":
        return _save(request, kind, None, [])
    values = first_values(describe_spec(kind.spec))
    source = request.GET.get("from")
    if source:
        _, versions = _find(kind_code, source)
        values = {**_values_of(_choose(request, versions), versions), "code": "", "effective_date": None}
    return _show_form(request, Sheet(kind, None, [], values, {}))


@page(Right.CONFIGURE)
def new_row(request: StaffRequest, kind_code: str) -> HttpResponse:
    """Give an empty row of a list in the form, for the script that adds rows."""
    kind, path = get_kind(kind_code), request.GET.get("path", "")
    parent = path.rpartition(".")[0]
    node = find_node(describe_spec(kind.spec), parent) if ROW_PATH.fullmatch(path) else None
    if not isinstance(node, ListNode):
        raise Http404(path)
    empty = Binder(_find_names(kind)).bind_row(node, path)
    shape = "lines" if empty.shape == "field" else "table" if empty.node.is_flat else "cards"  # type: ignore[union-attr]
    return render(request, f"console/form/row_{shape}.html", {"row": empty, "is_open": True})


@page()
def history(request: StaffRequest, kind_code: str, code: str) -> HttpResponse:
    """Show the versions of an entity: who made them, when, and what differs."""
    kind, versions = _find(kind_code, code)
    entries = find_history(tenant_id=request.tenant.id, versions=versions)
    title = choose_version(versions, tenant_today(request.tenant.id)).spec.name
    return show(request, "history.html", page=PAGE, title=title, kind=kind, code=code, entries=entries, tab="history")


@page()
def as_yaml(request: StaffRequest, kind_code: str, code: str) -> HttpResponse:
    """Show an entity as it would stand in a file, or give it as one."""
    kind, versions = _find(kind_code, code)
    text = write_yaml(build_document(versions))
    if "download" in request.GET:
        disposition = f'attachment; filename="{kind.code}-{code}.yaml"'
        return HttpResponse(
            text,
            content_type="application/yaml; charset=utf-8",
            headers={"Content-Disposition": disposition},
        )
    title = choose_version(versions, tenant_today(request.tenant.id)).spec.name
    return show(request, "yaml.html", page=PAGE, title=title, kind=kind, code=code, text=text, tab="yaml")


def _find(kind_code: str, code: str) -> tuple[Kind, list[ConfigurationRow]]:
    kind = get_kind(kind_code)
    versions = [row for row in find_versions(kind.code) if row.code == code]
    if not versions:
        raise EntityNotFound(f"There is no {kind.label.lower()} {code!r}.", kind=kind.code, entity_code=code)
    return kind, versions


def _choose(request: StaffRequest, versions: list[ConfigurationRow]) -> ConfigurationRow:
    wanted = request.GET.get("version", "")
    named = [row for row in versions if str(row.number) == wanted]
    return named[0] if named else choose_version(versions, tenant_today(request.tenant.id))


def _values_of(row: ConfigurationRow, versions: list[ConfigurationRow]) -> dict[str, Any]:
    """Return a version as the form shows it; with several the beginning is named too, so that it is meant."""
    values: dict[str, Any] = row.spec.model_dump(mode="json", by_alias=True)
    is_only_beginning = row.effective_date == BEGINNING and len(versions) == 1
    return {**values, "effective_date": None if is_only_beginning else row.effective_date}


def _digest(row: ConfigurationRow) -> str:
    return hashlib.sha256(row.spec.model_dump_json().encode()).hexdigest()[:16]


def _find_names(kind: Kind) -> Names:
    """Return code and name of every entity that the kind may name."""
    return {other: {row.code: row.spec.name for row in find_versions(other)} for other in sorted(kind.references)}


def _save(
    request: StaffRequest, kind: Kind, row: ConfigurationRow | None, versions: list[ConfigurationRow]
) -> HttpResponse:
    form, sent = describe_spec(kind.spec), request.POST
    values = read_values(form, sent)
    if row is not None:
        values["code"] = row.code
    if "_add" in sent or "_remove" in sent:
        change_rows(form, values, add=sent.get("_add", ""), remove=sent.get("_remove", ""))
        return _show_form(request, Sheet(kind, row, versions, values, {}))
    if "_replace" in sent:
        values["effective_date"] = sent.get("_replace_from", "")
    faults = _check_sheet(request, kind, row, values)
    if faults:
        return _show_form(request, Sheet(kind, row, versions, values, faults))
    today = tenant_today(request.tenant.id)
    document = SourceDocument(FORM, write_yaml({kind.section: [values]}))
    try:
        done = apply_documents(tenant=request.tenant, documents=[document], as_of=today, actor=request.staff.username)
    except VersionInUse as problem:
        start = max(today, (row.effective_date if row else today) + timedelta(days=1))
        faults = {"": [item.message for item in problem.problems]}
        return _show_form(request, Sheet(kind, row, versions, values, faults, replace_from=start))
    except ConfigurationRefused as problem:
        return _show_form(request, Sheet(kind, row, versions, values, place_problems(problem.problems, form)))
    _tell(request, done)
    return redirect("admin:entity", kind.code, values["code"])


def _check_sheet(request: StaffRequest, kind: Kind, row: ConfigurationRow | None, values: dict[str, Any]) -> Faults:
    """Find what only the console can know: a code taken by another, a version changed since it was shown."""
    if row is None:
        taken = any(other.code == values.get("code") for other in find_versions(kind.code))
        return {"code": [f"There is a {kind.label.lower()} of this code already."]} if taken else {}
    if request.POST.get("_seen") != _digest(row):
        return {"": ["Somebody changed this version while you had it open. Look at it again before you save."]}
    return {}


def _tell(request: StaffRequest, done: ApplyResult) -> None:
    changes = [*done.created, *done.changed]
    if not changes:
        messages.info(request, "Nothing was changed.")
    for change in changes:
        start = "the beginning" if change.effective_date == BEGINNING else f"{change.effective_date}"
        what = "New version" if change.action is ChangeAction.NEW_VERSION else "Saved: version"
        messages.success(request, f"{what} {change.number}, in force from {start}.")


def _show_form(request: StaffRequest, sheet: Sheet) -> HttpResponse:
    kind, row = sheet.kind, sheet.row
    fixed = frozenset({"code"}) if row else frozenset()
    bound = Binder(_find_names(kind), sheet.faults, fixed).bind(describe_spec(kind.spec), sheet.values)
    return show(
        request,
        "entity.html",
        page=PAGE,
        title=row.spec.name if row else f"New {kind.label.lower()}",
        status=UNPROCESSABLE if sheet.faults else 200,
        sheet=sheet,
        kind=kind,
        code=row.code if row else "",
        form=bound,
        tab="form",
        seen=_digest(row) if row else "",
        can_save=request.staff.has_right(Right.CONFIGURE),
        is_open=request.staff.has_right(Right.CONFIGURE),
        faults=[(path, text) for path, texts in sheet.faults.items() for text in texts],
    )
