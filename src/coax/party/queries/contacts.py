"""Contacts: one by its code with its accounts, pages of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of

PAGE_ROWS: Final = 50
PAGE_ROWS_MAX: Final = 1000
_CONTACTS: Final = """
SELECT c.code, c.name, c.email, c.phone, c.street, c.postal_code, c.city, c.country, c.locale,
       array(SELECT a.code FROM party_account a WHERE a.bucket = c.bucket AND a.contact_id = c.id ORDER BY a.code)
           AS accounts
  FROM {keys} AS key JOIN party_contact c ON c.bucket = (key.contact_id & 1023)::smallint AND c.id = key.contact_id
 ORDER BY c.code
"""
_PAGE: Final = """(SELECT contact_id FROM party_contact_code
    WHERE tenant_id = %(tenant_id)s AND code > %(after)s ORDER BY code LIMIT %(limit)s)"""
_BY_CODE: Final = "(SELECT contact_id FROM party_contact_code WHERE tenant_id = %(tenant_id)s AND code = %(code)s)"


class ContactUnknown(DomainError):
    """No contact of the operator has this code."""

    code: ClassVar[str] = "contact_unknown"


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A person or company with the codes of their accounts, as read."""

    code: str
    name: str
    email: str
    phone: str
    street: str
    postal_code: str
    city: str
    country: str
    locale: str
    accounts: tuple[str, ...]


def find_contacts(*, tenant_id: int, after: str = "", limit: int = PAGE_ROWS) -> list[ContactRow]:
    """Return a page of contacts in the order of their codes; `after` is the last code of the page before."""
    params = {"tenant_id": tenant_id, "after": after, "limit": min(limit, PAGE_ROWS_MAX)}
    return [_make_row(row) for row in fetch_dicts(_CONTACTS.format(keys=_PAGE), params)]


def get_contact(*, tenant_id: int, code: str) -> ContactRow:
    """Return the contact with this code; a transaction is open. Raises: ContactUnknown."""
    rows = fetch_dicts(_CONTACTS.format(keys=_BY_CODE), {"tenant_id": tenant_id, "code": code})
    if not rows:
        raise ContactUnknown(f"There is no contact {code!r}.", contact=code)
    return _make_row(rows[0])


def find_contact_codes(*, tenant_id: int, contact_ids: Collection[int]) -> dict[int, str]:
    """Return the codes of contacts by their keys; a transaction is open."""
    rows = fetch_rows(
        "SELECT id, code FROM party_contact WHERE tenant_id = %s AND bucket = ANY(%s) AND id = ANY(%s)",
        [tenant_id, sorted({bucket_of(contact_id) for contact_id in contact_ids}), list(contact_ids)],
    )
    return dict(rows)


def _make_row(row: dict[str, Any]) -> ContactRow:
    return ContactRow(**{**row, "accounts": tuple(row["accounts"])})
