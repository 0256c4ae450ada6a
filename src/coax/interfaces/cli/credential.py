"""`coax token` and `coax client`: programs that may use the API.

A secret is shown once, when it is made; the database keeps its hash only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coax.base.audit import set_actor
from coax.base.clock import start_of_day, tenant_now
from coax.base.tenancy import Tenant, tenant_transaction
from coax.interfaces.cli.shared import (
    AsJson,
    TenantCode,
    find_actor,
    open_tenant,
    parse_date,
    print_json,
    problems_reported,
)
from coax.party.operations.save_credentials import (
    GRACE_HOURS_MAX,
    add_credential,
    revoke_credential,
    rotate_credential,
)
from coax.party.queries.credentials import find_credentials
from coax.party.types import ApiScope, CredentialKind, CredentialRow, IssuedSecret

GRACE_HOURS: Final = 24
Name = Annotated[str, typer.Argument(help="Name of the program: small letters, digits and . _ -")]
Scopes = Annotated[list[ApiScope], typer.Option("--scope", help="What it may do; once for each.")]
Expires = Annotated[str | None, typer.Option("--expires", help="First day on which it is over; by default never.")]
Grace = Annotated[
    int, typer.Option("--grace-hours", min=0, max=GRACE_HOURS_MAX, help="How long the present secret stays valid.")
]


def make_app(kind: CredentialKind, *, help_text: str) -> typer.Typer:
    """Return the commands of one kind of credential."""
    app = typer.Typer(help=help_text, no_args_is_help=True)

    @app.command()
    def add(
        name: Name, scope: Scopes, tenant: TenantCode = None, expires: Expires = None, as_json: AsJson = False
    ) -> None:
        """Add one, and show its secret this once."""
        with problems_reported(as_json=as_json):
            operator = open_tenant(tenant)
            with tenant_transaction(operator.id):
                set_actor(find_actor())
                issued = add_credential(
                    tenant_id=operator.id,
                    kind=kind,
                    name=name,
                    scopes=scope,
                    actor=find_actor(),
                    now=tenant_now(operator.id),
                    expires_at=_read_day(expires, operator),
                )
            _print_secret(issued, as_json=as_json)

    @app.command()
    def rotate(
        name: Name, tenant: TenantCode = None, grace_hours: Grace = GRACE_HOURS, as_json: AsJson = False
    ) -> None:
        """Give it a new secret; the present one stays valid for a while."""
        with problems_reported(as_json=as_json):
            operator = open_tenant(tenant)
            with tenant_transaction(operator.id):
                set_actor(find_actor())
                issued = rotate_credential(
                    tenant_id=operator.id,
                    kind=kind,
                    name=name,
                    grace_hours=grace_hours,
                    now=tenant_now(operator.id),
                )
            _print_secret(issued, as_json=as_json)

    @app.command()
    def revoke(name: Name, tenant: TenantCode = None, as_json: AsJson = False) -> None:
        """Revoke it: from now on none of its secrets opens anything."""
        with problems_reported(as_json=as_json):
            operator = open_tenant(tenant)
            with tenant_transaction(operator.id):
                set_actor(find_actor())
                revoke_credential(tenant_id=operator.id, kind=kind, name=name, now=tenant_now(operator.id))
            if as_json:
                print_json({"name": name, "state": "revoked"})
            else:
                typer.echo(f"{name} is revoked.")

    @app.command("list")
    def show(tenant: TenantCode = None, as_json: AsJson = False) -> None:
        """List them, revoked ones too."""
        with problems_reported(as_json=as_json):
            operator = open_tenant(tenant)
            with tenant_transaction(operator.id):
                rows = find_credentials(tenant_id=operator.id, kind=kind)
                now = tenant_now(operator.id)
            listed = [_describe(row, now) for row in rows]
            if as_json:
                print_json(listed)
            else:
                _print_list(listed)

    return app


token_app = make_app(CredentialKind.TOKEN, help_text="API tokens: programs that send a secret of their own.")
client_app = make_app(CredentialKind.CLIENT, help_text="OAuth2 clients: programs that ask for short-lived tokens.")


def _read_day(text: str | None, operator: Tenant) -> datetime | None:
    """Return the instant at which a day begins for the operator."""
    day = parse_date(text, "--expires")
    return None if day is None else start_of_day(day, operator.time_zone)


def _print_secret(issued: IssuedSecret, *, as_json: bool) -> None:
    if as_json:
        head = {"name": issued.name, "client_id": issued.client_id, "secret": issued.secret}
        print_json({**head, "former_until": issued.former_until})
        return
    console = Console(highlight=False, soft_wrap=True)
    if issued.client_id:
        console.print(Text(f"Client id: {issued.client_id}"))
    console.print(Text(f"Secret:    {issued.secret}"))
    console.print(Text("It is not shown again: keep it where only the program reads it.", style="yellow"))
    if issued.former_until:
        console.print(Text(f"The former secret is valid until {issued.former_until:%Y-%m-%d %H:%M} UTC."))


def _describe(row: CredentialRow, now: datetime) -> dict[str, Any]:
    is_over = row.expires_at is not None and row.expires_at <= now
    state = "revoked" if row.revoked_at else "expired" if is_over else "valid"
    return {
        "name": row.name,
        "client_id": row.client_id,
        "state": state,
        "scopes": sorted(row.scopes),
        "created_by": row.created_by,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "rotated_at": row.rotated_at,
        "last_used_at": row.last_used_at,
    }


def _print_list(listed: list[dict[str, Any]]) -> None:
    table = Table("Name", "State", "Scopes", "Made by", "Expires", "Last used", box=None)
    for row in listed:
        days = (row[name] and f"{row[name]:%Y-%m-%d}" for name in ("expires_at", "last_used_at"))
        table.add_row(row["name"], row["state"], " ".join(row["scopes"]), row["created_by"], *days)
    Console(markup=False, highlight=False).print(table)
