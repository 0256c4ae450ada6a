"""Values of the party domain: roles of staff, facts about accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class StaffRole(StrEnum):
    """What a member of staff may do in the console."""

    CLERK = "clerk"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Right(StrEnum):
    """One thing that a role allows."""

    READ = "read"
    WORK_ACCOUNTS = "work_accounts"
    RUN_BILLING = "run_billing"
    CONFIGURE = "configure"
    MANAGE_STAFF = "manage_staff"


RIGHTS_OF_ROLE: Final[dict[StaffRole, frozenset[Right]]] = {
    StaffRole.AUDITOR: frozenset({Right.READ}),
    StaffRole.CLERK: frozenset({Right.READ, Right.WORK_ACCOUNTS}),
    StaffRole.SUPERVISOR: frozenset({Right.READ, Right.WORK_ACCOUNTS, Right.RUN_BILLING}),
    StaffRole.ADMINISTRATOR: frozenset(Right),
}


class AccountState(StrEnum):
    """Life cycle of an account receivable (reference 6.1)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class ApiScope(StrEnum):
    """One part of the API that a credential may read or write."""

    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    BILLS_READ = "bills:read"
    CONFIGURATION_READ = "configuration:read"
    CONFIGURATION_WRITE = "configuration:write"
    ITEMS_READ = "items:read"
    ITEMS_WRITE = "items:write"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    PAYMENTS_WRITE = "payments:write"
    PROCESSES_READ = "processes:read"
    PROCESSES_WRITE = "processes:write"
    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"


class CredentialKind(StrEnum):
    """How a program proves who it is: by a token of its own, or as an OAuth2 client that asks for short-lived ones."""

    TOKEN = "token"  # noqa: S105 - the name of it
    CLIENT = "client"


class SecretPurpose(StrEnum):
    """What a secret opens: the API (`token`, `access`), or only the OAuth2 token endpoint (`client`)."""

    TOKEN = "token"  # noqa: S105 - the name of it
    CLIENT = "client"
    ACCESS = "access"


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential of a program as read; its secrets are nowhere."""

    credential_id: int
    kind: CredentialKind
    name: str
    client_id: str | None
    scopes: frozenset[ApiScope]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    rotated_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A new secret, shown this once; `former_until` is when the one before it ends, if there is one."""

    name: str
    client_id: str | None
    secret: str
    former_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """The program behind a request: whose it is and what it may do."""

    tenant_id: int
    credential_id: int
    kind: CredentialKind
    name: str
    client_id: str | None
    scopes: frozenset[ApiScope]

    @property
    def actor(self) -> str:
        """Return its name as the records of actions and the audit trail show it."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with its contact, as read."""

    account_id: int
    code: str
    state: AccountState
    classification_id: int | None
    currency: str
    credit_limit_minor: int | None
    credit_rating: str
    credit_period_days: int
    contact_id: int
    contact_code: str
    name: str
    email: str
    phone: str
    street: str
    postal_code: str
    city: str
    country: str
    locale: str


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A member of staff as read."""

    staff_id: int
    username: str
    full_name: str
    email: str
    role: StaffRole
    is_active: bool
    last_login: datetime | None
    organisational_unit: str = ""
