"""Pair two items of one subscription, such as a decoder and its smart card."""

from __future__ import annotations

from datetime import date

from coax.base.db import fetch_rows
from coax.base.ids import bucket_of
from coax.subscription.batch.items import move_item, pair_installations
from coax.subscription.queries.items import get_item
from coax.subscription.types.items import Deed, ItemState, ItemValueRefused, ItemVerb


def pair_items(
    *,
    tenant_id: int,
    serial: str,
    other: str,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
    other_good: str | None = None,
) -> None:
    """Pair two installed items that have no pair yet; both keep their place, and remember it.

    Raises: ItemUnknown, ItemUnclear, ItemValueRefused, ItemMovedMeanwhile.
    """
    deed = Deed(actor, performed_on, reason)
    first = get_item(tenant_id=tenant_id, serial=serial, good=good)
    second = get_item(tenant_id=tenant_id, serial=other, good=other_good)
    account_id = first.place.account_id
    place = first.place.subscription_id
    if account_id is None or place is None or place != second.place.subscription_id or first == second:
        message = f"other: {other!r} is not allowed; allowed is another item on the subscription of {serial!r}."
        raise ItemValueRefused(message, field="other", value=other)
    rows = fetch_rows(
        """SELECT id, paired_id FROM subscription_installed_item WHERE bucket = %s AND account_id = %s
           AND item_id = ANY(%s) AND installed_to IS NULL ORDER BY id FOR UPDATE""",
        [bucket_of(account_id), account_id, [first.item_id, second.item_id]],
    )
    if len(rows) != len({first.item_id, second.item_id}):
        raise ItemValueRefused("other: one of the items has been taken away meanwhile; look again.", field="other")
    if any(row[1] for row in rows):
        raise ItemValueRefused("other: one of the items has a pair already; unpair it first.", field="other")
    for item in sorted((first, second), key=lambda one: one.item_id):
        move_item(
            tenant_id=tenant_id,
            item=item,
            verb=ItemVerb.PAIR,
            to=ItemState.INSTALLED,
            place=item.place,
            deed=deed,
        )
    pair_installations(account_id=account_id, first=rows[0][0], second=rows[1][0])
