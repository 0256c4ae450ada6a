"""Install an item on a subscription."""

from __future__ import annotations

from datetime import date
from typing import cast

from coax.base.db import fetch_rows
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.configuration.queries import find_active, find_versions
from coax.configuration.types.catalogue import Product
from coax.configuration.types.subscription_definition import SubscriptionDefinition
from coax.configuration.types.subscription_type import SubscriptionType
from coax.subscription.batch.items import move_item, open_installation
from coax.subscription.queries.codes import SubscriptionKey, get_subscription_key
from coax.subscription.queries.items import get_item
from coax.subscription.rules.items import InstallationRefused, check_installation, check_verb
from coax.subscription.types.contracts import ENDED
from coax.subscription.types.items import Deed, Good, ItemRow, ItemState, ItemValueRefused, ItemVerb, Place


def install_item(
    *,
    tenant_id: int,
    serial: str,
    subscription: str,
    actor: str,
    performed_on: date,
    reason: str,
    good: str | None = None,
    kept_for: int | None = None,
    service_id: int | None = None,
    using: str = APP_ALIAS,
) -> int:
    """Install an item on a subscription; return the key of the installation.

    `kept_for` is a job that the item may be reserved for, `service_id` the service that it is for.

    Raises: ItemUnknown, SubscriptionUnknown, InstallationRefused, ItemStateRefused, ItemMovedMeanwhile.
    """
    deed = Deed(actor, performed_on, reason)
    key = get_subscription_key(tenant_id=tenant_id, code=subscription, using=using)
    item = get_item(tenant_id=tenant_id, serial=serial, good=good, using=using)
    check_verb(ItemVerb.INSTALL, state=item.state, serial=serial)
    if item.place.reserved_for not in {None, key.subscription_id, kept_for}:
        message = f"subscription: item {serial!r} is reserved for {item.reserved_for}, not for {subscription}."
        raise ItemValueRefused(message, field="subscription", value=subscription, allowed=item.reserved_for)
    _check(key, subscription, item, performed_on, using)
    place = Place(account_id=key.account_id, subscription_id=key.subscription_id)
    move_item(
        tenant_id=tenant_id,
        item=item,
        verb=ItemVerb.INSTALL,
        to=ItemState.INSTALLED,
        place=place,
        deed=deed,
        using=using,
    )
    return open_installation(
        tenant_id=tenant_id,
        item=item,
        account_id=key.account_id,
        subscription_id=key.subscription_id,
        deed=deed,
        service_id=service_id,
        using=using,
    )


def lock_live_subscription(key: SubscriptionKey, code: str, using: str = APP_ALIAS) -> int | None:
    """Lock a subscription that is not over and return the key of its type. Raises: InstallationRefused."""
    state, type_id = fetch_rows(
        """SELECT state, type_id FROM subscription_subscription
           WHERE bucket = %s AND account_id = %s AND id = %s FOR NO KEY UPDATE""",
        [bucket_of(key.account_id), key.account_id, key.subscription_id],
        using=using,
    )[0]
    if state in ENDED:
        message = f"subscription: {code!r} is {state}; nothing is installed on it any more."
        raise InstallationRefused(message, field="subscription", value=code, rule="subscription state")
    return cast("int | None", type_id)


def _check(key: SubscriptionKey, code: str, item: ItemRow, on: date, using: str) -> None:
    """Lock the subscription, so that two installations count each other, and ask its type and definition."""
    place = [bucket_of(key.account_id), key.account_id, key.subscription_id]
    type_id = lock_live_subscription(key, code, using)
    products = {row.entity_id: cast("Product", row.spec) for row in find_versions("product", on, using=using)}
    held = fetch_rows(
        """SELECT i.product_id, i.distributor FROM subscription_installed_item n
           JOIN subscription_stock_item i ON i.tenant_id = n.tenant_id AND i.id = n.item_id
           WHERE n.bucket = %s AND n.account_id = %s AND n.subscription_id = %s AND n.installed_to IS NULL""",
        place,
        using=using,
    )
    services = fetch_rows(
        """SELECT product_id FROM subscription_service WHERE bucket = %s AND account_id = %s AND subscription_id = %s
           AND effective_from <= %s AND (effective_to IS NULL OR effective_to > %s)""",
        [*place, on, on],
        using=using,
    )
    types = {row.entity_id: row for row in find_versions("subscription_type", on, using=using)}
    found = types.get(type_id) if type_id is not None else None
    active = find_active("subscription_definition", on, using=using)
    check_installation(
        _good(products, item.product_id, item.distributor),
        installed=[_good(products, *row) for row in held],
        services=[_good(products, row[0], "") for row in services],
        type_code=found.code if found else None,
        subscription_type=cast("SubscriptionType", found.spec) if found else None,
        definition=cast("SubscriptionDefinition", active.spec) if active else None,
    )


def _good(products: dict[int, Product], product_id: int, distributor: str) -> Good:
    product = products.get(product_id)
    return Good(product.code, product.type, distributor) if product else Good("")
