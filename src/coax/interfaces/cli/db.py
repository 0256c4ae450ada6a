"""`coax db`: the embedded database server of a data directory.

Exit codes: 0 in order, 1 a problem (`status`: not running), 2 wrong usage.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from coax.base.embedded import Cluster, Status, signals_as_exceptions, signals_ignored
from coax.base.errors import DomainError

WATCH_S = 0.5

app = typer.Typer(help="Start, stop and look at the embedded database server.", no_args_is_help=True)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", envvar="COAX_DATA_DIR", help="Directory of the data; by default the user's own."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class RoleName(StrEnum):
    """The roles that the server knows."""

    OWNER = "owner"
    APP = "app"
    RUN = "run"
    SUPERUSER = "superuser"


@app.command()
def start(
    data_dir: DataDir = None,
    foreground: Annotated[
        bool,
        typer.Option("--foreground", help="Stay until Ctrl-C or SIGTERM, then stop the server (a running one too)."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start the server; it goes on running after this command."""
    with _problems_reported(as_json=as_json):
        cluster = Cluster.at(data_dir)
        if foreground:
            _stay(cluster, as_json=as_json)
        else:
            with signals_as_exceptions():
                cluster.start()
            _print_status(cluster.status(), as_json=as_json)


@app.command()
def stop(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Stop the server; open transactions are rolled back."""
    with _problems_reported(as_json=as_json):
        cluster = Cluster.at(data_dir)
        was_running = cluster.stop()
        text = f"Stopped: {cluster.data_dir}" if was_running else f"It was not running: {cluster.data_dir}"
        _print({"data_dir": cluster.data_dir, "stopped": was_running}, text, as_json=as_json)


@app.command()
def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show whether the server runs and where; exit with 1 if it does not."""
    with _problems_reported(as_json=as_json):
        found = Cluster.at(data_dir).status()
        _print_status(found, as_json=as_json)
        if not found.is_running:
            raise typer.Exit(1)


@app.command()
def url(
    data_dir: DataDir = None,
    role: Annotated[RoleName, typer.Option("--role", help="The role to connect as.")] = RoleName.APP,
    as_json: AsJson = False,
) -> None:
    """Print the URL of the database, its password included."""
    with _problems_reported(as_json=as_json):
        found = Cluster.at(data_dir).url(role.value)
        _print({"role": role, "url": found}, found, as_json=as_json)


def _stay(cluster: Cluster, *, as_json: bool) -> None:
    """Keep the server company until a signal, and stop it; end as well when it ends by itself."""
    with signals_as_exceptions():
        try:
            cluster.start()
            _print_status(cluster.status(), as_json=as_json)
            while cluster.find_running() is not None:
                time.sleep(WATCH_S)
        except (KeyboardInterrupt, SystemExit):
            with signals_ignored():
                cluster.stop()
        else:
            if not cluster.is_stopped_in_order():
                typer.echo(f"The server died; see {cluster.data_dir / 'postgres.log'}", err=True)
                raise typer.Exit(1)


@contextmanager
def _problems_reported(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except DomainError as problem:
        typer.echo(json.dumps(problem.as_dict()) if as_json else problem.message, err=True)
        raise typer.Exit(1) from None


def _print_status(found: Status, *, as_json: bool) -> None:
    data = {
        "running": found.is_running,
        "pid": found.pid,
        "version": found.version,
        "host": found.host,
        "port": found.port,
        "data_dir": found.data_dir,
        "size_bytes": found.size_bytes,
    }
    text = "\n".join(f"{name:<11}{'-' if value is None else value}" for name, value in data.items())
    _print(data, text, as_json=as_json)


def _print(data: dict[str, Any], text: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(data, default=str) if as_json else text)
    sys.stdout.flush()
