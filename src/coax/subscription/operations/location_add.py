"""Add a location of stock."""

from __future__ import annotations

from coax.base.db import execute
from coax.base.numbers import next_ids
from coax.configuration.queries import get_entity
from coax.subscription.types.items import ItemValueRefused


def add_location(*, tenant_id: int, code: str, name: str, unit: str | None = None, is_consigned: bool = False) -> int:
    """Add a warehouse or shop, of an organisational unit or of none. Raises: ItemValueRefused, EntityNotFound."""
    if not code.strip() or not name.strip():
        raise ItemValueRefused("code, name: may not be empty.", field="code", value=code)
    unit_id = get_entity("organisational_unit", unit).entity_id if unit else None
    key = next_ids("base_object_seq", 1)[0]
    added = execute(
        """INSERT INTO subscription_stock_location (tenant_id, id, code, name, is_consigned, organisational_unit_id)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (tenant_id, code) DO NOTHING""",
        [tenant_id, key, code, name, is_consigned, unit_id],
    )
    if not added:
        raise ItemValueRefused(f"code: there is a location {code!r} already.", field="code", value=code)
    return key
