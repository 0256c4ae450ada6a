"""The kinds of configuration, the entities of a kind, and all of it as YAML."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.http import Http404, HttpResponse

from coax.base.clock import tenant_today
from coax.configuration.queries import export_configuration, find_versions
from coax.configuration.rules.export import write_yaml
from coax.configuration.types.documents import ConfigurationRow, choose_version
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.registry import KINDS, Kind
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.pages.page import page, show
from coax.process.operators import get_operator

PAGE = "configuration"


@dataclass(frozen=True, slots=True)
class EntityLine:
    """An entity in a list: the version in force, or the first one to come."""

    row: ConfigurationRow
    versions: int
    is_to_come: bool

    @property
    def start(self) -> date | None:
        """Return the day from which the version holds; None for the beginning."""
        return None if self.row.effective_date == BEGINNING else self.row.effective_date


def get_kind(code: str) -> Kind:
    """Return a kind by its code. Raises: Http404."""
    if code not in KINDS:
        raise Http404(code)
    return KINDS[code]


@page()
def index(request: StaffRequest) -> HttpResponse:
    """Show the kinds with how many entities each has."""
    counts = Counter(kind for kind, _ in {(row.kind, row.code) for row in find_versions()})
    kinds = [(kind, counts[kind.code], (kind.spec.__doc__ or "").partition("\n")[0]) for kind in KINDS.values()]
    return show(request, "configuration.html", page=PAGE, title="Configuration", kinds=kinds)


@page()
def entities(request: StaffRequest, kind_code: str) -> HttpResponse:
    """Show the entities of a kind."""
    kind = get_kind(kind_code)
    text = request.GET.get("q", "").strip().lower()
    today = tenant_today(request.tenant.id)
    lines = [
        line
        for line in list_entities(find_versions(kind.code), today)
        if text in line.row.code or text in line.row.spec.name.lower()
    ]
    return show(request, "entities.html", page=PAGE, title=kind.label_plural, kind=kind, lines=lines, q=text)


@page()
def export(request: StaffRequest) -> HttpResponse:
    """Give the whole configuration as a YAML file."""
    document = export_configuration(get_operator(request.tenant.id))
    name = f"{request.tenant.code}.yaml"
    return HttpResponse(
        write_yaml(document),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def list_entities(rows: Iterable[ConfigurationRow], today: date) -> list[EntityLine]:
    """Return an entity a line, in the order of their codes."""
    versions: defaultdict[str, list[ConfigurationRow]] = defaultdict(list)
    for row in rows:
        versions[row.code].append(row)
    return [
        EntityLine(choose_version(own, today), len(own), own[0].effective_date > today)
        for _, own in sorted(versions.items())
    ]
