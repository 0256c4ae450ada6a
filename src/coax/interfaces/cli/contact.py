"""`coax contact`: people and companies, what is known of one, and changing it.

Exit codes: 0 in order; 1 refused; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.account import report_change
from coax.interfaces.cli.shared import AsJson, TenantCode, find_actor, open_tenant, print_json, problems_reported
from coax.party.queries.contacts import ContactRow, get_contact
from coax.party.queries.stored import CONTACT_TEXTS
from coax.process.change_contact import change_contact

app = typer.Typer(help="Contacts: people and companies that have accounts.", no_args_is_help=True)
Code = Annotated[str, typer.Argument(metavar="CODE", help="Code of the contact.")]


@app.command()
def show(code: Code, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Show a contact, and the codes of its accounts."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            data = _describe(get_contact(tenant_id=operator.id, code=code))
        if as_json:
            print_json(data)
            return
        for name, value in data.items():
            text = ", ".join(value) if name == "accounts" else value
            if text:
                typer.echo(f"{name.replace('_', ' '):<12} {text}")


@app.command()
def change(
    code: Code,
    name: Annotated[str | None, typer.Option("--name", help="Name of the person or company.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="Address for e-mail.")] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="Phone number.")] = None,
    street: Annotated[str | None, typer.Option("--street", help="Street and number.")] = None,
    postal_code: Annotated[str | None, typer.Option("--postal-code", help="Postal code.")] = None,
    city: Annotated[str | None, typer.Option("--city", help="City.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="As bills print it.")] = None,
    locale: Annotated[
        str | None, typer.Option("--locale", help="Language and formats of bills, such as de_DE.")
    ] = None,
    tenant: TenantCode = None,
    as_json: AsJson = False,
) -> None:
    """Change what is known of a contact: what is not named stays, an empty text clears."""
    given = (name, email, phone, street, postal_code, city, country, locale)
    wanted = {key: text for key, text in zip(CONTACT_TEXTS, given, strict=True) if text is not None}
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            changed = change_contact(tenant=operator, contact_code=code, wanted=wanted, actor=find_actor())
            data = _describe(get_contact(tenant_id=operator.id, code=code))
        report_change(f"Contact {code}", data, changed, as_json=as_json)


def _describe(row: ContactRow) -> dict[str, Any]:
    return {"contact": row.code, **{name: getattr(row, name) for name in CONTACT_TEXTS}, "accounts": list(row.accounts)}
