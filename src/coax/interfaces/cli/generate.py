"""`coax generate`: data to try things with. Exit codes: 0 in order, 1 refused or a problem, 2 wrong usage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from coax.base.clock import tenant_today
from coax.base.tenancy import Tenant, tenant_transaction
from coax.configuration.queries import find_versions
from coax.interfaces.cli.imports import summarize
from coax.interfaces.cli.shared import (
    PROBLEM,
    AsJson,
    StepProgress,
    TenantCode,
    open_tenant,
    print_json,
    problems_reported,
)
from coax.process.generate import write_subscribers
from coax.process.import_subscribers import ImportOutcome, import_subscribers

app = typer.Typer(help="Make up data to try things with.", no_args_is_help=True)


@app.callback()
def generate() -> None:
    """Make up data to try things with."""


@app.command()
def subscribers(
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many subscribers.")],
    tenant: TenantCode = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=999_999, help="Another seed gives other subscribers.")] = 1,
    to: Annotated[
        Path | None,
        typer.Option("--to", dir_okay=False, help="Only write them to this .parquet file, for `coax import`."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make up subscribers of the operator's own schemes, plans and services, and import them."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            today, versions = tenant_today(operator.id), find_versions()
        with StepProgress(is_shown=not as_json) as progress:
            write = partial(
                write_subscribers,
                versions=versions,
                currency=operator.currency,
                count=count,
                seed=seed,
                as_of=today,
                progress=progress,
            )
            rows = write(to) if to is not None else 0
            outcome = None if to is not None else _import(write, operator, today, progress)
        if outcome is None:
            text = f"Wrote {count:,} subscribers in {rows:,} rows to {to}."
            _print({"subscribers": count, "rows": rows, "file": to}, [text], as_json=as_json)
            return
        _print(outcome.as_dict(), summarize(outcome), as_json=as_json)
        if outcome.is_refused:
            raise typer.Exit(PROBLEM)


def _import(write: Callable[[Path], int], operator: Tenant, today: date, progress: StepProgress) -> ImportOutcome:
    """Write the subscribers to a file of the moment and import it."""
    with TemporaryDirectory(prefix="coax-generate-") as scratch:
        path = Path(scratch) / "subscribers.parquet"
        write(path)
        return import_subscribers(tenant=operator, path=path, as_of=today, progress=progress)


def _print(data: dict[str, object], lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        typer.echo("\n".join(lines))
