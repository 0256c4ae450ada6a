"""Read the credentials of programs, and find whose a secret is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.party.rules import find_purpose, hash_secret
from coax.party.types import ApiScope, Caller, CredentialKind, CredentialRow, SecretPurpose

_CREDENTIALS: Final = """
SELECT c.id AS credential_id, c.kind, c.name, c.client_id, c.scopes, c.created_at, c.created_by, c.expires_at,
       c.rotated_at, c.revoked_at, u.last_used_at
  FROM party_api_credential c LEFT JOIN party_api_usage u ON u.credential_id = c.id
 WHERE c.tenant_id = %s
"""
_CALLER: Final = """
SELECT c.id, c.kind, c.name, c.client_id, c.scopes, s.scopes
  FROM party_api_secret s JOIN party_api_credential c ON c.tenant_id = s.tenant_id AND c.id = s.credential_id
 WHERE s.tenant_id = %(tenant_id)s AND s.hash = %(hash)s AND s.purpose = %(purpose)s AND c.revoked_at IS NULL
   AND coalesce(s.expires_at > %(now)s, true) AND coalesce(c.expires_at > %(now)s, true)
"""


class CredentialUnknown(DomainError):
    """The operator has no such token or client, or it is revoked."""

    code: ClassVar[str] = "credential_unknown"


def find_credentials(*, tenant_id: int, kind: CredentialKind) -> list[CredentialRow]:
    """Return the tokens or clients in the order of their names, revoked ones too; a transaction is open."""
    rows = fetch_dicts(f"{_CREDENTIALS} AND c.kind = %s ORDER BY c.name, c.id", [tenant_id, kind])
    return [_make_row(row) for row in rows]


def get_credential(*, tenant_id: int, kind: CredentialKind, name: str) -> CredentialRow:
    """Return the token or client of this name that is not revoked. Raises: CredentialUnknown."""
    rows = fetch_dicts(
        f"{_CREDENTIALS} AND c.kind = %s AND c.name = %s AND c.revoked_at IS NULL", [tenant_id, kind, name]
    )
    if not rows:
        raise CredentialUnknown(f"name: there is no {kind} {name!r} that is not revoked.", field="name", value=name)
    return _make_row(rows[0])


def find_tenant_of_secret(secret: str) -> int | None:
    """Return the key of the operator that a secret belongs to; needs no tenant, and tells nothing else."""
    if find_purpose(secret) is None:
        return None
    tenant_id: int | None = fetch_rows("SELECT coax_tenant_of_secret(%s)", [hash_secret(secret)])[0][0]
    return tenant_id


def find_caller(*, tenant_id: int, secret: str, purpose: SecretPurpose, now: datetime) -> Caller | None:
    """Return the program that a secret belongs to; None when the secret or the credential is over."""
    params = {"tenant_id": tenant_id, "hash": hash_secret(secret), "purpose": purpose, "now": now}
    rows = fetch_rows(_CALLER, params)
    if not rows:
        return None
    credential_id, kind, name, client_id, scopes, narrowed = rows[0]
    granted = read_scopes(scopes) if not narrowed else read_scopes(scopes) & read_scopes(narrowed)
    return Caller(tenant_id, credential_id, CredentialKind(kind), name, client_id, granted)


def read_scopes(text: str) -> frozenset[ApiScope]:
    """Return the scopes of a stored list; one that this version no longer has is left out."""
    return frozenset(ApiScope(word) for word in text.split() if word in set(ApiScope))


def _make_row(row: dict[str, Any]) -> CredentialRow:
    return CredentialRow(**{**row, "kind": CredentialKind(row["kind"]), "scopes": read_scopes(row["scopes"])})
