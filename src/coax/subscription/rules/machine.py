"""The state machine of subscriptions and services as data: what each action may begin from, and where it leads.

Reference 3.1. The diagram in docs/life-cycle.md is drawn from `TRANSITIONS`; nothing else says what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from coax.configuration.types.billing_term_definition import BillingDirective
from coax.subscription.types.actions import Behaviour, ServiceState
from coax.subscription.types.contracts import ENDED, SubscriptionState

_S: Final = SubscriptionState
_V: Final = ServiceState
LIVE: Final = frozenset(_S) - ENDED
LIVE_SERVICE: Final = frozenset(_V) - {_V.REGRETTED, _V.CANCELLED, _V.SWAPPED, _V.REMOVED, _V.REPLACED}


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table of actions.

    `to` is None where the subscription's state stays. `service_from` -> `service_to` is what happens to its services,
    to all of them or (`is_of_service`) to the one named. `needs_end`: a state for a time wants its end.
    """

    begins_from: frozenset[SubscriptionState]
    to: SubscriptionState | None = None
    service_from: frozenset[ServiceState] = frozenset()
    service_to: ServiceState | None = None
    is_of_service: bool = False
    adds_service: bool = False
    needs_end: bool = False
    activates: bool = False


TRANSITIONS: Final[dict[Behaviour, Transition]] = {
    Behaviour.ACTIVATE: Transition(
        frozenset({_S.DRAFT, _S.NOT_EFFECTIVE}),
        _S.EFFECTIVE,
        frozenset({_V.DRAFT, _V.NOT_EFFECTIVE}),
        _V.EFFECTIVE,
        activates=True,
    ),
    Behaviour.DEACTIVATE: Transition(
        frozenset({_S.EFFECTIVE, _S.IN_RESTING, _S.SHORT_TERM_NOT_EFFECTIVE}),
        _S.NOT_EFFECTIVE,
        frozenset({_V.EFFECTIVE, _V.IN_RESTING, _V.SHORT_TERM_NOT_EFFECTIVE}),
        _V.NOT_EFFECTIVE,
    ),
    Behaviour.REST: Transition(
        frozenset({_S.EFFECTIVE}), _S.IN_RESTING, frozenset({_V.EFFECTIVE}), _V.IN_RESTING, needs_end=True
    ),
    Behaviour.END_RESTING: Transition(
        frozenset({_S.IN_RESTING}), _S.EFFECTIVE, frozenset({_V.IN_RESTING}), _V.EFFECTIVE, activates=True
    ),
    Behaviour.SHORT_TERM_ACTIVATE: Transition(
        frozenset({_S.DRAFT, _S.NOT_EFFECTIVE}),
        _S.SHORT_TERM_EFFECTIVE,
        frozenset({_V.DRAFT, _V.NOT_EFFECTIVE}),
        _V.SHORT_TERM_EFFECTIVE,
        needs_end=True,
    ),
    Behaviour.END_SHORT_TERM_ACTIVATION: Transition(
        frozenset({_S.SHORT_TERM_EFFECTIVE}),
        _S.NOT_EFFECTIVE,
        frozenset({_V.SHORT_TERM_EFFECTIVE}),
        _V.NOT_EFFECTIVE,
    ),
    Behaviour.SHORT_TERM_DEACTIVATE: Transition(
        frozenset({_S.EFFECTIVE}),
        _S.SHORT_TERM_NOT_EFFECTIVE,
        frozenset({_V.EFFECTIVE}),
        _V.SHORT_TERM_NOT_EFFECTIVE,
        needs_end=True,
    ),
    Behaviour.END_SHORT_TERM_DEACTIVATION: Transition(
        frozenset({_S.SHORT_TERM_NOT_EFFECTIVE}),
        _S.EFFECTIVE,
        frozenset({_V.SHORT_TERM_NOT_EFFECTIVE}),
        _V.EFFECTIVE,
        activates=True,
    ),
    Behaviour.EXTEND_GRACE: Transition(frozenset({_S.DRAFT, _S.EFFECTIVE, _S.NOT_EFFECTIVE}), needs_end=True),
    Behaviour.CANCEL: Transition(LIVE, _S.CANCELLED, LIVE_SERVICE, _V.CANCELLED),
    Behaviour.REGRET: Transition(
        frozenset({_S.DRAFT, _S.EFFECTIVE, _S.NOT_EFFECTIVE}), _S.REGRETTED, LIVE_SERVICE, _V.REGRETTED
    ),
    Behaviour.START_SERVICE: Transition(
        frozenset({_S.EFFECTIVE}),
        None,
        frozenset({_V.DRAFT, _V.NOT_EFFECTIVE}),
        _V.EFFECTIVE,
        is_of_service=True,
        activates=True,
    ),
    Behaviour.STOP_SERVICE: Transition(
        frozenset({_S.EFFECTIVE}), None, frozenset({_V.EFFECTIVE}), _V.NOT_EFFECTIVE, is_of_service=True
    ),
    Behaviour.ADD_SERVICE: Transition(
        frozenset({_S.EFFECTIVE}), None, service_to=_V.EFFECTIVE, adds_service=True, activates=True
    ),
    Behaviour.ADD_SERVICE_AS_DRAFT: Transition(
        frozenset({_S.DRAFT, _S.EFFECTIVE, _S.NOT_EFFECTIVE}), None, service_to=_V.DRAFT, adds_service=True
    ),
    Behaviour.CANCEL_SERVICE: Transition(
        frozenset({_S.EFFECTIVE, _S.NOT_EFFECTIVE}),
        None,
        frozenset({_V.EFFECTIVE, _V.NOT_EFFECTIVE}),
        _V.CANCELLED,
        is_of_service=True,
    ),
    Behaviour.REGRET_SERVICE: Transition(
        frozenset({_S.EFFECTIVE, _S.NOT_EFFECTIVE}),
        None,
        frozenset({_V.EFFECTIVE, _V.NOT_EFFECTIVE}),
        _V.REGRETTED,
        is_of_service=True,
    ),
    Behaviour.UNDO_ADD_SERVICE: Transition(
        frozenset({_S.DRAFT, _S.EFFECTIVE, _S.NOT_EFFECTIVE}),
        None,
        frozenset({_V.DRAFT}),
        _V.REMOVED,
        is_of_service=True,
    ),
    Behaviour.SWAP_SERVICE: Transition(
        frozenset({_S.EFFECTIVE}),
        None,
        frozenset({_V.EFFECTIVE}),
        _V.SWAPPED,
        is_of_service=True,
        adds_service=True,
    ),
    Behaviour.AMEND_BUNDLE: Transition(frozenset({_S.DRAFT, _S.EFFECTIVE})),
    Behaviour.AMEND_BILLING_TERM: Transition(frozenset({_S.DRAFT, _S.EFFECTIVE, _S.NOT_EFFECTIVE, _S.IN_RESTING})),
    Behaviour.ADD_EXPENSE: Transition(LIVE),
    Behaviour.CANCEL_EXPENSE: Transition(LIVE | {_S.CANCELLED}),
    # Usage is told late: whether it could be used is asked of the carrying service's history, on the day of use.
    Behaviour.ADD_SERVICE_USAGE: Transition((LIVE | {_S.CANCELLED}) - {_S.DRAFT}),
    Behaviour.CANCEL_SERVICE_USAGE: Transition(LIVE | {_S.CANCELLED}),
    Behaviour.CHANGE_LOCATION: Transition(LIVE),
    Behaviour.CHANGE_ACCOUNT: Transition(
        frozenset({_S.DRAFT, _S.EFFECTIVE, _S.NOT_EFFECTIVE}), _S.REPLACED, LIVE_SERVICE, _V.REPLACED
    ),
    Behaviour.REPLACE: Transition(frozenset({_S.DRAFT, _S.EFFECTIVE}), _S.REPLACED, LIVE_SERVICE, _V.REPLACED),
}

# What ends a state for a time; it is scheduled when the state begins. Where the account owes too much on that day, the
# services stay off all the same (reference 7.1).
ENDINGS: Final[dict[Behaviour, Behaviour]] = {
    Behaviour.REST: Behaviour.END_RESTING,
    Behaviour.SHORT_TERM_ACTIVATE: Behaviour.END_SHORT_TERM_ACTIVATION,
    Behaviour.SHORT_TERM_DEACTIVATE: Behaviour.END_SHORT_TERM_DEACTIVATION,
}
FOR_A_TIME: Final = frozenset({_S.IN_RESTING, _S.SHORT_TERM_EFFECTIVE, _S.SHORT_TERM_NOT_EFFECTIVE})

# How time in a state is billed unless a billing term definition says otherwise. Somebody cut off for debt gets nothing
# back of what was billed ahead; somebody who left, or who was granted a pause, does.
DIRECTIVES: Final[dict[ServiceState, BillingDirective]] = {
    _V.DRAFT: BillingDirective.NOT_TO_BE_BILLED,
    _V.EFFECTIVE: BillingDirective.TO_BE_BILLED,
    _V.NOT_EFFECTIVE: BillingDirective.NOT_TO_BE_BILLED,
    _V.IN_RESTING: BillingDirective.TO_BE_CREDITED,
    _V.SHORT_TERM_EFFECTIVE: BillingDirective.TO_BE_BILLED,
    _V.SHORT_TERM_NOT_EFFECTIVE: BillingDirective.TO_BE_CREDITED,
    _V.REGRETTED: BillingDirective.TO_BE_CREDITED,
    _V.CANCELLED: BillingDirective.TO_BE_CREDITED,
    _V.SWAPPED: BillingDirective.TO_BE_CREDITED,
    _V.REMOVED: BillingDirective.NOT_TO_BE_BILLED,
    _V.REPLACED: BillingDirective.TO_BE_CREDITED,
}
