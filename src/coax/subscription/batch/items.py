"""Move an item by compare-and-set; open and close its installation in the account's bucket."""

from __future__ import annotations

from typing import ClassVar

from coax.base.db import execute, fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.base.numbers import next_ids
from coax.base.tenancy import APP_ALIAS
from coax.subscription.rules.items import check_verb
from coax.subscription.types.items import Deed, ItemCondition, ItemRow, ItemState, ItemValueRefused, ItemVerb, Place


class ItemMovedMeanwhile(DomainError):
    """Somebody else moved the item between reading and writing; nothing was changed."""

    code: ClassVar[str] = "item_moved_meanwhile"


def move_item(
    *,
    tenant_id: int,
    item: ItemRow,
    verb: ItemVerb,
    to: ItemState,
    place: Place,
    deed: Deed,
    condition: ItemCondition | None = None,
    using: str = APP_ALIAS,
) -> None:
    """Move an item from where it was read to `place`, and write the movement.

    Raises: ItemStateRefused, ItemValueRefused, ItemMovedMeanwhile.
    """
    check_verb(verb, state=item.state, serial=item.serial)
    if deed.performed_on < item.since_date:
        allowed = f"{item.since_date} or later, its last movement"
        message = f"performed_on: {deed.performed_on} is not allowed for item {item.serial!r}; allowed is {allowed}."
        raise ItemValueRefused(message, field="performed_on", value=deed.performed_on, allowed=allowed)
    condition = condition or item.condition
    moved = execute(
        """UPDATE subscription_stock_item SET state = %s, condition = %s, location_id = %s, account_id = %s,
               subscription_id = %s, reserved_for = %s, since_date = %s, revision = revision + 1
           WHERE tenant_id = %s AND id = %s AND revision = %s""",
        [
            to,
            condition,
            place.location_id,
            place.account_id,
            place.subscription_id,
            place.reserved_for,
            deed.performed_on,
            tenant_id,
            item.item_id,
            item.revision,
        ],
        using=using,
    )
    if not moved:
        message = f"serial: item {item.serial!r} was moved by somebody else meanwhile; look again."
        raise ItemMovedMeanwhile(message, field="serial", value=item.serial)
    execute(
        """INSERT INTO subscription_item_movement (tenant_id, item_id, number, verb, performed_on, actor, reason,
               condition, from_state, from_location_id, from_subscription_id, to_state, to_location_id,
               to_subscription_id, recorded_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now())""",
        [
            tenant_id,
            item.item_id,
            item.revision + 1,
            verb,
            deed.performed_on,
            deed.actor,
            deed.reason,
            condition,
            item.state,
            item.place.location_id,
            item.place.subscription_id,
            to,
            place.location_id,
            place.subscription_id,
        ],
        using=using,
    )


def open_installation(
    *,
    tenant_id: int,
    item: ItemRow,
    account_id: int,
    subscription_id: int,
    deed: Deed,
    service_id: int | None = None,
    using: str = APP_ALIAS,
) -> int:
    """Write that an item is installed; its stock row says so already. Return the key."""
    key = next_ids("base_object_seq", 1, using=using)[0]
    execute(
        """INSERT INTO subscription_installed_item (bucket, account_id, id, tenant_id, subscription_id, item_id,
               installed_from, service_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            bucket_of(account_id),
            account_id,
            key,
            tenant_id,
            subscription_id,
            item.item_id,
            deed.performed_on,
            service_id,
        ],
        using=using,
    )
    return key


def close_installation(
    *, tenant_id: int, item: ItemRow, deed: Deed, using: str = APP_ALIAS
) -> tuple[int | None, int | None]:
    """End an item's installation and pairing; return what it was paired with: another installation, a service."""
    account_id = item.place.account_id
    if account_id is None:
        return None, None
    bucket = bucket_of(account_id)
    rows = fetch_rows(
        """UPDATE subscription_installed_item SET installed_to = greatest(installed_from, %s)
           WHERE bucket = %s AND account_id = %s AND tenant_id = %s AND item_id = %s AND installed_to IS NULL
           RETURNING id, paired_id, service_id""",
        [deed.performed_on, bucket, account_id, tenant_id, item.item_id],
        using=using,
    )
    if not rows:
        message = f"serial: item {item.serial!r} was moved by somebody else meanwhile; look again."
        raise ItemMovedMeanwhile(message, field="serial", value=item.serial)
    execute(
        """UPDATE subscription_installed_item SET paired_id = NULL
           WHERE bucket = %s AND account_id = %s AND paired_id = %s AND installed_to IS NULL""",
        [bucket, account_id, rows[0][0]],
        using=using,
    )
    return rows[0][1], rows[0][2]


def pair_installations(*, account_id: int, first: int, second: int, using: str = APP_ALIAS) -> None:
    """Let two open installations of an account name each other."""
    for one, other in ((first, second), (second, first)):
        execute(
            """UPDATE subscription_installed_item SET paired_id = %s
               WHERE bucket = %s AND account_id = %s AND id = %s AND installed_to IS NULL""",
            [other, bucket_of(account_id), account_id, one],
            using=using,
        )
