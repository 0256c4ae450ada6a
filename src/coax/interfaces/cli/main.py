"""`coax`: one command for everything a person does at a keyboard. docs/cli.md lists commands and exit codes."""

from __future__ import annotations

import sys

from coax.base.errors import DomainError
from coax.interfaces.site.bootstrap import set_up_framework

try:
    set_up_framework()  # the commands below import tables
except DomainError as fault:
    sys.stderr.write(f"{fault.message}\n")
    sys.exit(2)

import typer

from coax import __version__
from coax.interfaces.cli import (
    account,
    action,
    adjust,
    bills,
    charge,
    clock,
    configure,
    contact,
    credential,
    db,
    demo,
    explain,
    generate,
    imports,
    item,
    job,
    payment,
    preview,
    process,
    run,
    serve,
    service,
    staff,
    subscriptions,
    usage,
    verify,
    worker,
)

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
app.add_typer(imports.app, name="import")
app.add_typer(generate.app, name="generate")
app.add_typer(run.app, name="run")
app.add_typer(run.runs_app, name="runs")
app.add_typer(bills.app, name="bills")
app.command("bill")(bills.bill)
app.command()(preview.preview)
app.add_typer(account.app, name="account")
app.add_typer(contact.app, name="contact")
app.command()(explain.explain)
app.command()(verify.verify)
app.add_typer(service.app, name="service")
app.add_typer(action.app, name="action")
app.add_typer(subscriptions.app, name="subscriptions")
app.add_typer(charge.app, name="charge")
app.add_typer(usage.app, name="usage")
app.add_typer(item.app, name="item")
app.add_typer(item.location_app, name="location")
app.add_typer(job.app, name="job")
app.add_typer(payment.app, name="payment")
app.add_typer(payment.refund_app, name="refund")
app.command("credit-note")(adjust.credit_note)
app.command("write-off")(adjust.write_off)
app.add_typer(clock.app, name="clock")
app.command()(demo.demo)
app.add_typer(staff.app, name="staff")
app.add_typer(credential.token_app, name="token")
app.add_typer(credential.client_app, name="client")
app.command()(serve.serve)
app.add_typer(process.app, name="process")
app.command()(worker.worker)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
