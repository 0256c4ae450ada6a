"""Which accounts owe more than they may, and which subscriptions that concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from coax.base.db import fetch_rows
from coax.base.ids import BUCKETS, bucket_of
from coax.base.tenancy import APP_ALIAS, RUN_ALIAS, tenant_transaction
from coax.configuration.types.process_definition import DebtBasis, Occasions

ACCOUNTS_AT_A_TIME: Final = 20_000
_OVER_LIMIT: Final = """
SELECT a.account_id FROM unnest(%s::smallint[], %s::bigint[]) AS k (bucket, account_id)
  JOIN party_account a ON a.bucket = k.bucket AND a.account_id = k.account_id
  JOIN ledger_account_balance b ON b.bucket = k.bucket AND b.account_id = k.account_id
 WHERE b.balance_minor > a.credit_limit_minor
"""
_CREDIT_LEFT: Final = """
SELECT a.credit_limit_minor - coalesce(b.balance_minor, 0) FROM party_account a
  LEFT JOIN ledger_account_balance b ON b.bucket = a.bucket AND b.account_id = a.account_id
 WHERE a.bucket = %s AND a.account_id = %s
"""
# Outstanding: what is due and not settled, less the money that settles nothing yet (reference 6.1).
_DEBTORS: Final = """
WITH owing AS (
    SELECT b.bucket, b.account_id, b.balance_minor, b.unallocated_minor
    FROM ledger_account_balance b
    WHERE b.tenant_id = %(tenant_id)s AND b.bucket BETWEEN %(first)s AND %(last)s AND b.balance_minor > 0
), outstanding AS (
    SELECT o.bucket, o.account_id, o.balance_minor, coalesce((
        SELECT sum(t.amount_minor - coalesce((
            SELECT sum(l.amount_minor) FROM ledger_allocation l
            WHERE l.bucket = t.bucket AND l.account_id = t.account_id
              AND l.debit_origin_id = t.origin_id AND l.debit_line = t.line), 0))
        FROM ledger_transaction t
        WHERE t.bucket = o.bucket AND t.account_id = o.account_id
          AND t.kind IN ('invoice', 'refund', 'payment_cancellation') AND t.due_date < %(today)s), 0)
        - o.unallocated_minor AS outstanding_minor
    FROM owing o
), judged AS (
    SELECT o.*, o.balance_minor > a.credit_limit_minor AS is_over_limit,
           o.outstanding_minor > %(threshold)s AS is_overdue
    FROM outstanding o JOIN party_account a ON a.bucket = o.bucket AND a.account_id = o.account_id
    WHERE (%(classifications)s::bigint[] IS NULL OR a.classification_id = ANY(%(classifications)s))
)
SELECT account_id, coalesce(is_over_limit, false), is_overdue FROM judged
"""
_TO_DEACTIVATE: Final = """
SELECT u.code FROM subscription_subscription u
  JOIN unnest(%(buckets)s::smallint[], %(accounts)s::bigint[]) AS k (bucket, account_id)
    ON u.bucket = k.bucket AND u.account_id = k.account_id
 WHERE u.tenant_id = %(tenant_id)s
   AND (u.grace_until IS NULL OR u.grace_until <= %(today)s)
   AND (CASE WHEN u.state = 'in_resting' THEN u.state_ends_on BETWEEN %(since)s AND %(today)s AND %(resting_ends)s
             WHEN u.state = 'short_term_not_effective'
                  THEN u.state_ends_on BETWEEN %(since)s AND %(today)s AND %(short_term_ends)s
             WHEN u.state <> 'effective' THEN false
             WHEN u.grace_until >= %(since)s THEN %(grace_ends)s
             ELSE %(unsettled)s END)
   AND (%(types)s::bigint[] IS NULL OR u.type_id = ANY(%(types)s))
   AND (%(frequencies)s::text[] IS NULL OR EXISTS (
        SELECT FROM subscription_billing_term t
        WHERE t.bucket = u.bucket AND t.account_id = u.account_id AND t.subscription_id = u.id
          AND t.effective_to IS NULL AND t.frequency = ANY(%(frequencies)s)))
 ORDER BY u.bucket, u.account_id, u.id
"""
# Off, of an account whose balance moved lately: whole subscriptions, and services of those that are on for a free one's
# sake. What a customer had stopped stays off.
_TO_ACTIVATE: Final = """
WITH off AS (
    SELECT u.bucket, u.account_id, u.id, NULL::text[] AS codes
    FROM subscription_subscription u
    WHERE u.tenant_id = %(tenant_id)s AND u.bucket BETWEEN %(first)s AND %(last)s AND u.state = 'not_effective'
    UNION ALL
    SELECT u.bucket, u.account_id, u.id, array_agg(s.code ORDER BY s.id)
    FROM subscription_service s
    JOIN subscription_subscription u ON u.bucket = s.bucket AND u.account_id = s.account_id AND u.id = s.subscription_id
    WHERE s.tenant_id = %(tenant_id)s AND s.bucket BETWEEN %(first)s AND %(last)s
      AND s.state = 'not_effective' AND NOT s.stays_off AND u.state = 'effective'
    GROUP BY u.bucket, u.account_id, u.id
)
SELECT u.code, u.account_id, u.state, o.codes
  FROM off o
  JOIN subscription_subscription u ON u.bucket = o.bucket AND u.account_id = o.account_id AND u.id = o.id
 WHERE EXISTS (
     SELECT FROM ledger_transaction t
     WHERE t.bucket = u.bucket AND t.account_id = u.account_id AND t.posted_at >= %(since)s)
   AND EXISTS (
     SELECT FROM subscription_billing_term t
     WHERE t.bucket = u.bucket AND t.account_id = u.account_id AND t.subscription_id = u.id
       AND t.effective_to IS NULL AND t.scheme_version_id = ANY(%(schemes)s))
 ORDER BY u.bucket, u.account_id, u.id
"""


@dataclass(frozen=True, slots=True)
class Debtor:
    """An account that owes, and by which measure it owes too much."""

    account_id: int
    is_over_limit: bool
    is_overdue: bool

    def meets(self, basis: DebtBasis) -> bool:
        """Tell whether a basis holds."""
        if basis is DebtBasis.OUTSTANDING_AMOUNT:
            return self.is_overdue
        if basis is DebtBasis.CREDIT_LIMIT:
            return self.is_over_limit
        return self.is_overdue and self.is_over_limit


@dataclass(frozen=True, slots=True)
class Settled:
    """A subscription that is off, or on with services that are off."""

    code: str
    account_id: int
    state: str
    services_off: tuple[str, ...]


def split_buckets(tenant_id: int) -> list[tuple[int, int]]:
    """Return the buckets in ranges (first, last) of about `ACCOUNTS_AT_A_TIME` accounts; a small operator is one."""
    with tenant_transaction(tenant_id, using=RUN_ALIAS):
        accounts = fetch_rows("SELECT count(*) FROM party_account WHERE tenant_id = %s", [tenant_id], using=RUN_ALIAS)
    size = max(1, min(BUCKETS, BUCKETS * ACCOUNTS_AT_A_TIME // max(1, accounts[0][0])))
    return [(first, min(first + size, BUCKETS) - 1) for first in range(0, BUCKETS, size)]


def find_over_limit(account_ids: Sequence[int], *, using: str = APP_ALIAS) -> frozenset[int]:
    """Return those accounts whose balance is above their credit limit; equal is not (R114)."""
    owners = sorted(set(account_ids))
    rows = fetch_rows(_OVER_LIMIT, [[bucket_of(owner) for owner in owners], owners], using=using)
    return frozenset(row[0] for row in rows)


def find_credit_left(account_id: int, *, using: str = APP_ALIAS) -> int | None:
    """Return what an account may owe more, in minor units: below nothing where it owes too much, None without limit."""
    row = fetch_rows(_CREDIT_LEFT, [bucket_of(account_id), account_id], using=using)
    return None if row[0][0] is None else int(row[0][0])


def find_debtors(
    *,
    tenant_id: int,
    today: date,
    threshold_minor: int,
    buckets: tuple[int, int],
    classification_ids: Sequence[int] | None = None,
    using: str = APP_ALIAS,
) -> list[Debtor]:
    """Return the accounts with a debt; `threshold_minor` is what may be overdue."""
    params: dict[str, Any] = {
        "tenant_id": tenant_id,
        "first": buckets[0],
        "last": buckets[1],
        "today": today,
        "threshold": threshold_minor,
        "classifications": list(classification_ids) if classification_ids is not None else None,
    }
    return [Debtor(*row) for row in fetch_rows(_DEBTORS, params, using=using)]


def find_to_deactivate(
    *,
    tenant_id: int,
    account_ids: Sequence[int],
    today: date,
    occasions: Occasions,
    type_ids: Sequence[int] | None = None,
    frequencies: Sequence[str] | None = None,
    using: str = APP_ALIAS,
) -> list[str]:
    """Return the codes of the accounts' subscriptions that are on, or about to be, and not in grace.

    Each is looked at on one occasion: its rest or short-term deactivation ends, its grace has ended lately, or none
    of these.
    """
    params: dict[str, Any] = {
        "tenant_id": tenant_id,
        "buckets": [bucket_of(owner) for owner in account_ids],
        "accounts": list(account_ids),
        "today": today,
        "since": today - timedelta(days=occasions.look_back_days),
        "unsettled": occasions.unsettled,
        "grace_ends": occasions.grace_ends,
        "resting_ends": occasions.resting_ends,
        "short_term_ends": occasions.short_term_ends,
        "types": list(type_ids) if type_ids is not None else None,
        "frequencies": list(frequencies) if frequencies is not None else None,
    }
    return [row[0] for row in fetch_rows(_TO_DEACTIVATE, params, using=using)]


def find_to_activate(
    *,
    tenant_id: int,
    since: datetime,
    scheme_version_ids: Sequence[int],
    buckets: tuple[int, int],
    using: str = APP_ALIAS,
) -> list[Settled]:
    """Return subscriptions that are off, on one of these schemes, of accounts with a posting since an instant."""
    params: dict[str, Any] = {
        "tenant_id": tenant_id,
        "first": buckets[0],
        "last": buckets[1],
        "since": since,
        "schemes": list(scheme_version_ids),
    }
    rows = fetch_rows(_TO_ACTIVATE, params, using=using)
    return [Settled(code, account_id, state, tuple(codes or ())) for code, account_id, state, codes in rows]
