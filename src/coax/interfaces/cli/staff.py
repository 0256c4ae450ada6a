"""`coax staff`: who may log in to the console.

Exit codes: 0 in order; 1 refused; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from coax.base.audit import set_actor
from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.shared import AsJson, TenantCode, find_actor, open_tenant, print_json, problems_reported
from coax.party.operations.save_staff import add_staff, set_staff_password
from coax.party.queries.staff import find_staff
from coax.party.types import StaffRole, StaffRow

PASSWORD_VARIABLE: Final = "COAX_STAFF_PASSWORD"  # noqa: S105 - the name of it

app = typer.Typer(help="Staff of an operator: who may log in to the console.", no_args_is_help=True)

Username = Annotated[str, typer.Argument(help="User name: small letters, digits and . _ @ -")]


@app.command()
def add(
    username: Username,
    role: Annotated[StaffRole, typer.Option("--role", help="What they may do.")] = StaffRole.CLERK,
    tenant: TenantCode = None,
    full_name: Annotated[str, typer.Option("--name", help="Full name.")] = "",
    email: Annotated[str, typer.Option("--email", help="E-mail address.")] = "",
    unit: Annotated[str, typer.Option("--unit", help="Organisational unit; without one they see and sell all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a member of staff; the password is asked for, or taken from COAX_STAFF_PASSWORD."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        password = _read_password()
        with tenant_transaction(operator.id):
            set_actor(find_actor())
            add_staff(
                tenant_id=operator.id,
                username=username,
                role=role,
                password=password,
                full_name=full_name,
                email=email,
                organisational_unit=unit,
            )
        if as_json:
            print_json({"username": username, "role": role.value, "operator": operator.code})
        else:
            typer.echo(f"{username} is {role.value} of {operator.name}.")


@app.command()
def password(username: Username, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Give a member of staff a new password, asked for or taken from COAX_STAFF_PASSWORD."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        new = _read_password()
        with tenant_transaction(operator.id):
            set_actor(find_actor())
            set_staff_password(tenant_id=operator.id, username=username, password=new)
        if as_json:
            print_json({"username": username, "operator": operator.code})
        else:
            typer.echo(f"{username} has a new password.")


@app.command("list")
def show(tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """List the staff."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            rows = find_staff(tenant_id=operator.id)
        if as_json:
            print_json([_describe(row) for row in rows])
            return
        table = Table("User name", "Name", "E-mail", "Role", "Unit", "May log in", "Last log-in", box=None)
        for row in rows:
            known = _describe(row)
            table.add_row(*(str(known[name] or "") for name in known))
        Console(markup=False, highlight=False).print(table)


def _describe(row: StaffRow) -> dict[str, Any]:
    return {
        "username": row.username,
        "full_name": row.full_name,
        "email": row.email,
        "role": row.role.value,
        "unit": row.organisational_unit,
        "may_log_in": "yes" if row.is_active else "no",
        "last_login": row.last_login,
    }


def _read_password() -> str:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is not None:
        return given
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked
