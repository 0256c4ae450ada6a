"""Receive an item into stock."""

from __future__ import annotations

from datetime import date
from typing import cast

from coax.base.db import execute
from coax.base.numbers import next_ids
from coax.configuration.queries import get_entity
from coax.configuration.types.catalogue import Product, ProductClass
from coax.subscription.queries.locations import get_location_id
from coax.subscription.types.items import Deed, ItemCondition, ItemState, ItemValueRefused, ItemVerb


def receive_item(
    *,
    tenant_id: int,
    serial: str,
    good: str,
    location: str,
    actor: str,
    performed_on: date,
    reason: str,
    condition: ItemCondition = ItemCondition.NEW,
    mac: str = "",
    card_number: str = "",
    distributor: str = "",
) -> int:
    """Receive an item at a location; its serial number is reserved first.

    Raises: EntityNotFound, LocationUnknown, ItemValueRefused.
    """
    deed = Deed(actor, performed_on, reason)
    row = get_entity("product", good)
    if cast("Product", row.spec).class_ is not ProductClass.PHYSICAL_GOOD:
        raise ItemValueRefused(f"good: {good!r} is no physical_good.", field="good", value=good)
    if not serial.strip():
        raise ItemValueRefused("serial: may not be empty.", field="serial", value=serial)
    location_id = get_location_id(tenant_id=tenant_id, code=location)
    item_id = next_ids("base_object_seq", 1)[0]
    if not execute(
        """INSERT INTO subscription_item_serial (tenant_id, product_id, serial, item_id) VALUES (%s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        [tenant_id, row.entity_id, serial, item_id],
    ):
        raise ItemValueRefused(f"serial: there is a {good} {serial!r} already.", field="serial", value=serial)
    state = ItemState.DEFECTIVE if condition is ItemCondition.DEFECTIVE else ItemState.IN_STOCK
    execute(
        """INSERT INTO subscription_stock_item (tenant_id, id, product_id, serial, mac, card_number, distributor,
               condition, state, location_id, since_date, revision)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1)""",
        [
            *(tenant_id, item_id, row.entity_id, serial, mac, card_number, distributor),
            condition,
            state,
            location_id,
            performed_on,
        ],
    )
    execute(
        """INSERT INTO subscription_item_movement (tenant_id, item_id, number, verb, performed_on, actor, reason,
               condition, from_state, to_state, to_location_id, recorded_at)
           VALUES (%s, %s, 1, %s, %s, %s, %s, %s, '', %s, %s, now())""",
        [tenant_id, item_id, ItemVerb.RECEIVE, performed_on, deed.actor, deed.reason, condition, state, location_id],
    )
    return item_id
