"""Write what changes of an account's terms, if they are still as somebody saw them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from coax.base.audit import record_change
from coax.base.db import execute, fetch_dicts
from coax.base.errors import DomainError
from coax.party.queries.accounts import AccountUnknown
from coax.party.rules import find_changes

ACCOUNT_TERMS: Final = ("classification_id", "credit_limit_minor", "credit_rating", "credit_period_days")
_STORED: Final = f"""
SELECT a.bucket, a.account_id, {", ".join(f"a.{name}" for name in ACCOUNT_TERMS)}
  FROM party_account_code d
  JOIN party_account a ON a.bucket = (d.account_id & 1023)::smallint AND a.account_id = d.account_id
 WHERE d.tenant_id = %s AND d.code = %s FOR NO KEY UPDATE OF a
"""
_UPDATE: Final = f"""
UPDATE party_account SET revision = revision + 1, {", ".join(f"{name} = %({name})s" for name in ACCOUNT_TERMS)}
 WHERE bucket = %(bucket)s AND account_id = %(account_id)s
"""


class AccountTermsChanged(DomainError):
    """Somebody else changed the account after it was looked at; `fields` are the terms no longer as expected."""

    code: ClassVar[str] = "account_terms_changed"


def update_account(
    *, tenant_id: int, code: str, wanted: Mapping[str, Any], expected: Mapping[str, Any]
) -> tuple[str, ...]:
    """Write the wanted terms (some of `ACCOUNT_TERMS`) of an account; return the names of those that really changed.

    The row is locked, compared with `expected` and written in the open transaction of the tenant: of two who
    expected the same the second is told. A change raises the account's revision: a run that has read the account
    before will not post what it computed of it, and bills it the next time. The audit trail has what changed.

    Raises: AccountUnknown, AccountTermsChanged.
    """
    rows = fetch_dicts(_STORED, [tenant_id, code])
    if not rows:
        raise AccountUnknown(f"There is no account {code!r}.", account_code=code)
    changes, stale = find_changes(stored=rows[0], wanted=wanted, expected=expected)
    if stale:
        fields = tuple(map(name_term, stale))
        raise AccountTermsChanged(
            f"{fields[0]}: somebody else changed the account {code!r} meanwhile ({', '.join(fields)}); "
            "nothing was changed. Look at it again.",
            field=fields[0],
            fields=fields,
        )
    if changes:
        execute(_UPDATE, {**rows[0], **changes})
        before = {name: rows[0][name] for name in changes}
        record_change(source="party_account", subject=rows[0]["account_id"], before=before, after=changes)
    return tuple(map(name_term, changes))


def name_term(column: str) -> str:
    """Return what people call a term of an account: not by its key, not by its unit."""
    return column.removesuffix("_id").removesuffix("_minor")
