"""Change what is known of a contact, held to what an import allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from coax.base.audit import acting_as
from coax.base.errors import DomainError
from coax.base.tenancy import Tenant, tenant_transaction
from coax.party.operations.update_contact import update_contact
from coax.party.queries.contacts import get_contact
from coax.process.check_customer import find_allowed_text


class ContactRefused(DomainError):
    """A text of a contact is not allowed; `field`, `value` and `allowed` say which and what is."""

    code: ClassVar[str] = "contact_refused"


def change_contact(
    *,
    tenant: Tenant,
    contact_code: str,
    wanted: Mapping[str, str],
    actor: str,
    expected: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Change some texts of a contact (`CONTACT_TEXTS`, empty for none); return the names of those that changed.

    What is not named stays, and what is there already is not asked about. Of `expected`, texts as somebody saw
    them, all have to be there still. Bills show the contact as it was when they were posted.

    Raises: ContactUnknown, ContactRefused, ContactChanged.
    """
    with tenant_transaction(tenant.id), acting_as(actor):
        row = get_contact(tenant_id=tenant.id, code=contact_code)
        for name, text in wanted.items():
            allowed = find_allowed_text(name, text) if text and text != getattr(row, name) else None
            if allowed is not None:
                message = f"{name}: {text!r} is not allowed; allowed is: {allowed}."
                raise ContactRefused(message, field=name, value=text, allowed=allowed)
        return update_contact(tenant_id=tenant.id, code=contact_code, wanted=wanted, expected=expected or {})
