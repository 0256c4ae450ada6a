"""Keep an item for a subscription."""

from __future__ import annotations

from datetime import date

from coax.subscription.batch.items import move_item
from coax.subscription.operations.item_install import lock_live_subscription
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.items import get_item
from coax.subscription.types.items import Deed, ItemRow, ItemState, ItemVerb, Place


def reserve_item(
    *,
    tenant_id: int,
    serial: str,
    subscription: str,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
) -> ItemRow:
    """Keep an item for a subscription.

    Raises: ItemUnknown, ItemUnclear, SubscriptionUnknown, InstallationRefused, ItemStateRefused, ItemMovedMeanwhile,
    ItemValueRefused.
    """
    deed = Deed(actor, performed_on, reason)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good)
    key = get_subscription_key(tenant_id=tenant_id, code=subscription)
    lock_live_subscription(key, subscription)
    move_item(
        tenant_id=tenant_id,
        item=item,
        verb=ItemVerb.RESERVE,
        to=ItemState.RESERVED,
        place=Place(location_id=item.place.location_id, reserved_for=key.subscription_id),
        deed=deed,
    )
    return get_item(tenant_id=tenant_id, serial=serial, good=item.good)
