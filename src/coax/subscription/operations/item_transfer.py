"""Move an item to another location."""

from __future__ import annotations

from datetime import date

from coax.subscription.batch.items import move_item
from coax.subscription.queries.items import get_item
from coax.subscription.queries.locations import get_location_id
from coax.subscription.types.items import Deed, ItemRow, ItemVerb, Place


def transfer_item(
    *,
    tenant_id: int,
    serial: str,
    location: str,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
) -> ItemRow:
    """Move an item to another location.

    Raises: ItemUnknown, ItemUnclear, ItemStateRefused, ItemMovedMeanwhile, ItemValueRefused.
    """
    deed = Deed(actor, performed_on, reason)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good)

    move_item(
        tenant_id=tenant_id,
        item=item,
        verb=ItemVerb.TRANSFER,
        to=item.state,
        place=Place(
            location_id=get_location_id(tenant_id=tenant_id, code=location), reserved_for=item.place.reserved_for
        ),
        deed=deed,
    )
    return get_item(tenant_id=tenant_id, serial=serial, good=item.good)
