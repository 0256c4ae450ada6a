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
