"""Swap an installed item for one from stock; its pairing goes over to the new one."""

from __future__ import annotations

from datetime import date
from typing import Any

from coax.base.db import fetch_rows
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.subscription.batch.items import pair_installations
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_return import return_item
from coax.subscription.queries.items import get_item
from coax.subscription.rules.items import check_verb
from coax.subscription.types.items import ItemCondition, ItemValueRefused, ItemVerb


def swap_item(
    *,
    tenant_id: int,
    old: str,
    new: str,
    location: str,
    condition: ItemCondition,
    actor: str,
    performed_on: date,
    reason: str,
    subscription_id: int | None = None,
    kept_for: int | None = None,
    using: str = APP_ALIAS,
) -> int:
    """Take the old item back to a location in a condition, install the new one; return its installation.

    Its pair and its service go over to the new one.

    `subscription_id` is the one that must hold the old item, if that is known; `kept_for` a job that the new item may
    be reserved for.

    Raises: what returning and installing raise; the caller's transaction undoes both.
    """
    item = get_item(tenant_id=tenant_id, serial=old, using=using)
    check_verb(ItemVerb.RETURN, state=item.state, serial=old)
    if subscription_id not in {None, item.place.subscription_id}:
        message = f"old: item {old!r} is not installed on this subscription but on {item.subscription}."
        raise ItemValueRefused(message, field="old", value=old, allowed="an item of the subscription")
    account_id = item.place.account_id or 0
    paired = fetch_rows(
        """SELECT paired_id, service_id FROM subscription_installed_item
           WHERE bucket = %s AND account_id = %s AND item_id = %s AND installed_to IS NULL""",
        [bucket_of(account_id), account_id, item.item_id],
        using=using,
    )
    deed: dict[str, Any] = {"actor": actor, "performed_on": performed_on, "reason": reason, "using": using}
    return_item(tenant_id=tenant_id, serial=old, location=location, condition=condition, **deed)
    kept = paired[0][1] if paired else None
    key = install_item(
        tenant_id=tenant_id,
        serial=new,
        subscription=item.subscription or "",
        kept_for=kept_for,
        service_id=kept,
        **deed,
    )
    if paired and paired[0][0]:
        pair_installations(account_id=account_id, first=key, second=paired[0][0], using=using)
    return key
