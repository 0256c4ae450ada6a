"""Record many usages at once: through the action, so by its rules, a few statements for any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from coax.base.tenancy import APP_ALIAS, Tenant
from coax.process.subscription_actions.context import make_context
from coax.subscription.operations.perform_actions import perform_actions
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest

KNOWN: Final = "reference"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a usage was not recorded; `place` is its place among those that were told together."""

    place: int
    subscription: str
    rule: str
    reason: str


@dataclass(slots=True)
class Recorded:
    """How many usages were recorded, how many were known by their reference, and those that were refused."""

    recorded: int = 0
    known: int = 0
    refused: list[Refusal] = field(default_factory=list)


def record_usages(requests: Sequence[ActionRequest], *, tenant: Tenant, actor: str, using: str = APP_ALIAS) -> Recorded:
    """Perform actions `add_service_usage` of days up to today, in the open transaction.

    One that is refused changes nothing and keeps no other back; one whose source system has told it before is known.
    """
    done = Recorded()
    context = make_context(tenant, actor=actor, using=using)
    for place, outcome in enumerate(perform_actions(requests, context)):
        fault = outcome.refusal
        rule = fault.rule if isinstance(fault, ActionRefused) else "subscription"
        if fault is None:
            done.recorded += 1
        elif rule == KNOWN:
            done.known += 1
        else:
            done.refused.append(Refusal(place, outcome.request.subscription_code, rule, fault.message))
    return done
