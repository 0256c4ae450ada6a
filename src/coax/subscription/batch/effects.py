"""Writing what actions change: a handful of statements for any number of actions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from coax.base.db import execute
from coax.base.ids import bucket_of
from coax.base.numbers import next_ids
from coax.configuration.types.billing_term_definition import BillingDirective
from coax.subscription.batch.charge_effects import add_charges, add_usages, withdraw
from coax.subscription.batch.decided import BY_KEY, KEY, Decided
from coax.subscription.batch.rows import Row, insert_rows, update_rows
from coax.subscription.types.actions import NewService, ServiceChange, ServiceFacts, ServiceState

_HISTORY: Final = (
    *KEY,
    ("tenant_id", "int"),
    ("service_id", "bigint"),
    ("state", "text"),
    ("directive", "text"),
    ("effective_from", "date"),
    ("effective_to", "date"),
    ("billable_from", "date"),
    ("bundle_id", "bigint"),
    ("action_id", "bigint"),
)
_SUBSCRIPTION_HISTORY: Final = (
    *KEY,
    ("tenant_id", "int"),
    ("subscription_id", "bigint"),
    ("state", "text"),
    ("effective_from", "date"),
    ("effective_to", "date"),
    ("action_id", "bigint"),
)
_SERVICE: Final = (
    *KEY,
    ("tenant_id", "int"),
    ("subscription_id", "bigint"),
    ("code", "text"),
    ("product_id", "bigint"),
    ("quantity", "bigint"),
    ("effective_from", "date"),
    ("billable_from", "date"),
    ("billing_effective_date", "date"),
    ("agreed_price_micro", "bigint"),
    ("extra_discount_ppm", "int"),
    ("state", "text"),
    ("state_from", "date"),
    ("swapped_from", "bigint"),
    ("has_history", "boolean"),
    ("bundle_id", "bigint"),
)
_TERM: Final = (
    *KEY,
    ("tenant_id", "int"),
    ("subscription_id", "bigint"),
    ("scheme_version_id", "bigint"),
    ("price_plan_id", "bigint"),
    ("frequency", "text"),
    ("cycle_day", "smallint"),
    ("agreement_date", "date"),
    ("binding_period", "text"),
    ("binding_start_date", "date"),
    ("binding_extension_days", "int"),
    ("effective_from", "date"),
)
_GONE: Final = frozenset({ServiceState.CANCELLED, ServiceState.SWAPPED, ServiceState.REMOVED, ServiceState.REGRETTED})


@dataclass(slots=True)
class _Ids:
    """Fresh identifiers, fetched once for the whole batch."""

    left: list[int] = field(default_factory=list)

    def take(self) -> int:
        return self.left.pop()


def write_effects(decided: list[Decided], *, tenant_id: int, using: str) -> None:
    """Write the changes of many actions, each of another subscription, in the open transaction."""
    if not decided:
        return
    changes = [(one, change) for one in decided for change in one.effects.services]
    news = [(one, new) for one in decided for new in one.effects.new_services]
    ids = _Ids(next_ids("base_object_seq", 2 * len(changes) + 2 * len(news) + 2 * len(decided), using=using))
    _touch_accounts(decided, using)
    _write_subscriptions(decided, tenant_id, ids, using)
    _write_services(changes, tenant_id, ids, using)
    _add_services(news, tenant_id, ids, using)
    _replace_terms([one for one in decided if one.effects.new_term], tenant_id, using)
    withdraw(decided, using=using)
    add_usages(decided, tenant_id=tenant_id, using=using)
    add_charges(decided, tenant_id=tenant_id, using=using)


def _touch_accounts(decided: list[Decided], using: str) -> None:
    """Say that the accounts changed: a run that has read them before will not post what it computed."""
    owners = sorted({one.facts.account_id for one in decided})
    execute(
        """UPDATE party_account a SET revision = revision + 1
           FROM unnest(%s::smallint[], %s::bigint[]) AS k (bucket, account_id)
           WHERE a.bucket = k.bucket AND a.account_id = k.account_id""",
        [[bucket_of(owner) for owner in owners], owners],
        using=using,
    )


def _write_subscriptions(decided: list[Decided], tenant_id: int, ids: _Ids, using: str) -> None:
    heads: list[Row] = []
    closed: list[Row] = []
    rows: list[Row] = []
    for one in decided:
        facts, effects = one.facts, one.effects
        key = (bucket_of(facts.account_id), facts.account_id)
        grace = effects.grace_until or facts.grace_until
        if effects.state is None:
            heads.append((*key, facts.subscription_id, None, None, facts.state_ends_on, grace, effects.location))
            continue
        on = effects.on
        heads.append(
            (*key, facts.subscription_id, effects.state.value, on, effects.state_ends_on, grace, effects.location)
        )
        closed.append((*key, facts.subscription_id, on))
        rows.append((*key, ids.take(), tenant_id, facts.subscription_id, effects.state.value, on, None, one.action_id))
        if facts.has_no_history:
            first = min(facts.changed_on, on) if on else facts.changed_on
            rows.append((*key, ids.take(), tenant_id, facts.subscription_id, facts.state.value, first, on, None))
    update_rows(
        "subscription_subscription",
        "state = coalesce(v.state, t.state), state_from = coalesce(v.state_from, t.state_from), "
        "state_ends_on = v.state_ends_on, grace_until = v.grace_until, "
        "location = coalesce(v.location, t.location), revision = t.revision + 1",
        (
            *KEY,
            ("state", "text"),
            ("state_from", "date"),
            ("state_ends_on", "date"),
            ("grace_until", "date"),
            ("location", "text"),
        ),
        heads,
        where=BY_KEY,
        using=using,
    )
    update_rows(
        "subscription_subscription_history",
        "effective_to = v.effective_to",
        (*KEY, ("effective_to", "date")),
        closed,
        where="t.bucket = v.bucket AND t.account_id = v.account_id AND t.subscription_id = v.id "
        "AND t.effective_to IS NULL",
        using=using,
    )
    insert_rows("subscription_subscription_history", _SUBSCRIPTION_HISTORY, rows, using=using)


def _write_services(changes: list[tuple[Decided, ServiceChange]], tenant_id: int, ids: _Ids, using: str) -> None:
    heads: list[Row] = []
    closed: list[Row] = []
    rows: list[Row] = []
    credited: list[Row] = []
    taken: list[Row] = []
    started: list[Row] = []
    for one, change in changes:
        service = change.service
        key = (bucket_of(one.facts.account_id), one.facts.account_id)
        ended = (change.credit_from or change.on) if change.state in _GONE else None
        is_billed = change.directive is BillingDirective.TO_BE_BILLED
        heads.append(
            (*key, service.service_id, change.state.value, change.on, ended, change.stays_off, change.bundle_id)
        )
        if service.has_history:
            closed.append((*key, service.service_id, change.on))
        else:
            rows.append(
                (
                    *(*key, ids.take(), tenant_id, service.service_id, service.state.value),
                    *(_directive_before(service), service.effective_from, change.on, service.billable_from),
                    *(service.bundle_id, None),
                )
            )
        rows.append(
            (
                *(*key, ids.take(), tenant_id, service.service_id, change.state.value, change.directive.value),
                *(change.on, None, change.billable_from if is_billed else None, change.bundle_id, one.action_id),
            )
        )
        back_to = (
            change.credit_from
            or change.rate_from
            or (change.on if change.directive is BillingDirective.TO_BE_CREDITED else None)
        )
        planned_end = None if service.has_history else service.effective_to
        credit_from = min(day for day in (back_to, planned_end, service.rated_up_to) if day is not None)
        if credit_from < service.rated_up_to:
            credited.append((*key, service.service_id, credit_from))
        if change.credit_from is not None:
            taken.append((*key, service.service_id, change.credit_from))
        if change.is_first:
            started.append((*key, service.service_id, change.on, change.billable_from, change.billing_effective_date))
    update_rows(
        "subscription_service",
        "state = v.state, state_from = v.state_from, stays_off = v.stays_off, bundle_id = v.bundle_id, "
        "has_history = true, effective_to = CASE "
        "WHEN v.effective_to IS NOT NULL THEN v.effective_to WHEN t.state = 'swapped' THEN NULL "
        "ELSE t.effective_to END",
        (
            *(*KEY, ("state", "text"), ("state_from", "date"), ("effective_to", "date")),
            *(("stays_off", "boolean"), ("bundle_id", "bigint")),
        ),
        heads,
        where=BY_KEY,
        using=using,
    )
    of_service = "t.bucket = v.bucket AND t.account_id = v.account_id AND t.service_id = v.id"
    update_rows(
        "subscription_service_history",
        "effective_to = v.effective_to",
        (*KEY, ("effective_to", "date")),
        closed,
        where=f"{of_service} AND t.effective_to IS NULL",
        using=using,
    )
    insert_rows("subscription_service_history", _HISTORY, rows, using=using)
    update_rows(
        "subscription_service_history",
        "directive = 'to_be_credited'",
        (*KEY, ("credit_from", "date")),
        taken,
        where=f"{of_service} AND t.directive = 'to_be_billed' AND t.effective_from >= v.credit_from",
        using=using,
    )
    update_rows(
        "subscription_service_rating",
        "credit_from = least(t.credit_from, v.credit_from)",
        (*KEY, ("credit_from", "date")),
        credited,
        where=of_service,
        using=using,
    )
    _start_services(started, using)


def _directive_before(service: ServiceFacts) -> str:
    """Return how the time of a service that has no history yet is billed."""
    is_draft = service.state is ServiceState.DRAFT
    return (BillingDirective.NOT_TO_BE_BILLED if is_draft else BillingDirective.TO_BE_BILLED).value


def _start_services(started: list[Row], using: str) -> None:
    """Let drafts that become effective begin on that day, not billed before."""
    update_rows(
        "subscription_service",
        "effective_from = v.effective_from, billable_from = v.billable_from, "
        "billing_effective_date = v.billing_effective_date",
        (*KEY, ("effective_from", "date"), ("billable_from", "date"), ("billing_effective_date", "date")),
        started,
        where=BY_KEY,
        using=using,
    )
    update_rows(
        "subscription_service_rating",
        "rated_up_to = v.billable_from",
        (*KEY, ("billable_from", "date")),
        [(*row[:3], row[4]) for row in started],
        where="t.bucket = v.bucket AND t.account_id = v.account_id AND t.service_id = v.id",
        using=using,
    )


def _add_services(news: list[tuple[Decided, NewService]], tenant_id: int, ids: _Ids, using: str) -> None:
    services, ratings, histories = [], [], []
    for one, new in news:
        service_id = ids.take()
        key = (bucket_of(one.facts.account_id), one.facts.account_id)
        is_draft = new.state is ServiceState.DRAFT
        directive = BillingDirective.NOT_TO_BE_BILLED if is_draft else BillingDirective.TO_BE_BILLED
        services.append(
            (
                *(*key, service_id, tenant_id, one.facts.subscription_id, new.code, new.product_id, new.quantity),
                *(new.on, new.billable_from, new.billing_effective_date, new.agreed_price_micro, 0),
                *(new.state.value, new.on, new.swapped_from, True, new.bundle_id),
            )
        )
        ratings.append((*key, service_id, tenant_id, new.billable_from))
        histories.append(
            (
                *(*key, ids.take(), tenant_id, service_id, new.state.value, directive.value, new.on, None),
                *(None if is_draft else new.billable_from, new.bundle_id, one.action_id),
            )
        )
    insert_rows("subscription_service", _SERVICE, services, using=using)
    insert_rows(
        "subscription_service_rating",
        (
            *(("bucket", "smallint"), ("account_id", "bigint"), ("service_id", "bigint")),
            *(("tenant_id", "int"), ("rated_up_to", "date"), ("generation", "smallint")),
        ),
        [(*row, 0) for row in ratings],
        using=using,
    )
    insert_rows("subscription_service_history", _HISTORY, histories, using=using)


def _replace_terms(decided: list[Decided], tenant_id: int, using: str) -> None:
    """End the contracts and let new ones take their place; the old ones still rate their past (R59)."""
    ended: list[Row] = []
    made: list[Row] = []
    fresh = next_ids("base_object_seq", len(decided), using=using) if decided else []
    for one, term_id in zip(decided, fresh, strict=True):
        old, new = one.facts.term, one.effects.new_term
        if old is None or new is None:
            continue
        key = (bucket_of(one.facts.account_id), one.facts.account_id)
        ended.append((*key, old.billing_term_id, new.on))
        made.append(
            (
                *(*key, term_id, tenant_id, one.facts.subscription_id, new.scheme_version_id, new.price_plan_id),
                *(new.frequency, new.cycle_day, new.agreement_date, new.binding_period, new.binding_start_date),
                *(new.binding_extension_days, new.on),
            )
        )
    columns = (*KEY, ("effective_to", "date"))
    update_rows("subscription_billing_term", "effective_to = v.effective_to", columns, ended, where=BY_KEY, using=using)
    insert_rows("subscription_billing_term", _TERM, made, using=using)
