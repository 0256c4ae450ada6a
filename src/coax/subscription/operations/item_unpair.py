"""Part two paired items."""

from __future__ import annotations

from datetime import date

from coax.base.db import execute, fetch_rows
from coax.base.ids import bucket_of
from coax.subscription.batch.items import move_item
from coax.subscription.queries.items import get_item
from coax.subscription.rules.items import check_verb
from coax.subscription.types.items import Deed, ItemState, ItemValueRefused, ItemVerb


def unpair_item(
    *, tenant_id: int, serial: str, actor: str, performed_on: date, reason: str, good: str | None = None
) -> None:
    """Part an item from its pair; both keep their place, and remember it.

    Raises: ItemUnknown, ItemUnclear, ItemStateRefused, ItemValueRefused, ItemMovedMeanwhile.
    """
    deed = Deed(actor, performed_on, reason)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good)
    check_verb(ItemVerb.UNPAIR, state=item.state, serial=serial)
    account_id = item.place.account_id or 0
    rows = fetch_rows(
        """SELECT n.id, p.id, i.serial, e.code FROM subscription_installed_item n
           JOIN subscription_installed_item p
             ON p.bucket = n.bucket AND p.account_id = n.account_id AND p.id = n.paired_id
           JOIN subscription_stock_item i ON i.tenant_id = p.tenant_id AND i.id = p.item_id
           JOIN configuration_entity e ON e.id = i.product_id
           WHERE n.bucket = %s AND n.account_id = %s AND n.item_id = %s AND n.installed_to IS NULL""",
        [bucket_of(account_id), account_id, item.item_id],
    )
    if not rows:
        message = f"serial: item {serial!r} has no pair; allowed is a paired item."
        raise ItemValueRefused(message, field="serial", value=serial)
    own, others, other_serial, other_good = rows[0]
    other = get_item(tenant_id=tenant_id, serial=other_serial, good=other_good)
    for one in sorted((item, other), key=lambda found: found.item_id):
        move_item(
            tenant_id=tenant_id, item=one, verb=ItemVerb.UNPAIR, to=ItemState.INSTALLED, place=one.place, deed=deed
        )
    execute(
        """UPDATE subscription_installed_item SET paired_id = NULL
           WHERE bucket = %s AND account_id = %s AND id = ANY(%s)""",
        [bucket_of(account_id), account_id, [own, others]],
    )
