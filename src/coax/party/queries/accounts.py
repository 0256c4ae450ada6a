"""Find accounts the way a clerk does, and get one by its code."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.base.tenancy import tenant_transaction
from coax.party.rules import read_search_terms
from coax.party.types import AccountRow, AccountState

PAGE_ROWS: Final = 50
PAGE_ROWS_MAX: Final = 1000

_COLUMNS: Final = """
    a.account_id, a.code, a.state, a.classification_id, a.currency, a.credit_limit_minor, a.credit_rating,
    a.credit_period_days, a.contact_id, c.code AS contact_code, c.name, c.email, c.phone, c.street, c.postal_code,
    c.city, c.country, c.locale
"""
_BY_KEY: Final = f"""
SELECT {_COLUMNS}
  FROM {{keys}} AS key
  JOIN party_account a ON a.bucket = (key.account_id & 1023)::smallint AND a.account_id = key.account_id
  JOIN party_contact c ON c.bucket = a.bucket AND c.id = a.contact_id
 ORDER BY a.code
"""
_BY_CODE: Final = "(SELECT account_id FROM party_account_code WHERE tenant_id = %(tenant_id)s AND code = %(code)s)"
_PAGE: Final = """(
    SELECT account_id FROM party_account_code
     WHERE tenant_id = %(tenant_id)s AND code > %(after)s ORDER BY code LIMIT %(limit)s)"""
_FOUND: Final = """(
    SELECT account_id FROM (
        SELECT code, account_id FROM party_account_code
         WHERE tenant_id = %(tenant_id)s AND code LIKE ANY(%(codes)s)
        UNION
        SELECT a.code, a.account_id
          FROM party_contact c JOIN party_account a ON a.bucket = c.bucket AND a.contact_id = c.id
         WHERE c.tenant_id = %(tenant_id)s
           AND (lower(c.name) LIKE %(text)s OR lower(c.email) LIKE %(text)s
                OR (%(phone)s <> '' AND regexp_replace(c.phone, '[^0-9]', '', 'g') LIKE %(phone)s))
    ) AS hit
     WHERE code > %(after)s ORDER BY code LIMIT %(limit)s)"""


class AccountUnknown(DomainError):
    """No account of the operator has this code."""

    code: ClassVar[str] = "account_unknown"


def find_accounts(*, tenant_id: int, text: str = "", limit: int = PAGE_ROWS, after: str = "") -> list[AccountRow]:
    """Return a page of accounts in the order of their codes, at most `PAGE_ROWS_MAX`.

    `text` is the beginning of an account's code or of its contact's name or e-mail, or part of the phone number;
    without it all accounts are listed. `after` is the code of the last account of the page before.
    """
    terms = read_search_terms(text)
    params = {
        "tenant_id": tenant_id,
        "after": after,
        "limit": min(limit, PAGE_ROWS_MAX),
        "codes": list(terms.codes),
        "text": terms.text,
        "phone": terms.phone_digits,
    }
    return _fetch(_FOUND if text.strip() else _PAGE, params)


def get_account(tenant_id: int, code: str) -> AccountRow:
    """Return the account with this code.

    Raises: AccountUnknown.
    """
    rows = _fetch(_BY_CODE, {"tenant_id": tenant_id, "code": code})
    if not rows:
        raise AccountUnknown(f"There is no account {code!r}.", account_code=code)
    return rows[0]


def get_account_code(*, tenant_id: int, account_id: int) -> str:
    """Return the code of an account by its key. Raises: AccountUnknown."""
    rows = fetch_dicts(
        "SELECT code FROM party_account WHERE bucket = %s AND account_id = %s AND tenant_id = %s",
        [bucket_of(account_id), account_id, tenant_id],
    )
    if not rows:
        raise AccountUnknown(f"There is no account with the key {account_id}.", account=account_id)
    return str(rows[0]["code"])


def find_account_codes(*, tenant_id: int, account_ids: Collection[int]) -> dict[int, str]:
    """Return the codes of accounts by their keys; a transaction is open."""
    rows = fetch_rows(
        "SELECT account_id, code FROM party_account WHERE tenant_id = %s AND bucket = ANY(%s) AND account_id = ANY(%s)",
        [tenant_id, sorted({bucket_of(account_id) for account_id in account_ids}), list(account_ids)],
    )
    return dict(rows)


def _fetch(keys: str, params: dict[str, Any]) -> list[AccountRow]:
    with tenant_transaction(params["tenant_id"]):
        rows = fetch_dicts(_BY_KEY.format(keys=keys), params)
    return [AccountRow(**{**row, "state": AccountState(row["state"])}) for row in rows]
