"""Locations of stock."""

from __future__ import annotations

from typing import Any, ClassVar

from coax.base.db import fetch_dicts
from coax.base.errors import DomainError
from coax.base.tenancy import APP_ALIAS


class LocationUnknown(DomainError):
    """No location has this code; `allowed` lists those there are."""

    code: ClassVar[str] = "location_unknown"


def find_locations(*, tenant_id: int, using: str = APP_ALIAS) -> list[dict[str, Any]]:
    """Return the locations in the order of their codes."""
    return fetch_dicts(
        """SELECT l.id, l.code, l.name, l.is_consigned, e.code AS organisational_unit
           FROM subscription_stock_location l
           LEFT JOIN configuration_entity e ON e.id = l.organisational_unit_id
           WHERE l.tenant_id = %s ORDER BY l.code""",
        [tenant_id],
        using=using,
    )


def get_location_id(*, tenant_id: int, code: str, using: str = APP_ALIAS) -> int:
    """Return the key of a location. Raises: LocationUnknown."""
    known = {row["code"]: int(row["id"]) for row in find_locations(tenant_id=tenant_id, using=using)}
    if code not in known:
        allowed = ", ".join(known) or "none yet; `coax location add` makes one"
        message = f"location: {code!r} is unknown; there are: {allowed}."
        raise LocationUnknown(message, field="location", value=code, allowed=allowed)
    return known[code]
