"""`coax apply`, `coax export`, `coax schema`: the configuration as files.

Exit codes: 0 in order, 1 refused or a problem, 2 wrong usage.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coax.base.tenancy import tenant_transaction
from coax.configuration.operations.parse_documents import read_documents
from coax.configuration.queries import export_configuration
from coax.configuration.rules.export import write_yaml
from coax.configuration.rules.parse import parse_sources
from coax.configuration.rules.schema import configuration_schema
from coax.configuration.types.documents import (
    ApplyResult,
    Change,
    ConfigurationRefused,
    Difference,
)
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.registry import KINDS
from coax.interfaces.cli.shared import (
    PROBLEM,
    AsJson,
    TenantCode,
    find_actor,
    open_tenant,
    parse_date,
    print_json,
    problems_reported,
    to_json,
)
from coax.interfaces.site.bootstrap import open_database
from coax.process.operators import apply_files, get_operator

DIFFERENCES_SHOWN_MAX = 12
NOTHING = "(none)"

Paths = Annotated[
    list[Path],
    typer.Argument(exists=True, readable=True, help="Files, or directories of *.yaml files."),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", dir_okay=False, writable=True, help="Write to this file.")
]


def apply(
    paths: Paths,
    operator: TenantCode = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and change nothing.")] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Today; by default that of the operator's clock.")
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
        _, done = apply_files(
            documents=documents,
            operator_code=operator,
            as_of=parse_date(as_of, "--as-of"),
            actor=find_actor(),
            dry_run=dry_run,
            directory=_directory(paths[0]),
        )
        _print_result(done, as_json=as_json)


def export(operator: TenantCode = None, output: Output = None, as_json: AsJson = False) -> None:
    """Write the configuration as YAML (or JSON); applying it again changes nothing."""
    with _problems_reported(as_json=as_json):
        tenant = open_tenant(operator)
        with tenant_transaction(tenant.id):
            document = export_configuration(get_operator(tenant.id))
        _write(to_json(document) if as_json else write_yaml(document), output)


def schema(
    output: Output = None,
    as_json: AsJson = False,  # noqa: ARG001 - it is JSON with and without
) -> None:
    """Write the JSON Schema of configuration files, for editors and other programs."""
    _write(to_json(configuration_schema()), output)


@contextmanager
def _problems_reported(*, as_json: bool) -> Iterator[None]:
    """Report every problem of refused files at its place, and anything else as all commands do."""
    with problems_reported(as_json=as_json):
        try:
            yield
        except ConfigurationRefused as fault:
            if as_json:
                raise
            _print_fault(fault)
            raise typer.Exit(PROBLEM) from None


def _directory(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _print_fault(fault: ConfigurationRefused) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
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
        print_json(_describe_result(done))
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


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text.rstrip("\n"))
    else:
        output.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
