"""Say what testing an item found: used goes to stock, defective does not."""

from __future__ import annotations

from datetime import date

from coax.subscription.batch.items import move_item
from coax.subscription.queries.items import get_item
from coax.subscription.types.items import Deed, ItemCondition, ItemRow, ItemState, ItemValueRefused, ItemVerb, Place


def record_item_test(
    *,
    tenant_id: int,
    serial: str,
    condition: ItemCondition,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
) -> ItemRow:
    """Say what testing an item found: used goes to stock, defective does not.

    Raises: ItemUnknown, ItemUnclear, ItemStateRefused, ItemMovedMeanwhile, ItemValueRefused.
    """
    deed = Deed(actor, performed_on, reason)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good)
    if condition is ItemCondition.NEW:
        allowed = "used, defective"
        message = f"condition: {condition} is not allowed, item {serial!r} was in use; allowed are {allowed}."
        raise ItemValueRefused(message, field="condition", value=condition, allowed=allowed)
    move_item(
        tenant_id=tenant_id,
        item=item,
        verb=ItemVerb.TEST,
        to=ItemState.DEFECTIVE if condition is ItemCondition.DEFECTIVE else ItemState.IN_STOCK,
        place=Place(location_id=item.place.location_id),
        deed=deed,
        condition=condition,
    )
    return get_item(tenant_id=tenant_id, serial=serial, good=item.good)
