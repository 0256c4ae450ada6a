"""Take a lost item that turned up to a location, to be tested."""

from __future__ import annotations

from datetime import date

from coax.subscription.batch.items import move_item
from coax.subscription.queries.items import get_item
from coax.subscription.queries.locations import get_location_id
from coax.subscription.types.items import Deed, ItemRow, ItemState, ItemVerb, Place


def find_lost_item(
    *,
    tenant_id: int,
    serial: str,
    location: str,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
) -> ItemRow:
    """Take a lost item that turned up to a location, to be tested.

    Raises: ItemUnknown, ItemUnclear, ItemStateRefused, ItemMovedMeanwhile, ItemValueRefused.
    """
    deed = Deed(actor, performed_on, reason)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good)

    move_item(
        tenant_id=tenant_id,
        item=item,
        verb=ItemVerb.FIND,
        to=ItemState.RETURNED,
        place=Place(location_id=get_location_id(tenant_id=tenant_id, code=location)),
        deed=deed,
    )
    return get_item(tenant_id=tenant_id, serial=serial, good=item.good)
