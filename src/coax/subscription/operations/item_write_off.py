"""Write an item off, for ever."""

from __future__ import annotations

from datetime import date

from coax.subscription.batch.items import move_item
from coax.subscription.queries.items import get_item
from coax.subscription.types.items import Deed, ItemRow, ItemState, ItemVerb, Place


def write_off_item(
    *,
    tenant_id: int,
    serial: str,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
) -> ItemRow:
    """Write an item off, for ever.

    Raises: ItemUnknown, ItemUnclear, ItemStateRefused, ItemMovedMeanwhile, ItemValueRefused.
    """
    deed = Deed(actor, performed_on, reason)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good)

    move_item(
        tenant_id=tenant_id,
        item=item,
        verb=ItemVerb.WRITE_OFF,
        to=ItemState.WRITTEN_OFF,
        place=Place(),
        deed=deed,
    )
    return get_item(tenant_id=tenant_id, serial=serial, good=item.good)
