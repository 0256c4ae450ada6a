"""What can be told of a usage at the keyboard."""

from __future__ import annotations

from typing import Annotated

import typer

from coax.base.instants import parse_instant
from coax.base.money import parse_micro
from coax.base.tenancy import Tenant
from coax.subscription.types.actions import UsageDetail

UsageTypeCode = Annotated[str, typer.Option("--usage-type", help="Usage type, where there are any.")]
Catalog = Annotated[str, typer.Option("--catalog", help="Usage service catalog, where several have the service.")]
NotBilled = Annotated[bool, typer.Option("--not-billed", help="Only record the usage; it costs nothing.")]
UsageAmount = Annotated[str | None, typer.Option("--amount", help="Amount of a usage that comes rated.")]
UsedFrom = Annotated[
    str | None,
    typer.Option("--used-from", help="When it began, such as 2026-07-09T20:15; without an offset by your clocks."),
]
UsedTo = Annotated[str | None, typer.Option("--used-to", help="When it ended.")]
SourceSystem = Annotated[str, typer.Option("--source-system", help="The system that tells of it.")]
Reference = Annotated[str, typer.Option("--reference", help="What that system calls it: recorded once.")]
Source = Annotated[str, typer.Option("--source", help="From where, such as the calling number.")]
Destination = Annotated[str, typer.Option("--destination", help="Where to, such as the called number.")]
Device = Annotated[str, typer.Option("--device", help="Device that it was used on.")]
Method = Annotated[str, typer.Option("--method", help="How, such as stream or download.")]
Category = Annotated[str, typer.Option("--category", help="Own grouping, such as a genre.")]


def make_usage_detail(
    tenant: Tenant,
    *,
    not_billed: bool,
    amount: str | None,
    used_from: str | None,
    used_to: str | None,
    **told: str,
) -> UsageDetail:
    """Return what is told of a usage. Raises: InvalidAmount, InstantInvalid."""
    return UsageDetail(
        is_billed=not not_billed,
        amount_micro=None if amount is None else parse_micro(amount),
        used_from=parse_instant(used_from, time_zone=tenant.time_zone) if used_from else None,
        used_to=parse_instant(used_to, time_zone=tenant.time_zone) if used_to else None,
        **told,
    )
