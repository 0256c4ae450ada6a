"""What is known of subscriptions when actions on them are decided: a few statements for any number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.subscription.rules.machine import LIVE_SERVICE
from coax.subscription.types.actions import ChargeFacts, ServiceFacts, ServiceState, SubscriptionFacts, TermFacts
from coax.subscription.types.contracts import SubscriptionState

_KEYS: Final = (
    "unnest(%(buckets)s::smallint[], %(account_ids)s::bigint[], %(ids)s::bigint[]) AS k (bucket, account_id, id)"
)
# The rows stay locked to the transaction's end, in the order of their keys; `{wait}` says what if somebody has them.
_SUBSCRIPTIONS: Final = """
SELECT u.id AS subscription_id, u.account_id, u.code, u.type_id, u.state, u.created_on, u.state_from,
       u.state_ends_on, u.grace_until, u.revision
  FROM subscription_subscription u JOIN {keys}
    ON u.bucket = k.bucket AND u.account_id = k.account_id AND u.id = k.id
 WHERE u.tenant_id = %(tenant_id)s ORDER BY u.bucket, u.account_id, u.id FOR UPDATE OF u {wait}
"""
_ACCOUNTS: Final = """
SELECT a.account_id, a.state, a.classification_id
  FROM party_account a
  JOIN unnest(%(buckets)s::smallint[], %(account_ids)s::bigint[]) AS k (bucket, account_id)
    ON a.bucket = k.bucket AND a.account_id = k.account_id
"""
_TERMS: Final = """
SELECT t.subscription_id, t.id AS billing_term_id, t.scheme_version_id, t.price_plan_id, t.cycle_day,
       t.agreement_date, t.frequency,
       t.binding_period, t.binding_start_date, t.binding_extension_days, t.effective_from, t.effective_to
  FROM subscription_billing_term t JOIN {keys}
    ON t.bucket = k.bucket AND t.account_id = k.account_id AND t.subscription_id = k.id
"""
_SERVICES: Final = """
SELECT s.subscription_id, s.id AS service_id, s.code, s.product_id, s.state, s.quantity, s.effective_from,
       s.effective_to, s.billable_from, s.has_history, s.state_from, s.swapped_from, s.stays_off, s.bundle_id,
       r.rated_up_to, s.account_id
  FROM subscription_service s
  JOIN {keys} ON s.bucket = k.bucket AND s.account_id = k.account_id{own}
  JOIN subscription_service_rating r
    ON r.bucket = s.bucket AND r.account_id = s.account_id AND r.service_id = s.id
 ORDER BY s.account_id, s.subscription_id, s.id
"""
_RESTS: Final = """
SELECT h.subscription_id, h.effective_from, h.effective_to
  FROM subscription_subscription_history h JOIN {keys}
    ON h.bucket = k.bucket AND h.account_id = k.account_id AND h.subscription_id = k.id
 WHERE h.state = 'in_resting' AND h.effective_to IS NOT NULL ORDER BY h.effective_from, h.id
"""
_ITEMS: Final = """
SELECT n.subscription_id, i.product_id
  FROM subscription_installed_item n JOIN {keys}
    ON n.bucket = k.bucket AND n.account_id = k.account_id AND n.subscription_id = k.id
  JOIN subscription_stock_item i ON i.tenant_id = n.tenant_id AND i.id = n.item_id
 WHERE n.installed_to IS NULL
"""
_CHARGES: Final = """
SELECT c.subscription_id, c.id AS charge_id, g.id AS usage_id, g.service_id, c.code, c.product_id, c.performed_on,
       c.billed_by IS NOT NULL AS is_billed
  FROM subscription_charge c JOIN {keys}
    ON c.bucket = k.bucket AND c.account_id = k.account_id AND c.subscription_id = k.id
  LEFT JOIN subscription_usage g ON g.bucket = c.bucket AND g.account_id = c.account_id AND g.charge_id = c.id
 WHERE c.withdrawn_on IS NULL
 UNION ALL
SELECT g.subscription_id, NULL, g.id, g.service_id, g.code, g.product_id, g.performed_on, false
  FROM subscription_usage g JOIN {keys}
    ON g.bucket = k.bucket AND g.account_id = k.account_id AND g.subscription_id = k.id
 WHERE g.withdrawn_on IS NULL AND g.charge_id IS NULL
 ORDER BY performed_on, code
"""
_SERVED: Final = """
SELECT h.service_id, h.effective_from, h.effective_to
  FROM subscription_service_history h
  JOIN unnest(%(buckets)s::smallint[], %(account_ids)s::bigint[]) AS k (bucket, account_id)
    ON h.bucket = k.bucket AND h.account_id = k.account_id
 WHERE h.service_id = ANY(%(service_ids)s) AND h.state IN ('effective', 'short_term_effective')
 ORDER BY h.service_id, h.effective_from, h.id
"""
_RECORDED: Final = """
SELECT g.account_id, g.source_system, g.reference, g.code
  FROM subscription_usage g
  JOIN unnest(%(buckets)s::smallint[], %(account_ids)s::bigint[], %(systems)s::text[], %(references)s::text[])
       AS k (bucket, account_id, source_system, reference)
    ON g.bucket = k.bucket AND g.account_id = k.account_id
   AND g.source_system = k.source_system AND g.reference = k.reference
"""
_FIND: Final = """
SELECT code, account_id, subscription_id FROM subscription_subscription_code
 WHERE tenant_id = %s AND code = ANY(%s)
"""


class SubscriptionBusy(DomainError):
    """Somebody else is acting on the subscription at this moment."""

    code: ClassVar[str] = "subscription_busy"


def find_subscription_keys(
    *, tenant_id: int, codes: Iterable[str], using: str = APP_ALIAS
) -> dict[str, tuple[int, int]]:
    """Return (account_id, subscription_id) of the subscriptions that have these codes."""
    rows = fetch_rows(_FIND, [tenant_id, list(codes)], using=using)
    return {code: (account_id, subscription_id) for code, account_id, subscription_id in rows}


def lock_facts(
    *,
    tenant_id: int,
    keys: Sequence[tuple[int, int]],
    today: date,
    over_limit: frozenset[int] = frozenset(),
    with_rests: bool = False,
    with_account: bool = False,
    with_items: bool = False,
    with_charges: bool = False,
    with_served: bool = False,
    wait: str = "",
    using: str = APP_ALIAS,
) -> dict[tuple[int, int], SubscriptionFacts]:
    """Lock the subscriptions with these keys (account_id, subscription_id) and return what is known of each.

    `over_limit` are the accounts that owe more than they may; `with_account` counts the products of an account's other
    subscriptions too, `with_items` reads the goods that are installed, `with_charges` what was charged once,
    `with_served` when each service could be used. `wait` is NOWAIT, or nothing to wait for whoever has them. The
    account rows are not locked.
    """
    params: dict[str, Any] = {
        "tenant_id": tenant_id,
        "buckets": [bucket_of(account_id) for account_id, _ in keys],
        "account_ids": [account_id for account_id, _ in keys],
        "ids": [subscription_id for _, subscription_id in keys],
    }
    heads = fetch_dicts(_SUBSCRIPTIONS.format(keys=_KEYS, wait=wait), params, using=using)
    accounts = {row["account_id"]: row for row in fetch_dicts(_ACCOUNTS, params, using=using)}
    terms = _group(fetch_dicts(_TERMS.format(keys=_KEYS), params, using=using))
    own = "" if with_account else " AND s.subscription_id = k.id"
    rows = {r["service_id"]: r for r in fetch_dicts(_SERVICES.format(keys=_KEYS, own=own), params, using=using)}
    if with_served:
        _add_served(rows, params, using)
    services = _group(rows.values())
    rests = _group(fetch_dicts(_RESTS.format(keys=_KEYS), params, using=using)) if with_rests else {}
    items = _group(fetch_dicts(_ITEMS.format(keys=_KEYS), params, using=using)) if with_items else {}
    charges = _group(fetch_dicts(_CHARGES.format(keys=_KEYS), params, using=using)) if with_charges else {}
    elsewhere = _products_by_account(rows.values(), today) if with_account else {}
    facts = {}
    for head in heads:
        key = head["subscription_id"]
        facts[head["account_id"], key] = _make_facts(
            head,
            accounts[head["account_id"]],
            terms.get(key, []),
            services.get(key, []),
            tuple((row["effective_from"], row["effective_to"]) for row in rests.get(key, [])),
            tuple(p for owner, p in elsewhere.get(head["account_id"], []) if owner != key),
            installed=tuple(row["product_id"] for row in items.get(key, [])),
            charges=tuple(_make_charge(row) for row in charges.get(key, [])),
            today=today,
            is_over_limit=head["account_id"] in over_limit,
        )
    return facts


def _make_facts(
    head: dict[str, Any],
    account: dict[str, Any],
    terms: list[dict[str, Any]],
    services: list[dict[str, Any]],
    rested: tuple[tuple[date, date], ...],
    products_elsewhere: tuple[int, ...],
    *,
    installed: tuple[int, ...],
    charges: tuple[ChargeFacts, ...],
    today: date,
    is_over_limit: bool,
) -> SubscriptionFacts:
    term = next((row for row in terms if row["effective_to"] is None), None)
    begun = min((row["effective_from"] for row in terms), default=head["created_on"])
    return SubscriptionFacts(
        subscription_id=head["subscription_id"],
        account_id=head["account_id"],
        code=head["code"],
        type_id=head["type_id"],
        state=SubscriptionState(head["state"]),
        created_on=head["created_on"],
        changed_on=head["state_from"] or begun,
        has_no_history=head["state_from"] is None,
        state_ends_on=head["state_ends_on"],
        grace_until=head["grace_until"],
        revision=head["revision"],
        account_state=account["state"],
        classification_id=account["classification_id"],
        term=_make_term(term) if term else None,
        services=tuple(_make_service(row, today) for row in services),
        rested=rested,
        products_elsewhere=products_elsewhere,
        installed=installed,
        charges=charges,
        is_over_limit=is_over_limit,
    )


def find_recorded(
    references: Sequence[tuple[int, str, str]], *, using: str = APP_ALIAS
) -> dict[tuple[int, str, str], str]:
    """Return which of these usages (account_id, source system, its reference) are recorded already, as which."""
    if not references:
        return {}
    accounts, systems, names = (list(column) for column in zip(*references, strict=True))
    params = {"account_ids": accounts, "systems": systems, "references": names}
    params["buckets"] = [bucket_of(account_id) for account_id in accounts]
    rows = fetch_rows(_RECORDED, params, using=using)
    return {(account_id, system, reference): code for account_id, system, reference, code in rows}


def _add_served(rows: dict[int, dict[str, Any]], params: dict[str, Any], using: str) -> None:
    """Add to services when they could be used; one without a history could since it began."""
    for row in rows.values():
        is_on = ServiceState(row["state"]) is ServiceState.EFFECTIVE and not row["has_history"]
        row["served"] = ((row["effective_from"], row["effective_to"]),) if is_on else ()
    for service_id, start, end in fetch_rows(_SERVED, {**params, "service_ids": list(rows)}, using=using):
        rows[service_id]["served"] += ((start, end),)


def _make_term(row: dict[str, Any]) -> TermFacts:
    names = TermFacts.__slots__
    return TermFacts(**{name: row[name] for name in names})


def _make_charge(row: dict[str, Any]) -> ChargeFacts:
    return ChargeFacts(**{name: row[name] for name in ChargeFacts.__slots__})


def _make_service(row: dict[str, Any], today: date) -> ServiceFacts:
    return ServiceFacts(
        service_id=row["service_id"],
        code=row["code"],
        product_id=row["product_id"],
        state=_state_of(row, today),
        quantity=row["quantity"],
        effective_from=row["effective_from"],
        effective_to=row["effective_to"],
        billable_from=row["billable_from"],
        rated_up_to=row["rated_up_to"],
        has_history=row["has_history"],
        changed_on=row["state_from"] or row["effective_from"],
        swapped_from=row["swapped_from"],
        stays_off=row["stays_off"],
        bundle_id=row["bundle_id"],
        served=row.get("served", ()),
    )


def _state_of(row: dict[str, Any], today: date) -> ServiceState:
    """Return a service's state; one whose end was set beforehand is over on that day."""
    state = ServiceState(row["state"])
    is_over = row["effective_to"] is not None and row["effective_to"] <= today
    return ServiceState.CANCELLED if is_over and state in LIVE_SERVICE else state


def _products_by_account(rows: Iterable[dict[str, Any]], today: date) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        if _state_of(row, today) in LIVE_SERVICE:
            found[row["account_id"]].append((row["subscription_id"], row["product_id"]))
    return found


def _group(rows: Iterable[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    grouped: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["subscription_id"]].append(row)
    return grouped
