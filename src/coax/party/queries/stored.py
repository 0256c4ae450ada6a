"""What is stored of many contacts and accounts, as frames.

Codes have no line breaks; they travel as one text, which is quicker than an array.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from coax.base.db import fetch_rows

CONTACT_TEXTS: Final = ("name", "email", "phone", "street", "postal_code", "city", "country", "locale")
STORED_CONTACT_SCHEMA: Final[dict[str, Any]] = {
    "contact_code": pl.String,
    "contact_id": pl.Int64,
    **dict.fromkeys(CONTACT_TEXTS, pl.String),
}
STORED_ACCOUNT_SCHEMA: Final[dict[str, Any]] = {
    "account_code": pl.String,
    "account_id": pl.Int64,
    "contact_code": pl.String,
    "state": pl.String,
    "classification_id": pl.Int64,
    "currency": pl.String,
    "credit_limit_minor": pl.Int64,
    "credit_rating": pl.String,
    "credit_period_days": pl.Int64,
}


def has_contacts(*, tenant_id: int, using: str = "default") -> bool:
    """Tell whether the operator has any contact, and so perhaps accounts."""
    sql = "SELECT EXISTS (SELECT 1 FROM party_contact_code WHERE tenant_id = %s)"
    return bool(fetch_rows(sql, [tenant_id], using=using)[0][0])


def find_stored_contacts(*, tenant_id: int, codes: pl.Series, using: str = "default") -> pl.DataFrame:
    """Return the contacts that have one of the codes (`STORED_CONTACT_SCHEMA`), in the order of codes."""
    texts = ", ".join(f"c.{name}" for name in CONTACT_TEXTS)
    rows = fetch_rows(
        f"""SELECT d.code, d.contact_id, {texts}
              FROM party_contact_code d
              JOIN party_contact c ON c.bucket = (d.contact_id & 1023)::smallint AND c.id = d.contact_id
             WHERE d.tenant_id = %s AND d.code = ANY(string_to_array(%s, E'\\n')) ORDER BY d.code""",
        [tenant_id, "\n".join(codes)],
        using=using,
    )
    return pl.DataFrame(rows, schema=STORED_CONTACT_SCHEMA, orient="row")


def find_stored_accounts(*, tenant_id: int, codes: pl.Series, using: str = "default") -> pl.DataFrame:
    """Return the accounts that have one of the codes (`STORED_ACCOUNT_SCHEMA`), in the order of codes."""
    rows = fetch_rows(
        """SELECT d.code, a.account_id, c.code, a.state, a.classification_id, a.currency,
                  a.credit_limit_minor, a.credit_rating, a.credit_period_days
             FROM party_account_code d
             JOIN party_account a ON a.bucket = (d.account_id & 1023)::smallint AND a.account_id = d.account_id
             JOIN party_contact c ON c.bucket = a.bucket AND c.id = a.contact_id
            WHERE d.tenant_id = %s AND d.code = ANY(string_to_array(%s, E'\\n')) ORDER BY d.code""",
        [tenant_id, "\n".join(codes)],
        using=using,
    )
    return pl.DataFrame(rows, schema=STORED_ACCOUNT_SCHEMA, orient="row")
