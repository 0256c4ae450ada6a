"""`coax clock`: the operator's clock, real or simulated.

Exit codes: 0 in order; 1 refused; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from coax.base.audit import set_actor
from coax.base.calendar import add_months_clamped
from coax.base.clock import is_clock_simulated, set_simulated_clock, tenant_now
from coax.base.tenancy import Tenant, tenant_transaction
from coax.interfaces.cli.shared import AsJson, TenantCode, find_actor, open_tenant, print_json, problems_reported
from coax.process.recurring.describe import write_run
from coax.process.recurring.travel import advance_working

MORNING = time(8)
STEPS_MAX = 3660

app = typer.Typer(help="Show the operator's clock; set or advance a simulated one.", no_args_is_help=True)

Count = typer.Option(min=0, max=STEPS_MAX)


@app.command()
def show(tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Show what time it is for the operator."""
    with problems_reported(as_json=as_json):
        _report(open_tenant(tenant), as_json=as_json)


@app.command(name="set")
def set_to(
    at: Annotated[str, typer.Argument(metavar="DATE", help="YYYY-MM-DD (8:00) or YYYY-MM-DDTHH:MM, local time.")],
    tenant: TenantCode = None,
    as_json: AsJson = False,
) -> None:
    """Set a simulated clock to a later time."""
    wanted = _read_time(at)
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        _move(operator, wanted)
        _report(operator, as_json=as_json)


@app.command()
def advance(
    tenant: TenantCode = None,
    months: Annotated[int, Count] = 0,
    days: Annotated[int, Count] = 0,
    hours: Annotated[int, Count] = 0,
    work: Annotated[
        bool, typer.Option("--work", help="Execute on the way, each at its time, the processes that fall due.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Advance a simulated clock by months, then days, then hours of the operator's local time."""
    if not months + days + hours:
        raise typer.BadParameter("say by how much: --months, --days or --hours", param_hint="advance")
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        present = _local_now(operator)
        day = add_months_clamped(present.date(), months) + timedelta(days=days)
        wanted = datetime.combine(day, present.time()) + timedelta(hours=hours)
        if work:
            _work_until(operator, wanted, as_json=as_json)
        else:
            _move(operator, wanted)
        _report(operator, as_json=as_json)


def _read_time(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), MORNING)
    except ValueError:
        pass
    try:
        wanted = datetime.fromisoformat(text)
    except ValueError:
        wanted = None
    if wanted is None or wanted.tzinfo is not None:
        message = f"{text!r} is no local time; write YYYY-MM-DD or YYYY-MM-DDTHH:MM"
        raise typer.BadParameter(message, param_hint="DATE")
    return wanted


def _to_instant(tenant: Tenant, local: datetime) -> datetime:
    return local.replace(tzinfo=ZoneInfo(tenant.time_zone)).astimezone(UTC)


def _work_until(tenant: Tenant, local: datetime, *, as_json: bool) -> None:
    """Advance from one occurrence to the next; what was executed goes to the errors' stream where JSON is wanted."""
    advance_working(
        tenant=tenant,
        until=_to_instant(tenant, local),
        actor=find_actor(),
        report=lambda run: typer.echo(write_run(tenant, run), err=as_json),
    )


def _move(tenant: Tenant, local: datetime) -> None:
    at = _to_instant(tenant, local)
    with tenant_transaction(tenant.id):
        set_actor(find_actor())
        set_simulated_clock(tenant_id=tenant.id, at=at)


def _local_now(tenant: Tenant) -> datetime:
    with tenant_transaction(tenant.id):
        now = tenant_now(tenant.id)
    return now.astimezone(ZoneInfo(tenant.time_zone)).replace(tzinfo=None)


def _report(tenant: Tenant, *, as_json: bool) -> None:
    with tenant_transaction(tenant.id):
        now, is_simulated = tenant_now(tenant.id), is_clock_simulated(tenant.id)
    local = now.astimezone(ZoneInfo(tenant.time_zone))
    data: dict[str, Any] = {
        "tenant": tenant.code,
        "clock": "simulated" if is_simulated else "real",
        "today": local.date(),
        "local_time": local.isoformat(timespec="seconds"),
        "time_zone": tenant.time_zone,
    }
    if as_json:
        print_json(data)
    else:
        text = f"{local:%Y-%m-%d %H:%M} {tenant.time_zone} ({data['clock']} clock of {tenant.code})"
        Console(highlight=False, soft_wrap=True).print(text, markup=False)
