"""Items: one by its serial number, stock by location and good, those of a subscription, the history of one."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.subscription.types.contracts import ENDED
from coax.subscription.types.items import (
    AccountMovementRow,
    InstalledItemRow,
    ItemCondition,
    ItemRow,
    ItemState,
    ItemVerb,
    MovementRow,
    Place,
)

ROWS_MAX: Final = 1000
_ITEMS: Final = """
SELECT i.id AS item_id, i.serial, i.product_id, e.code AS good, i.mac, i.card_number, i.distributor, i.condition,
       i.state, l.code AS location, u.code AS subscription, coalesce(r.code, j.code) AS reserved_code, i.since_date,
       i.revision, i.location_id, i.account_id, i.subscription_id, i.reserved_for
  FROM subscription_stock_item i
  JOIN configuration_entity e ON e.id = i.product_id
  LEFT JOIN subscription_stock_location l ON l.tenant_id = i.tenant_id AND l.id = i.location_id
  LEFT JOIN subscription_subscription_code u ON u.tenant_id = i.tenant_id AND u.subscription_id = i.subscription_id
  LEFT JOIN subscription_subscription_code r ON r.tenant_id = i.tenant_id AND r.subscription_id = i.reserved_for
  LEFT JOIN subscription_job_code j ON j.tenant_id = i.tenant_id AND j.job_id = i.reserved_for
 WHERE i.tenant_id = %(tenant_id)s
"""


class ItemUnknown(DomainError):
    """No item has this serial number."""

    code: ClassVar[str] = "item_unknown"


class ItemUnclear(DomainError):
    """Several goods have an item with this serial number; `allowed` lists them."""

    code: ClassVar[str] = "item_unclear"


def get_item(*, tenant_id: int, serial: str, good: str | None = None, using: str = APP_ALIAS) -> ItemRow:
    """Return the item with a serial number. Raises: ItemUnknown, ItemUnclear."""
    sql = f"{_ITEMS} AND i.serial = %(serial)s AND (%(good)s::text IS NULL OR e.code = %(good)s) ORDER BY e.code"
    rows = fetch_dicts(sql, {"tenant_id": tenant_id, "serial": serial, "good": good}, using=using)
    if not rows:
        raise ItemUnknown(f"serial: there is no item {serial!r}.", field="serial", value=serial)
    if len(rows) > 1:
        allowed = ", ".join(row["good"] for row in rows)
        message = f"good: several goods have the serial number {serial!r}; say which: {allowed}."
        raise ItemUnclear(message, field="good", value=good, allowed=allowed)
    return _make_item(rows[0])


def find_items(
    *,
    tenant_id: int,
    location: str | None = None,
    good: str | None = None,
    state: ItemState | None = None,
    after: tuple[str, str] | None = None,
    limit: int = ROWS_MAX,
) -> list[ItemRow]:
    """Return at most `ROWS_MAX` items by good and serial number, those at a location, of a good, in a state.

    `after` is good and serial number of the last item of the page before.
    """
    sql = f"""{_ITEMS} AND (%(location)s::text IS NULL OR l.code = %(location)s)
        AND (%(good)s::text IS NULL OR e.code = %(good)s) AND (%(state)s::text IS NULL OR i.state = %(state)s)
        AND (%(after_good)s::text IS NULL OR (e.code, i.serial) > (%(after_good)s, %(after_serial)s))
        ORDER BY e.code, i.serial LIMIT %(limit)s"""
    after_good, after_serial = after or (None, None)
    params: dict[str, Any] = {"tenant_id": tenant_id, "location": location, "good": good, "state": state}
    params |= {"after_good": after_good, "after_serial": after_serial, "limit": min(limit, ROWS_MAX)}
    return [_make_item(row) for row in fetch_dicts(sql, params)]


def count_stock(*, tenant_id: int) -> list[dict[str, Any]]:
    """Return how many items of each good and state are at each location."""
    return fetch_dicts(
        """SELECT l.code AS location, e.code AS good, i.state, count(*) AS items
           FROM subscription_stock_item i JOIN configuration_entity e ON e.id = i.product_id
           JOIN subscription_stock_location l ON l.tenant_id = i.tenant_id AND l.id = i.location_id
           WHERE i.tenant_id = %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        [tenant_id],
    )


def find_installed_items(
    *,
    tenant_id: int,
    account_id: int,
    subscription_id: int | None = None,
    as_of: date | None = None,
    using: str = APP_ALIAS,
) -> list[InstalledItemRow]:
    """Return the items of an account or one subscription: those open now, or those there on a day."""
    rows = fetch_dicts(
        """SELECT n.id AS installed_item_id, n.item_id, u.code AS subscription, i.serial, e.code AS good,
                  n.installed_from, n.installed_to, s.code AS service, q.serial AS paired_with
           FROM subscription_installed_item n
           JOIN subscription_stock_item i ON i.tenant_id = n.tenant_id AND i.id = n.item_id
           JOIN configuration_entity e ON e.id = i.product_id
           JOIN subscription_subscription u
             ON u.bucket = n.bucket AND u.account_id = n.account_id AND u.id = n.subscription_id
           LEFT JOIN subscription_service s
             ON s.bucket = n.bucket AND s.account_id = n.account_id AND s.id = n.service_id
           LEFT JOIN subscription_installed_item p
             ON p.bucket = n.bucket AND p.account_id = n.account_id AND p.id = n.paired_id
           LEFT JOIN subscription_stock_item q ON q.tenant_id = p.tenant_id AND q.id = p.item_id
           WHERE n.bucket = %(bucket)s AND n.account_id = %(account_id)s AND n.tenant_id = %(tenant_id)s
             AND (%(subscription_id)s::bigint IS NULL OR n.subscription_id = %(subscription_id)s)
             AND CASE WHEN %(as_of)s::date IS NULL THEN n.installed_to IS NULL
                 ELSE n.installed_from <= %(as_of)s AND coalesce(n.installed_to > %(as_of)s, true) END
           ORDER BY u.code, e.code, i.serial""",
        {
            "tenant_id": tenant_id,
            "bucket": bucket_of(account_id),
            "account_id": account_id,
            "subscription_id": subscription_id,
            "as_of": as_of,
        },
        using=using,
    )
    return [InstalledItemRow(**row) for row in rows]


def find_items_due_back(*, tenant_id: int) -> list[InstalledItemRow]:
    """Return the items that stand at customers whose subscription is over, the longest first."""
    rows = fetch_dicts(
        f"""SELECT n.id AS installed_item_id, n.item_id, u.code AS subscription, i.serial, e.code AS good,
                   n.installed_from, u.state_from AS installed_to, NULL AS service, NULL AS paired_with
            FROM subscription_installed_item n
            JOIN subscription_subscription u
              ON u.bucket = n.bucket AND u.account_id = n.account_id AND u.id = n.subscription_id
            JOIN subscription_stock_item i ON i.tenant_id = n.tenant_id AND i.id = n.item_id
            JOIN configuration_entity e ON e.id = i.product_id
            WHERE n.tenant_id = %s AND n.installed_to IS NULL AND u.state = ANY(%s)
            ORDER BY u.state_from, u.code, e.code, i.serial LIMIT {ROWS_MAX}""",
        [tenant_id, sorted(ENDED)],
    )
    return [InstalledItemRow(**row) for row in rows]


def find_account_movements(*, tenant_id: int, account_id: int, until: date) -> list[AccountMovementRow]:
    """Return the movements of items to and from an account's subscriptions up to a day, the latest first."""
    rows = fetch_dicts(
        f"""SELECT m.verb, m.performed_on, m.actor, m.reason, i.serial, e.code AS good
            FROM (SELECT DISTINCT item_id FROM subscription_installed_item
                   WHERE bucket = %(bucket)s AND account_id = %(account_id)s AND tenant_id = %(tenant_id)s) k
            JOIN subscription_item_movement m ON m.tenant_id = %(tenant_id)s AND m.item_id = k.item_id
            JOIN subscription_stock_item i ON i.tenant_id = m.tenant_id AND i.id = m.item_id
            JOIN configuration_entity e ON e.id = i.product_id
            WHERE m.performed_on <= %(until)s AND EXISTS (
                SELECT FROM subscription_subscription u
                WHERE u.bucket = %(bucket)s AND u.account_id = %(account_id)s
                  AND u.id IN (m.from_subscription_id, m.to_subscription_id))
            ORDER BY m.performed_on DESC, m.recorded_at DESC LIMIT {ROWS_MAX}""",
        {"tenant_id": tenant_id, "bucket": bucket_of(account_id), "account_id": account_id, "until": until},
    )
    return [AccountMovementRow(**{**row, "verb": ItemVerb(row["verb"])}) for row in rows]


def find_movements(*, tenant_id: int, item_id: int) -> list[MovementRow]:
    """Return the history of an item from its receipt on."""
    rows = fetch_dicts(
        """SELECT m.number, m.verb, m.performed_on AS moved_from,
                  lead(m.performed_on) OVER (ORDER BY m.number) AS moved_to, m.from_state,
                  coalesce(lf.code, uf.code, '') AS from_place, m.to_state, coalesce(lt.code, ut.code, '') AS to_place,
                  m.condition, m.actor, m.reason, m.recorded_at
           FROM subscription_item_movement m
           LEFT JOIN subscription_stock_location lf ON lf.tenant_id = m.tenant_id AND lf.id = m.from_location_id
           LEFT JOIN subscription_stock_location lt ON lt.tenant_id = m.tenant_id AND lt.id = m.to_location_id
           LEFT JOIN subscription_subscription_code uf
             ON uf.tenant_id = m.tenant_id AND uf.subscription_id = m.from_subscription_id
           LEFT JOIN subscription_subscription_code ut
             ON ut.tenant_id = m.tenant_id AND ut.subscription_id = m.to_subscription_id
           WHERE m.tenant_id = %s AND m.item_id = %s ORDER BY m.number""",
        [tenant_id, item_id],
    )
    return [MovementRow(**{**row, "verb": ItemVerb(row["verb"])}) for row in rows]


def _make_item(row: dict[str, Any]) -> ItemRow:
    place = Place(*(row.pop(key) for key in ("location_id", "account_id", "subscription_id", "reserved_for")))
    reserved = row.pop("reserved_code")
    known: dict[str, Any] = {"state": ItemState(row.pop("state")), "condition": ItemCondition(row.pop("condition"))}
    return ItemRow(**row, **known, place=place, reserved_for=reserved)
