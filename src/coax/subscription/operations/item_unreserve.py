"""Keep an item for nobody any more."""

from __future__ import annotations

from datetime import date

from coax.subscription.batch.items import move_item
from coax.subscription.queries.items import get_item
from coax.subscription.types.items import Deed, ItemRow, ItemState, ItemVerb, Place


def unreserve_item(
    *,
    tenant_id: int,
    serial: str,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
) -> ItemRow:
    """Keep an item for nobody any more.

    Raises: ItemUnknown, ItemUnclear, ItemStateRefused, ItemMovedMeanwhile, ItemValueRefused.
    """
    deed = Deed(actor, performed_on, reason)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good)

    move_item(
        tenant_id=tenant_id,
        item=item,
        verb=ItemVerb.UNRESERVE,
        to=ItemState.IN_STOCK,
        place=Place(location_id=item.place.location_id),
        deed=deed,
    )
    return get_item(tenant_id=tenant_id, serial=serial, good=item.good)
