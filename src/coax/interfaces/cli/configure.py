"""`coax apply`, `coax export`, `coax schema`: the configuration as files.

Exit codes: 0 in order, 1 refused or a problem, 2 wrong usage.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from django.db import transaction
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coax.base.clock import tenant_today
from coax.base.errors import DomainError
from coax.base.tenancy import (
    Tenant,
    create_tenant,
    get_tenant,
    list_tenant_codes,
    set_tenant,
    tenant_transaction,
)
from coax.configuration.operations.parse_documents import FileUnreadable, read_documents
from coax.configuration.rules.export import write_yaml
from coax.configuration.rules.parse import parse_sources
from coax.configuration.rules.schema import configuration_schema
from coax.configuration.types.documents import (
    ApplyResult,
    Change,
    ConfigurationRefused,
    Difference,
    SourceDocument,
)
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.operator import OperatorSpec
from coax.configuration.types.registry import KINDS
from coax.interfaces.site.bootstrap import open_database

DIFFERENCES_SHOWN_MAX = 12
PROBLEM = 1
USAGE = 2
NOTHING = "(none)"

Paths = Annotated[
    list[Path],
    typer.Argument(exists=True, readable=True, help="Files, or directories of *.yaml files."),
]
OperatorCode = Annotated[
    str | None,
    typer.Option("--operator", envvar="COAX_OPERATOR", help="Code of the operator; by default the only one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", dir_okay=False, writable=True, help="Write to this file.")
]


class OperatorUnclear(DomainError):
    """The command does not say for which operator it is, or says another one than the files."""

    code: ClassVar[str] = "operator_unclear"


def apply(
    paths: Paths,
    operator: OperatorCode = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change and change nothing.")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Today; by default that of the operator's clock."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring the configuration to what the files say: all of it or nothing."""
    with _problems_reported(as_json=as_json):
        documents = read_documents(paths)
        parsed = parse_sources(documents)
        if parsed.problems and parsed.operator is None and operator is None:
            raise ConfigurationRefused(parsed.problems)
        open_database()
        today = as_of.date() if as_of else None
        done = _apply(documents, parsed.operator, operator, as_of=today, dry_run=dry_run)
        _print_result(done, as_json=as_json)


def export(operator: OperatorCode = None, output: Output = None, as_json: AsJson = False) -> None:
    """Write the configuration as YAML (or JSON); applying it again changes nothing."""
    with _problems_reported(as_json=as_json):
        open_database()
        from coax.configuration.queries import export_configuration  # noqa: PLC0415 - after the set-up

        with tenant_transaction(_get_operator(operator).id):
            document = export_configuration()
        _write(_to_json(document) if as_json else write_yaml(document), output)


def schema(
    output: Output = None,
    as_json: AsJson = False,  # noqa: ARG001 - it is JSON with and without
) -> None:
    """Write the JSON Schema of configuration files, for editors and other programs."""
    _write(_to_json(configuration_schema()), output)


def _apply(
    documents: list[SourceDocument],
    declared: OperatorSpec | None,
    code: str | None,
    *,
    as_of: date | None,
    dry_run: bool,
) -> ApplyResult:
    """Apply documents for the operator that they or the command name; a refusal undoes a new operator."""
    from coax.configuration.operations.apply_configuration import (  # noqa: PLC0415 - after the set-up
        apply_configuration,
    )

    with transaction.atomic():
        operator = _open_operator(declared, code)
        set_tenant(operator.id)
        done = apply_configuration(
            documents=documents,
            as_of=as_of or tenant_today(operator.id),
            actor=_find_actor(),
            dry_run=dry_run,
        )
        if dry_run:
            transaction.set_rollback(True)
    return done


def _open_operator(declared: OperatorSpec | None, code: str | None) -> Tenant:
    """Return the operator, made if the files declare one that does not exist yet.

    Raises:
        OperatorUnclear: the command names another one than the files.

    """
    if declared is None:
        return _get_operator(code)
    if code not in {None, declared.code}:
        raise OperatorUnclear(
            f"The files are for the operator {declared.code!r}, not for {code!r}.", operator=code
        )
    if declared.code in list_tenant_codes():
        return get_tenant(declared.code)
    return create_tenant(
        code=declared.code,
        name=declared.name,
        currency=declared.currency,
        time_zone=declared.time_zone,
        locale=declared.locale,
    )


def _get_operator(code: str | None) -> Tenant:
    """Return the operator named, or the only one.

    Raises:
        TenantUnknown: there is no such operator.
        OperatorUnclear: none is named and there is not exactly one.

    """
    if code is not None:
        return get_tenant(code)
    codes = list_tenant_codes()
    if len(codes) == 1:
        return get_tenant(codes[0])
    known = ", ".join(codes) or "none yet; give one in an operator section"
    raise OperatorUnclear(f"Say which operator with --operator; there are: {known}.", operators=known)


def _find_actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@contextmanager
def _problems_reported(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except DomainError as fault:
        if as_json:
            typer.echo(_to_json(fault.as_dict()))
        else:
            _print_fault(fault)
        raise typer.Exit(USAGE if isinstance(fault, OperatorUnclear | FileUnreadable) else PROBLEM) from None


def _print_fault(fault: DomainError) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not isinstance(fault, ConfigurationRefused):
        console.print(Text(fault.message, style="red"))
        return
    for problem in fault.problems:
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        given = f" (given: {problem.value})" if problem.value else ""
        console.print(Text.assemble((place, "bold"), "  ", (problem.path, "cyan")))
        console.print(Text(f"    {problem.message}{given}", style="red"))
        if problem.allowed:
            console.print(Text(f"    {problem.allowed}", style="dim"))
    console.print(Text(fault.message.splitlines()[0], style="bold red"))


def _print_result(done: ApplyResult, *, as_json: bool) -> None:
    if as_json:
        typer.echo(_to_json(_describe_result(done)))
        return
    console = Console(highlight=False)
    changes = [*done.created, *done.changed]
    if changes:
        table = Table("What", "Kind", "Code", "Version", "From", "Differences", box=None, header_style="bold")
        for change in changes:
            table.add_row(*(Text(cell) for cell in _describe_cells(change)))
        console.print(table)
    counts = f"{len(done.created)} created, {len(done.changed)} changed, {len(done.unchanged)} unchanged"
    console.print(Text(f"Dry run, nothing was changed: {counts}" if done.dry_run else counts, style="bold"))


def _describe_cells(change: Change) -> list[str]:
    shown = [_describe_difference(found) for found in change.differences[:DIFFERENCES_SHOWN_MAX]]
    rest = len(change.differences) - len(shown)
    lines = [*shown, f"... and {rest} more"] if rest else shown
    start = "the beginning" if change.effective_date == BEGINNING else change.effective_date.isoformat()
    what = change.action.value.replace("_", " ")
    label = KINDS[change.kind].label
    return [what, label, change.code, str(change.number), start, "\n".join(lines)]


def _describe_difference(found: Difference) -> str:
    before, after = (NOTHING if value is None else str(value) for value in (found.before, found.after))
    return f"{found.path}: {before} -> {after}"


def _describe_result(done: ApplyResult) -> dict[str, Any]:
    return {
        "dry_run": done.dry_run,
        "operator": done.operator.code if done.operator else None,
        "created": [asdict(change) for change in done.created],
        "changed": [asdict(change) for change in done.changed],
        "unchanged": [asdict(change) for change in done.unchanged],
    }


def _to_json(value: Any) -> str:
    return json.dumps(value, default=str, indent=2, ensure_ascii=False)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text.rstrip("\n"))
    else:
        output.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
