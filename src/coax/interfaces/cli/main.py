"""`coax`: one command for everything a person does at a keyboard. docs/cli.md lists commands and exit codes."""

from __future__ import annotations

from coax.interfaces.site.bootstrap import set_up_framework

set_up_framework()  # the commands below import tables

import typer  # noqa: E402

from coax import __version__  # noqa: E402
from coax.interfaces.cli import bills, configure, db, run, service  # noqa: E402

app = typer.Typer(
    name="coax",
    help="Subscription billing for pay-TV, IPTV and telecom operators.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True),
) -> None:
    """Subscription billing for pay-TV, IPTV and telecom operators."""
    if show:
        typer.echo(f"coax {__version__}")
        raise typer.Exit


app.add_typer(db.app, name="db")
app.command()(configure.apply)
app.command()(configure.export)
app.command()(configure.schema)
app.add_typer(run.app, name="run")
app.add_typer(run.runs_app, name="runs")
app.add_typer(bills.app, name="bills")
app.command("bill")(bills.bill)
app.add_typer(service.app, name="service")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
