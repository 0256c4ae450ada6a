"""Part two paired items."""

from __future__ import annotations

from coax.base.db import execute
from coax.base.ids import bucket_of
from coax.subscription.queries.items import get_item


def unpair_item(*, tenant_id: int, serial: str) -> None:
    """Part an item from its pair; without one nothing happens. Raises: ItemUnknown, ItemUnclear."""
    item = get_item(tenant_id=tenant_id, serial=serial)
    if item.place.account_id is None:
        return
    place = {"bucket": bucket_of(item.place.account_id), "account": item.place.account_id, "item": item.item_id}
    execute(
        """WITH mine AS (SELECT id, paired_id FROM subscription_installed_item WHERE bucket = %(bucket)s
               AND account_id = %(account)s AND item_id = %(item)s AND installed_to IS NULL)
           UPDATE subscription_installed_item n SET paired_id = NULL FROM mine WHERE n.bucket = %(bucket)s
               AND n.account_id = %(account)s AND n.id IN (mine.id, mine.paired_id)""",
        place,
    )
