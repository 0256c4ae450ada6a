"""Say that an item is lost."""

from __future__ import annotations

from datetime import date

from coax.subscription.batch.items import close_installation, move_item
from coax.subscription.queries.items import get_item
from coax.subscription.rules.items import check_verb
from coax.subscription.types.items import Deed, ItemRow, ItemState, ItemVerb, Place


def lose_item(
    *,
    tenant_id: int,
    serial: str,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
) -> ItemRow:
    """Say that an item is lost.

    Raises: ItemUnknown, ItemUnclear, ItemStateRefused, ItemMovedMeanwhile, ItemValueRefused.
    """
    deed = Deed(actor, performed_on, reason)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good)
    check_verb(ItemVerb.LOSE, state=item.state, serial=serial)
    close_installation(tenant_id=tenant_id, item=item, deed=deed)
    move_item(tenant_id=tenant_id, item=item, verb=ItemVerb.LOSE, to=ItemState.LOST, place=Place(), deed=deed)
    return get_item(tenant_id=tenant_id, serial=serial, good=item.good)
