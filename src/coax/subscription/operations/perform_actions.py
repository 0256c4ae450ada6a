"""Perform actions on subscriptions: any number of them by the same few statements, one being a set of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from coax.base.numbers import next_ids
from coax.base.outbox import append_facts
from coax.base.tenancy import APP_ALIAS
from coax.subscription.batch.actions import NewAction, call_off, call_off_services, close_actions, write_actions
from coax.subscription.batch.decided import Decided
from coax.subscription.batch.effects import write_effects
from coax.subscription.queries.codes import SubscriptionUnknown
from coax.subscription.queries.facts import find_recorded, find_subscription_keys, lock_facts
from coax.subscription.rules.action_types import check_action_type
from coax.subscription.rules.decide import decide, spares_free_services
from coax.subscription.rules.machine import ENDINGS, LIVE, LIVE_SERVICE
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import (
    REASON_CHARS_MAX,
    ActionRequest,
    ActionState,
    Behaviour,
    Effects,
    SubscriptionFacts,
    UsageDetail,
)

Key = tuple[int, int]
# What keeps services off at the end of a state for a time.
_STAYS_OFF: Final = frozenset({"credit_limit", "activation_condition", "installed_item_rules"})
# What ends a subscription so that another one goes on in its place, which the caller lays down.
_CONTINUED: Final = frozenset({Behaviour.CHANGE_ACCOUNT, Behaviour.REPLACE})
_WITH_CHARGES: Final = frozenset(
    {Behaviour.REGRET, Behaviour.REGRET_SERVICE, Behaviour.CANCEL_EXPENSE, Behaviour.CANCEL_SERVICE_USAGE}
)
_WITH_SERVED: Final = frozenset({Behaviour.ADD_SERVICE_USAGE})
_WITH_RESTS: Final = frozenset({Behaviour.REST, Behaviour.END_RESTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """Who acts, when, by which rules; `over_limit` are the accounts that owe more than they may.

    `remaining_fees`: see `decide`. `wait` is NOWAIT or nothing, `spares_free` leaves free services as they are,
    `moves` says that the caller lays a subscription that goes to another account down there.
    """

    tenant_id: int
    actor: str
    today: date
    now: datetime
    policy: Policy
    over_limit: frozenset[int] = frozenset()
    remaining_fees: Mapping[int, int] = field(default_factory=dict)
    spares_free: bool = False
    moves: bool = False
    wait: str = ""
    using: str = APP_ALIAS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request: what it changed, or why it was refused and changed nothing.

    `instead` says why another action took its place.
    """

    request: ActionRequest
    action_id: int | None
    facts: SubscriptionFacts | None
    effects: Effects | None
    refusal: ActionRefused | SubscriptionUnknown | None = None
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A request that was recorded before, by its action's key."""

    action_id: int
    account_id: int
    subscription_id: int


def perform_actions(
    requests: Sequence[ActionRequest], context: ActionContext, *, scheduled: Sequence[Scheduled] = ()
) -> list[Outcome]:
    """Perform every request that is allowed, in the open transaction, and return the outcomes in the same order.

    `scheduled` names, in the same order, the records of requests that were scheduled before; without it each request
    leaves a new record. A refused request changes nothing; a scheduled one is recorded as rejected. Several requests
    on one subscription are performed one after the other.

    Raises: SubscriptionBusy, where the context does not wait.
    """
    keys = _find_keys(requests, context, scheduled)
    outcomes: dict[int, Outcome] = {}
    for places in _rounds(keys):
        batch = {place: keys[place] for place in places}
        outcomes.update(_perform_round(requests, batch, context, scheduled))
    missing = [place for place, key in enumerate(keys) if key is None]
    for place in missing:
        outcomes[place] = Outcome(requests[place], None, None, None, _unknown(requests[place]))
    return [outcomes[place] for place in range(len(requests))]


def _find_keys(
    requests: Sequence[ActionRequest], context: ActionContext, scheduled: Sequence[Scheduled]
) -> list[Key | None]:
    if scheduled:
        return [(one.account_id, one.subscription_id) for one in scheduled]
    codes = {request.subscription_code for request in requests}
    known = find_subscription_keys(tenant_id=context.tenant_id, codes=codes, using=context.using)
    return [known.get(request.subscription_code) for request in requests]


def _rounds(keys: Sequence[Key | None]) -> list[list[int]]:
    """Return the places of the requests in rounds, each with every subscription at most once."""
    rounds: list[list[int]] = []
    seen: dict[Key, int] = {}
    for place, key in enumerate(keys):
        if key is None:
            continue
        turn = seen.get(key, 0)
        seen[key] = turn + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(place)
    return rounds


def _perform_round(
    requests: Sequence[ActionRequest],
    batch: dict[int, Key | None],
    context: ActionContext,
    scheduled: Sequence[Scheduled],
) -> dict[int, Outcome]:
    keys = [key for key in batch.values() if key is not None]
    behaviours = {requests[place].behaviour for place in batch}
    facts = lock_facts(
        tenant_id=context.tenant_id,
        keys=keys,
        today=context.today,
        over_limit=context.over_limit,
        with_rests=bool(behaviours & _WITH_RESTS),
        with_account=context.policy.counts_over_accounts,
        with_items=context.policy.asks_for_items,
        with_charges=bool(behaviours & _WITH_CHARGES),
        with_served=bool(behaviours & _WITH_SERVED),
        wait=context.wait,
        using=context.using,
    )
    recorded = _find_recorded([(requests[place], key) for place, key in batch.items() if key], context.using)
    fresh = iter(next_ids("base_object_seq", len(batch), using=context.using) if not scheduled else ())
    outcomes: dict[int, Outcome] = {}
    for place, key in batch.items():
        action_id = scheduled[place].action_id if scheduled else next(fresh)
        request = requests[place]
        outcomes[place] = _judge(request, action_id, facts.get(key) if key else None, context, is_due=bool(scheduled))
        told = _reference_of(request, key) if key else None
        if told in recorded:
            text = f"reference: {told[2]!r} of {told[1]!r} is recorded already, as {recorded[told]}."
            outcomes[place] = replace(outcomes[place], effects=None, refusal=ActionRefused("reference", text))
        elif told and told[2] and outcomes[place].effects:  # another subscription of the account may tell it too
            recorded[told] = f"usage of {request.subscription_code}"
    _write(list(outcomes.values()), context, is_scheduled=bool(scheduled))
    return outcomes


def _reference_of(request: ActionRequest, key: Key) -> tuple[int, str, str]:
    usage = request.usage or UsageDetail()
    return key[0], usage.source_system, usage.reference


def _find_recorded(batch: Sequence[tuple[ActionRequest, Key]], using: str) -> dict[tuple[int, str, str], str]:
    """Return the usages of a round that are recorded already: told twice, billed once."""
    told = [_reference_of(request, key) for request, key in batch if request.usage and request.usage.reference]
    return find_recorded(told, using=using)


def _judge(
    request: ActionRequest, action_id: int, facts: SubscriptionFacts | None, context: ActionContext, *, is_due: bool
) -> Outcome:
    if facts is None:
        return Outcome(request, action_id, None, None, _unknown(request))
    try:
        if not is_due:
            check_action_type(request, context.policy)
        return Outcome(request, action_id, facts, _decide(request, facts, context))
    except ActionRefused as refusal:
        if is_due and refusal.rule in _STAYS_OFF and request.behaviour in ENDINGS.values():
            instead = replace(request, behaviour=Behaviour.DEACTIVATE, action_type="", sub_action_type="")
            outcome = _judge(instead, action_id, facts, context, is_due=False)
            return replace(outcome, instead=f"Deactivated instead: {refusal.message}")
        return Outcome(request, action_id, facts, None, refusal)


def _decide(request: ActionRequest, facts: SubscriptionFacts, context: ActionContext) -> Effects:
    if len(request.reason) > REASON_CHARS_MAX:
        text = f"reason: {len(request.reason)} characters are too many; allowed is up to {REASON_CHARS_MAX}."
        raise ActionRefused("reason", text)
    if not context.policy.may_see(context.policy.type_of(facts)):
        text = f"{request.behaviour}: subscriptions of {facts.code}'s type are not for {context.policy.unit}."
        raise ActionRefused("organisational_unit", text)
    effects = decide(request, facts, context.policy, today=context.today, remaining_fees=context.remaining_fees)
    if request.behaviour in _CONTINUED and not context.moves:
        text = f"{request.behaviour}: is done by itself, with what goes on in its place; nothing schedules it."
        raise ActionRefused("behaviour", text)
    return spares_free_services(effects, facts, context.policy) if context.spares_free else effects


def _unknown(request: ActionRequest) -> SubscriptionUnknown:
    code = request.subscription_code
    return SubscriptionUnknown(f"There is no subscription {code!r}.", subscription=code)


def _write(outcomes: list[Outcome], context: ActionContext, *, is_scheduled: bool) -> None:
    """Write effects and records of one round."""
    decided = [
        Decided(one.action_id, one.facts, one.effects)
        for one in outcomes
        if one.action_id is not None and one.facts is not None and one.effects is not None
    ]
    write_effects(decided, tenant_id=context.tenant_id, using=context.using)
    _follow_up(outcomes, context)
    if is_scheduled:
        closed = [
            (
                one.facts.account_id,
                one.action_id,
                ActionState.REJECTED if one.refusal else ActionState.EXECUTED,
                one.refusal.message if one.refusal else one.instead,
            )
            for one in outcomes
            if one.facts is not None and one.action_id is not None
        ]
        close_actions(closed, at=context.now, by=context.actor, using=context.using)
    else:
        write_actions(
            [
                NewAction(
                    action_id=one.action_id,
                    account_id=one.facts.account_id,
                    subscription_id=one.facts.subscription_id,
                    request=one.request,
                    state=ActionState.EXECUTED,
                    submitted_at=context.now,
                    submitted_by=context.actor,
                    executed_at=context.now,
                    executed_by=context.actor,
                )
                for one in outcomes
                if one.effects is not None and one.facts is not None and one.action_id is not None
            ],
            tenant_id=context.tenant_id,
            using=context.using,
        )
    append_facts(
        tenant_id=context.tenant_id,
        kind="subscription_action",
        bodies=(
            {
                "action": one.action_id,
                "subscription": one.request.subscription_code,
                "behaviour": one.request.behaviour,
                "service": one.request.service_code,
                "on": one.request.performed_on,
                "actor": context.actor,
            }
            for one in outcomes
            if one.effects is not None
        ),
        using=context.using,
    )


def _follow_up(outcomes: list[Outcome], context: ActionContext) -> None:
    """Call off the ends of states that are over and what waits for services that are, and schedule new ends."""
    over = [
        (one.facts.account_id, one.facts.subscription_id, change.service.code)
        for one in outcomes
        if one.effects is not None and one.facts is not None
        for change in one.effects.services
        if change.state not in LIVE_SERVICE
    ]
    if over:
        acting = [one.action_id for one in outcomes if one.action_id is not None]
        call_off_services(over, but=acting, at=context.now, by=context.actor, using=context.using)
    changed = [one for one in outcomes if one.effects is not None and one.facts is not None and one.effects.state]
    if not changed:
        return
    call_off(
        [(one.facts.account_id, one.facts.subscription_id) for one in changed if one.facts],
        behaviours=tuple(ENDINGS.values()),
        but=[one.action_id for one in changed if one.action_id is not None],
        gone=[
            (one.facts.account_id, one.facts.subscription_id)
            for one in changed
            if one.facts and one.effects and one.effects.state not in LIVE
        ],
        at=context.now,
        by=context.actor,
        using=context.using,
    )
    ending = [one for one in changed if one.effects and one.effects.state_ends_on]
    fresh = next_ids("base_object_seq", len(ending), using=context.using) if ending else []
    write_actions(
        [
            NewAction(
                action_id=action_id,
                account_id=one.facts.account_id,
                subscription_id=one.facts.subscription_id,
                request=ActionRequest(
                    subscription_code=one.request.subscription_code,
                    behaviour=ENDINGS[one.request.behaviour],
                    performed_on=one.effects.state_ends_on,
                    reason=one.request.reason,
                ),
                state=ActionState.SCHEDULED,
                submitted_at=context.now,
                submitted_by=context.actor,
            )
            for one, action_id in zip(ending, fresh, strict=True)
            if one.facts and one.effects and one.effects.state_ends_on
        ],
        tenant_id=context.tenant_id,
        using=context.using,
    )
