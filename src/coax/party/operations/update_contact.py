"""Write what changes of a contact, if it is still as somebody saw it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from coax.base.audit import record_change
from coax.base.db import execute, fetch_dicts
from coax.base.errors import DomainError
from coax.party.queries.contacts import ContactUnknown
from coax.party.queries.stored import CONTACT_TEXTS
from coax.party.rules import find_changes

_STORED: Final = f"""
SELECT c.bucket, c.id, {", ".join(f"c.{name}" for name in CONTACT_TEXTS)}
  FROM party_contact_code d
  JOIN party_contact c ON c.bucket = (d.contact_id & 1023)::smallint AND c.id = d.contact_id
 WHERE d.tenant_id = %s AND d.code = %s FOR NO KEY UPDATE OF c
"""
_UPDATE: Final = f"""
UPDATE party_contact SET {", ".join(f"{name} = %({name})s" for name in CONTACT_TEXTS)}
 WHERE bucket = %(bucket)s AND id = %(id)s
"""


class ContactChanged(DomainError):
    """Somebody else changed the contact after it was looked at; `fields` are those that are no longer as expected."""

    code: ClassVar[str] = "contact_changed"


def update_contact(
    *, tenant_id: int, code: str, wanted: Mapping[str, str], expected: Mapping[str, str]
) -> tuple[str, ...]:
    """Write the wanted texts (some of `CONTACT_TEXTS`) of a contact; return the names of those that really changed.

    The row is locked, compared with `expected` and written in the open transaction of the tenant: of two who
    expected the same the second is told. The audit trail has what changed.

    Raises: ContactUnknown, ContactChanged.
    """
    rows = fetch_dicts(_STORED, [tenant_id, code])
    if not rows:
        raise ContactUnknown(f"There is no contact {code!r}.", contact=code)
    changes, stale = find_changes(stored=rows[0], wanted=wanted, expected=expected)
    if stale:
        raise ContactChanged(
            f"{stale[0]}: somebody else changed the contact {code!r} meanwhile ({', '.join(stale)}); "
            "nothing was changed. Look at it again.",
            field=stale[0],
            fields=stale,
        )
    if changes:
        execute(_UPDATE, {**rows[0], **changes})
        before = {name: rows[0][name] for name in changes}
        record_change(source="party_contact", subject=rows[0]["id"], before=before, after=changes)
    return tuple(changes)
