"""`coax usage`: what subscribers use, recorded one by one or from a file. A file with refused lines ends with 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coax.base.clock import tenant_today
from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.action import submit
from coax.interfaces.cli.shared import (
    PROBLEM,
    AsJson,
    StepProgress,
    TenantCode,
    find_actor,
    open_tenant,
    parse_date,
    print_json,
    problems_reported,
)
from coax.interfaces.cli.usage_options import (
    Catalog,
    Category,
    Destination,
    Device,
    Method,
    NotBilled,
    Reference,
    Source,
    SourceSystem,
    UsageAmount,
    UsageTypeCode,
    UsedFrom,
    UsedTo,
    make_usage_detail,
)
from coax.process.describe_charges import describe_usage
from coax.process.import_usage import ImportedUsage, import_usage
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.usages import ROWS_MAX, find_usages
from coax.subscription.types.actions import ActionRequest, Behaviour

app = typer.Typer(help="Usage records: films, calls and what else is billed by use.", no_args_is_help=True)

SHOWN: Final = 20
LISTED: Final = 100
On = Annotated[str | None, typer.Option("--on", help="Day of use, or day it is taken back; by default today.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for those who read it later.")]
Key = Annotated[str | None, typer.Option("--key", help="Idempotency key: done once however often asked.")]


@app.command()
def add(
    subscription: str,
    product: str,
    tenant: TenantCode = None,
    on: On = None,
    quantity: Annotated[int, typer.Option("--quantity", help="How many units.")] = 1,
    service: Annotated[
        str | None, typer.Option("--service", help="The service that carried it, where several served on that day.")
    ] = None,
    usage_type: UsageTypeCode = "",
    catalog: Catalog = "",
    not_billed: NotBilled = False,
    amount: UsageAmount = None,
    used_from: UsedFrom = None,
    used_to: UsedTo = None,
    source_system: SourceSystem = "",
    reference: Reference = "",
    source: Source = "",
    destination: Destination = "",
    device: Device = "",
    method: Method = "",
    category: Category = "",
    reason: Reason = "",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Record that a service was used; the next run bills it by its catalog."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            day = parse_date(on, "--on") or tenant_today(operator.id)
        request = ActionRequest(
            subscription_code=subscription,
            behaviour=Behaviour.ADD_SERVICE_USAGE,
            performed_on=day,
            product_code=product,
            quantity=quantity,
            service_code=service,
            reason=reason,
            usage=make_usage_detail(
                operator,
                usage_type=usage_type,
                catalog=catalog,
                not_billed=not_billed,
                amount=amount,
                used_from=used_from,
                used_to=used_to,
                source_system=source_system,
                reference=reference,
                source=source,
                destination=destination,
                device=device,
                method=method,
                category=category,
            ),
        )
        submit(operator, request, key, as_json=as_json)


@app.command()
def cancel(
    subscription: str,
    usage: str,
    tenant: TenantCode = None,
    reason: Reason = "",
    on: On = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Take a usage back: unbilled it is not billed, billed it is credited by the next run."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            day = parse_date(on, "--on") or tenant_today(operator.id)
        request = ActionRequest(
            subscription_code=subscription,
            behaviour=Behaviour.CANCEL_SERVICE_USAGE,
            performed_on=day,
            charge_code=usage,
            reason=reason,
        )
        submit(operator, request, key, as_json=as_json)


@app.command("list")
def list_all(
    subscription: Annotated[str | None, typer.Argument(help="Only of this subscription.")] = None,
    tenant: TenantCode = None,
    product: Annotated[str | None, typer.Option("--product", help="Only of this usage service.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="Only from this day on.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Only before this day.")] = None,
    source_system: Annotated[str | None, typer.Option("--source-system", help="Only told by this system.")] = None,
    reference: Annotated[str | None, typer.Option("--reference", help="Only what its system calls so.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=ROWS_MAX, help="How many at most.")] = LISTED,
    as_json: AsJson = False,
) -> None:
    """List usage records, the latest day first."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            key = get_subscription_key(tenant_id=operator.id, code=subscription) if subscription else None
            rows = find_usages(
                tenant_id=operator.id,
                account_id=key.account_id if key else None,
                subscription_id=key.subscription_id if key else None,
                product=product,
                performed_from=parse_date(first, "--from"),
                performed_to=parse_date(end, "--to"),
                source_system=source_system,
                reference=reference,
                limit=limit,
            )
        if as_json:
            print_json({"usages": [describe_usage(row) for row in rows]})
            return
        table = Table(box=None, pad_edge=False)
        for name in ("Usage", "Day", "Product", "Quantity", "Subscription", "Service", "State", "Told by"):
            table.add_column(name, no_wrap=name in {"Usage", "Day"})
        for row in rows:
            told = " ".join(filter(None, (row.source_system, row.reference)))
            names = (row.product_name, f"{row.quantity:,}", row.subscription_code, row.service_code)
            table.add_row(row.code, str(row.performed_on), *names, row.state.replace("_", " "), told)
        Console(highlight=False).print(table if rows else "Nothing was used.")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file; docs/usage.md names its columns.")],
    tenant: TenantCode = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; by default the name of the file.")] = "",
    as_json: AsJson = False,
) -> None:
    """Record the usage that a CSV file tells; what its source told before is passed over by its reference."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with StepProgress(is_shown=not as_json) as progress:
            done = import_usage(tenant=operator, path=file, actor=find_actor(), reason=reason, progress=progress)
        if as_json:
            print_json(asdict(done))
        else:
            _print_outcome(done)
        if not done.is_clean:
            raise typer.Exit(PROBLEM)


def _print_outcome(done: ImportedUsage) -> None:
    console = Console(highlight=False)
    if done.faults:
        faults = [(str(one.line), one.field, one.value, one.allowed) for one in done.faults]
        _print_lines(console, ("Line", "Field", "Value", "Allowed"), faults)
        bad = len({one.line for one in done.faults})
        console.print(f"Nothing is recorded: {bad:,} of {done.lines:,} lines cannot be read.")
        return
    refused = [(str(one.line), one.subscription, one.reason) for one in done.refused]
    _print_lines(console, ("Line", "Subscription", "Reason"), refused)
    console.print(f"{done.recorded:,} recorded, {done.known:,} known already, {len(done.refused):,} refused.")
    if done.without_reference:
        note = f"{done.without_reference:,} of them without a reference: the same file would record them again."
        console.print(Text(note, style="dim"))


def _print_lines(console: Console, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    table = Table(*names, box=None, pad_edge=False, header_style="bold")
    for row in rows[:SHOWN]:
        table.add_row(*map(Text, row))
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"... and {len(rows) - SHOWN:,} more; --json lists them all.")
