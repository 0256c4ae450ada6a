"""Read the staff of an operator."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.base.tenancy import APP_ALIAS
from coax.party.types import StaffRole, StaffRow

_COLUMNS: Final = "id AS staff_id, username, full_name, email, role, is_active, last_login, organisational_unit"


class StaffUnknown(DomainError):
    """No member of staff has this user name."""

    code: ClassVar[str] = "staff_unknown"


def find_staff(*, tenant_id: int) -> list[StaffRow]:
    """Return the staff in the order of their user names; a transaction is open."""
    return _fetch(f"SELECT {_COLUMNS} FROM party_staff_member WHERE tenant_id = %s ORDER BY username", [tenant_id])


def get_staff(*, tenant_id: int, username: str) -> StaffRow:
    """Return the member of staff with this user name.

    Raises:
        StaffUnknown: there is none.
    """
    rows = _fetch(
        f"SELECT {_COLUMNS} FROM party_staff_member WHERE tenant_id = %s AND username = %s", [tenant_id, username]
    )
    if not rows:
        raise StaffUnknown(f"There is no member of staff {username!r}.", username=username)
    return rows[0]


def find_unit(*, tenant_id: int, username: str, using: str = APP_ALIAS) -> str | None:
    """Return the organisational unit of somebody who acts; None for who has none, or is no member of staff."""
    rows = fetch_rows(
        "SELECT organisational_unit FROM party_staff_member WHERE tenant_id = %s AND username = %s",
        [tenant_id, username],
        using=using,
    )
    return (rows[0][0] or None) if rows else None


def _fetch(sql: str, params: list[Any]) -> list[StaffRow]:
    return [StaffRow(**{**row, "role": StaffRole(row["role"])}) for row in fetch_dicts(sql, params)]
