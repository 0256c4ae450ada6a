"""Contacts: people and companies, with their accounts; what is known of one changes."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Query
from pydantic import Field

from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.resource import Resource
from coax.interfaces.api.rest.values import Code, Model, Text
from coax.party.queries import CONTACT_TEXTS
from coax.party.queries.contacts import ContactRow, find_contacts, get_contact
from coax.party.types import ApiScope
from coax.process.change_contact import change_contact

resource = Resource("Contacts")


class Contact(Model):
    """A person or company."""

    contact: str
    name: str
    email: str
    phone: str
    street: str
    postal_code: str
    city: str
    country: str
    locale: str
    accounts: list[str]


class ContactPage(Page[Contact]):
    """A page of contacts in the order of their codes."""


class ContactTexts(Model):
    """Texts of a contact; null or empty for none."""

    name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    street: Text | None = None
    postal_code: Text | None = None
    city: Text | None = None
    country: Text | None = None
    locale: Annotated[Text | None, Field(description="Such as de_DE.")] = None


class ContactChange(ContactTexts):
    """What changes of a contact: members left out stay, null clears (RFC 7396)."""

    expected: Annotated[
        ContactTexts | None, Field(description="Texts as you saw them; where one is another by now nothing changes.")
    ] = None


@resource.read("", scope=ApiScope.ACCOUNTS_READ, answer=ContactPage)
def list_contacts(request: ApiRequest, page: Query[PageRequest]) -> dict[str, Any]:
    """List contacts."""
    after = read_place(request, page) or ""
    rows = find_contacts(tenant_id=request.tenant.id, after=after, limit=page.limit + 1)
    return make_page(request, page, rows, place=lambda row: row.code, describe=_describe)


@resource.read("/{path:contact}", scope=ApiScope.ACCOUNTS_READ, answer=Contact)
def get_contact_with_accounts(request: ApiRequest, contact: Code) -> dict[str, Any]:
    """Show a contact with the codes of its accounts."""
    return _describe(get_contact(tenant_id=request.tenant.id, code=contact))


@resource.write("/{path:contact}", scope=ApiScope.ACCOUNTS_WRITE, answer=Contact, method="PATCH")
def alter_contact(request: ApiRequest, contact: Code, body: ContactChange) -> dict[str, Any]:
    """Change what is known of a contact.

    Bills show it as it was when they were posted.
    """
    change_contact(
        tenant=request.tenant,
        contact_code=contact,
        wanted=_list_texts(body),
        expected=_list_texts(body.expected) if body.expected else None,
        actor=request.caller.actor,
    )
    return _describe(get_contact(tenant_id=request.tenant.id, code=contact))


def _list_texts(given: ContactTexts) -> dict[str, str]:
    """Return the texts that were given, null as empty."""
    return {name: text or "" for name, text in given.model_dump(exclude={"expected"}, exclude_unset=True).items()}


def _describe(row: ContactRow) -> dict[str, Any]:
    texts = {name: getattr(row, name) for name in CONTACT_TEXTS}
    return {"contact": row.code, **texts, "accounts": list(row.accounts)}
