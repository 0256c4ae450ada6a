"""Add the credential of a program, give it a new secret, revoke it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import IntegrityError, transaction

from coax.base.db import execute
from coax.base.errors import DomainError
from coax.party.models import ApiCredential, ApiSecret
from coax.party.queries.credentials import get_credential
from coax.party.rules import SECRET_PREFIXES, hash_secret
from coax.party.types import ApiScope, Caller, CredentialKind, IssuedSecret, SecretPurpose

SECRET_BYTES: Final = 32
CLIENT_ID_BYTES: Final = 12
NAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
GRACE_HOURS_MAX: Final = 24 * 90
ACCESS_TOKEN_S: Final = 3600


class CredentialNameTaken(DomainError):
    """Another token or client of the operator has this name."""

    code: ClassVar[str] = "credential_name_taken"


class CredentialValueInvalid(DomainError):
    """A value of a credential is not allowed; the message names it and what is."""

    code: ClassVar[str] = "credential_value_invalid"


def add_credential(
    *,
    tenant_id: int,
    kind: CredentialKind,
    name: str,
    scopes: Iterable[ApiScope],
    actor: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> IssuedSecret:
    """Add a token or client in the open transaction of the tenant; its secret is returned this once.

    Raises: CredentialNameTaken, CredentialValueInvalid.
    """
    wanted = sorted(set(scopes))
    _check(name, wanted, expires_at, now)
    client_id = f"coax_{secrets.token_hex(CLIENT_ID_BYTES)}" if kind is CredentialKind.CLIENT else None
    try:
        with transaction.atomic():
            credential = ApiCredential.objects.create(
                tenant_id=tenant_id,
                kind=kind.value,
                name=name,
                client_id=client_id,
                scopes=" ".join(wanted),
                created_at=now,
                created_by=actor,
                expires_at=expires_at,
            )
    except IntegrityError as error:
        raise CredentialNameTaken(f"name: there is a {kind} {name!r} already.", field="name", value=name) from error
    secret = _store_secret(tenant_id, credential.pk, SecretPurpose(kind.value), now=now)
    return IssuedSecret(name, client_id, secret)


def rotate_credential(
    *, tenant_id: int, kind: CredentialKind, name: str, grace_hours: int, now: datetime
) -> IssuedSecret:
    """Give a token or client a new secret; the present one stays valid for `grace_hours`, older ones end now.

    Raises: CredentialUnknown, CredentialValueInvalid.
    """
    if not 0 <= grace_hours <= GRACE_HOURS_MAX:
        _refuse("grace_hours", grace_hours, f"0 to {GRACE_HOURS_MAX}")
    row = get_credential(tenant_id=tenant_id, kind=kind, name=name)
    former_until = now + timedelta(hours=grace_hours)
    secrets_of_it = ApiSecret.objects.filter(
        tenant_id=tenant_id, credential_id=row.credential_id, purpose=SecretPurpose(kind.value).value
    )
    secrets_of_it.filter(expires_at__isnull=False).delete()
    secrets_of_it.update(expires_at=former_until)
    ApiCredential.objects.filter(tenant_id=tenant_id, pk=row.credential_id).update(rotated_at=now)
    secret = _store_secret(tenant_id, row.credential_id, SecretPurpose(kind.value), now=now)
    return IssuedSecret(name, row.client_id, secret, former_until)


def revoke_credential(*, tenant_id: int, kind: CredentialKind, name: str, now: datetime) -> None:
    """Revoke a token or client: from now on none of its secrets opens anything. Raises: CredentialUnknown."""
    row = get_credential(tenant_id=tenant_id, kind=kind, name=name)
    ApiCredential.objects.filter(tenant_id=tenant_id, pk=row.credential_id).update(revoked_at=now)
    ApiSecret.objects.filter(tenant_id=tenant_id, credential_id=row.credential_id).delete()


def issue_access_token(caller: Caller, *, scopes: frozenset[ApiScope], now: datetime) -> str:
    """Return a bearer token of a client, valid for `ACCESS_TOKEN_S`; those of it that are over are forgotten."""
    execute(
        """DELETE FROM party_api_secret WHERE tenant_id = %s AND credential_id = %s AND purpose = %s
           AND expires_at <= %s""",
        [caller.tenant_id, caller.credential_id, SecretPurpose.ACCESS, now],
    )
    return _store_secret(
        caller.tenant_id,
        caller.credential_id,
        SecretPurpose.ACCESS,
        now=now,
        expires_at=now + timedelta(seconds=ACCESS_TOKEN_S),
        scopes=" ".join(sorted(scopes)),
    )


def _store_secret(
    tenant_id: int,
    credential_id: int,
    purpose: SecretPurpose,
    *,
    now: datetime,
    expires_at: datetime | None = None,
    scopes: str = "",
) -> str:
    secret = SECRET_PREFIXES[purpose] + secrets.token_urlsafe(SECRET_BYTES)
    ApiSecret.objects.create(
        hash=hash_secret(secret),
        tenant_id=tenant_id,
        credential_id=credential_id,
        purpose=purpose.value,
        scopes=scopes,
        created_at=now,
        expires_at=expires_at,
    )
    return secret


def _check(name: str, scopes: list[ApiScope], expires_at: datetime | None, now: datetime) -> None:
    if not NAME_PATTERN.fullmatch(name):
        _refuse("name", name, "small letters, digits and . _ -, at most 64")
    if not scopes:
        _refuse("scopes", "none", f"one or more of {', '.join(ApiScope)}")
    if expires_at is not None and expires_at <= now:
        _refuse(
            "expires_at", f"{expires_at:%Y-%m-%d %H:%M}", f"after {now:%Y-%m-%d %H:%M}, the operator's present time"
        )


def _refuse(field: str, value: object, allowed: str) -> None:
    message = f"{field}: {value} is not allowed; allowed is: {allowed}."
    raise CredentialValueInvalid(message, field=field, value=value, allowed=allowed)
