"""Take an item back from a subscription, to be tested or defective."""

from __future__ import annotations

from datetime import date

from coax.base.tenancy import APP_ALIAS
from coax.subscription.batch.items import close_installation, move_item
from coax.subscription.queries.items import get_item
from coax.subscription.queries.locations import get_location_id
from coax.subscription.rules.items import check_verb
from coax.subscription.types.items import Deed, ItemCondition, ItemRow, ItemState, ItemVerb, Place


def return_item(
    *,
    tenant_id: int,
    serial: str,
    location: str,
    condition: ItemCondition = ItemCondition.USED,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
    using: str = APP_ALIAS,
) -> ItemRow:
    """Take an item back from a subscription, to be tested or defective.

    Raises: ItemUnknown, ItemUnclear, ItemStateRefused, ItemMovedMeanwhile, ItemValueRefused.
    """
    deed = Deed(actor, performed_on, reason)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good, using=using)
    check_verb(ItemVerb.RETURN, state=item.state, serial=serial)
    close_installation(tenant_id=tenant_id, item=item, deed=deed, using=using)
    move_item(
        tenant_id=tenant_id,
        item=item,
        verb=ItemVerb.RETURN,
        to=ItemState.DEFECTIVE if condition is ItemCondition.DEFECTIVE else ItemState.RETURNED,
        place=Place(location_id=get_location_id(tenant_id=tenant_id, code=location, using=using)),
        deed=deed,
        condition=condition,
        using=using,
    )
    return get_item(tenant_id=tenant_id, serial=serial, good=item.good, using=using)
