"""Laying a subscription down on another account: its contract, services and scheduled actions, from a day on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coax.base.db import execute, fetch_rows
from coax.base.ids import bucket_of
from coax.base.numbers import next_ids
from coax.configuration.types.billing_term_definition import BillingDirective
from coax.subscription.types.actions import SubscriptionFacts


@dataclass(frozen=True, slots=True)
class Move:
    """A subscription as it was, and where it goes.

    `directives` say how the time of each service that goes along is billed there, `scheduled` are the actions that
    waited for their day.
    """

    facts: SubscriptionFacts
    account_id: int
    subscription_id: int
    on: date
    action_id: int
    directives: Mapping[int, BillingDirective]
    scheduled: Sequence[int]
    tenant_id: int
    using: str


def lay_down(move: Move) -> dict[int, int]:
    """Write the subscription and all that is live of it on its new account; return new service keys by old ones.

    Everything begins on the day of the move, with the contract's binding and the services' age as they were.
    """
    _copy_subscription(move)
    _copy_term(move)
    services = _copy_services(move)
    _copy_scheduled(move)
    return services


def _copy_subscription(move: Move) -> None:
    state = move.facts.state.value
    execute(
        """INSERT INTO subscription_subscription (bucket, account_id, id, tenant_id, code, type_id, state, state_from,
               grace_until, location, revision, created_on)
           SELECT %s, %s, %s, tenant_id, code, type_id, %s, %s, grace_until, location, 0, created_on
           FROM subscription_subscription WHERE bucket = %s AND account_id = %s AND id = %s""",
        [*_new(move), state, move.on, *_old(move)],
        using=move.using,
    )
    execute(
        """UPDATE subscription_subscription_code SET account_id = %s, subscription_id = %s
           WHERE tenant_id = %s AND code = %s""",
        [move.account_id, move.subscription_id, move.tenant_id, move.facts.code],
        using=move.using,
    )
    execute(
        """INSERT INTO subscription_subscription_history (bucket, account_id, id, tenant_id, subscription_id, state,
               effective_from, action_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        [*_place(move), _fresh(move), move.tenant_id, move.subscription_id, state, move.on, move.action_id],
        using=move.using,
    )


def _copy_term(move: Move) -> None:
    execute(
        """INSERT INTO subscription_billing_term (bucket, account_id, id, tenant_id, subscription_id, scheme_version_id,
               price_plan_id, frequency, cycle_day, agreement_date, binding_period, binding_start_date,
               binding_extension_days, effective_from)
           SELECT %s, %s, %s, tenant_id, %s, scheme_version_id, price_plan_id, frequency, cycle_day, agreement_date,
                  binding_period, binding_start_date, binding_extension_days, %s
           FROM subscription_billing_term
           WHERE bucket = %s AND account_id = %s AND subscription_id = %s AND effective_to IS NULL""",
        [*_place(move), _fresh(move), move.subscription_id, move.on, *_old(move)],
        using=move.using,
    )


def _copy_services(move: Move) -> dict[int, int]:
    live = {service.service_id: service for service in move.facts.services if service.service_id in move.directives}
    fresh = next_ids("base_object_seq", 2 * len(live), using=move.using)
    keys = dict(zip(live, fresh[: len(live)], strict=True))
    states = [service.state.value for service in live.values()]
    columns = [list(keys), list(keys.values()), states]
    execute(
        """INSERT INTO subscription_service (bucket, account_id, id, tenant_id, subscription_id, code, product_id,
               quantity, effective_from, effective_to, billable_from, billing_effective_date, agreed_price_micro,
               extra_discount_ppm, state, state_from, has_history, stays_off, bundle_id)
           SELECT %s, %s, v.fresh, s.tenant_id, %s, s.code, s.product_id, s.quantity, s.effective_from, %s, %s, %s,
                  s.agreed_price_micro, s.extra_discount_ppm, v.state, %s, true, s.stays_off, s.bundle_id
           FROM subscription_service s
           JOIN unnest(%s::bigint[], %s::bigint[], %s::text[]) AS v (id, fresh, state) ON v.id = s.id
           WHERE s.bucket = %s AND s.account_id = %s""",
        [*_place(move), move.subscription_id, None, move.on, move.on, move.on, *columns, *_old(move)[:2]],
        using=move.using,
    )
    _end_as_before(move, keys)
    execute(
        """INSERT INTO subscription_service_rating (bucket, account_id, service_id, tenant_id, rated_up_to, generation)
           SELECT %s, %s, v.id, %s, %s, 0 FROM unnest(%s::bigint[]) AS v (id)""",
        [*_place(move), move.tenant_id, move.on, list(keys.values())],
        using=move.using,
    )
    directives = [move.directives[old].value for old in keys]
    billed = [directive == BillingDirective.TO_BE_BILLED for directive in directives]
    execute(
        """INSERT INTO subscription_service_history (bucket, account_id, id, tenant_id, service_id, state, directive,
               effective_from, billable_from, action_id, bundle_id)
           SELECT %s, %s, v.id, %s, v.service_id, v.state, v.directive, %s, CASE WHEN v.is_billed THEN %s END, %s,
                  v.bundle_id
           FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::boolean[], %s::bigint[])
             AS v (id, service_id, state, directive, is_billed, bundle_id)""",
        [
            *_place(move),
            move.tenant_id,
            move.on,
            move.on,
            move.action_id,
            *(fresh[len(live) :], list(keys.values()), states, directives, billed),
            [service.bundle_id for service in live.values()],
        ],
        using=move.using,
    )
    return keys


def _end_as_before(move: Move, keys: Mapping[int, int]) -> None:
    """Keep the ends of services that were set before the move."""
    ends = {
        keys[service.service_id]: service.effective_to
        for service in move.facts.services
        if service.service_id in keys and service.effective_to and service.effective_to > move.on
    }
    if ends:
        execute(
            """UPDATE subscription_service s SET effective_to = v.effective_to
               FROM unnest(%s::bigint[], %s::date[]) AS v (id, effective_to)
               WHERE s.bucket = %s AND s.account_id = %s AND s.id = v.id""",
            [list(ends), list(ends.values()), *_place(move)],
            using=move.using,
        )


def _copy_scheduled(move: Move) -> None:
    """Schedule on the new account what the move called off on the old one."""
    old = list(move.scheduled)
    fresh = next_ids("base_object_seq", len(old), using=move.using) if old else []
    execute(
        """INSERT INTO subscription_action (bucket, account_id, id, tenant_id, subscription_id, behaviour, action_type,
               state, performed_on, request, reason, submitted_at, submitted_by, executed_by, detail)
           SELECT %s, %s, v.fresh, a.tenant_id, %s, a.behaviour, a.action_type, 'scheduled', a.performed_on, a.request,
                  a.reason, a.submitted_at, a.submitted_by, '', ''
           FROM subscription_action a JOIN unnest(%s::bigint[], %s::bigint[]) AS v (id, fresh) ON v.id = a.id
           WHERE a.bucket = %s AND a.account_id = %s""",
        [*_place(move), move.subscription_id, old, fresh, *_old(move)[:2]],
        using=move.using,
    )


def touch_account(account_id: int, *, using: str) -> None:
    """Say that an account changed: a run that has read it before will not post what it computed."""
    execute(
        "UPDATE party_account SET revision = revision + 1 WHERE bucket = %s AND account_id = %s",
        [bucket_of(account_id), account_id],
        using=using,
    )


def _fresh(move: Move) -> int:
    return next_ids("base_object_seq", 1, using=move.using)[0]


def _place(move: Move) -> list[int]:
    return [bucket_of(move.account_id), move.account_id]


def _new(move: Move) -> list[int]:
    return [*_place(move), move.subscription_id]


def _old(move: Move) -> list[int]:
    facts = move.facts
    return [bucket_of(facts.account_id), facts.account_id, facts.subscription_id]


def find_scheduled(*, account_id: int, subscription_id: int, using: str) -> list[int]:
    """Return the keys of a subscription's scheduled actions."""
    rows = fetch_rows(
        """SELECT id FROM subscription_action
           WHERE bucket = %s AND account_id = %s AND subscription_id = %s AND state = 'scheduled' ORDER BY id""",
        [bucket_of(account_id), account_id, subscription_id],
        using=using,
    )
    return [row[0] for row in rows]
