"""Contacts: people and companies, with their accounts."""

from __future__ import annotations

from typing import Any

from ninja import Query

from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.resource import Resource
from coax.interfaces.api.rest.values import Code, Model
from coax.party.queries import CONTACT_TEXTS
from coax.party.queries.contacts import ContactRow, find_contacts, get_contact
from coax.party.types import ApiScope

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


def _describe(row: ContactRow) -> dict[str, Any]:
    texts = {name: getattr(row, name) for name in CONTACT_TEXTS}
    return {"contact": row.code, **texts, "accounts": list(row.accounts)}
