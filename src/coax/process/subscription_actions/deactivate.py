"""Deactivate normal subscriptions of accounts that owe too much (R116-R121), a chunk of accounts at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from coax.base.clock import tenant_today
from coax.base.ids import BUCKETS
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.queries import get_entity
from coax.configuration.types.process_definition import DAYS_MAX, GROUP_MAX, DebtBasis, Occasions
from coax.process.subscription_actions.context import make_context
from coax.process.subscription_actions.standing import find_debtors, find_to_deactivate, split_buckets
from coax.process.subscription_actions.watch import UNWATCHED, BulkResult, Watch
from coax.subscription.operations.perform_actions import Outcome, perform_actions
from coax.subscription.types.actions import ActionRequest, Behaviour

ALL_OCCASIONS: Final = Occasions(look_back_days=DAYS_MAX)
REASON: Final = "The account owes too much."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeactivationCriteria:
    """Whom a deactivation is about, and how fast; nothing named means all. `threshold_minor`: what may be overdue.

    `performed_max` ends it after so many, the rest is left for the next time.
    """

    basis: DebtBasis = DebtBasis.BOTH
    threshold_minor: int = 0
    classifications: tuple[str, ...] = ()
    subscription_types: tuple[str, ...] = ()
    frequencies: tuple[str, ...] = ()
    occasions: Occasions = ALL_OCCASIONS
    group_size: int = GROUP_MAX
    performed_max: int | None = None


def deactivate_debtors(
    *, tenant: Tenant, criteria: DeactivationCriteria, actor: str, watch: Watch = UNWATCHED
) -> BulkResult:
    """Deactivate what the criteria name; each group is a transaction of its own, so a run may be stopped and repeated.

    A subscription in grace is left alone, and so are free services. Somebody whose rest or short-term deactivation
    ends today or lately is deactivated in place of coming back. Raises: EntityNotFound.
    """
    result = BulkResult()
    for codes, done in _find_groups(tenant, criteria):
        left = None if criteria.performed_max is None else criteria.performed_max - result.performed
        if left == 0:
            return result
        result.add(_deactivate(tenant, codes[:left], actor, watch))
        watch.advance(done, BUCKETS)
    return result


def _deactivate(tenant: Tenant, codes: Sequence[str], actor: str, watch: Watch) -> list[Outcome]:
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        context = make_context(tenant, actor=actor, spares_free=True, using=RUN_ALIAS)
        requests = [
            ActionRequest(
                subscription_code=code, behaviour=Behaviour.DEACTIVATE, performed_on=context.today, reason=REASON
            )
            for code in codes
        ]
        outcomes = perform_actions(requests, context)
        watch.note(outcomes)
    return outcomes


def _find_groups(tenant: Tenant, criteria: DeactivationCriteria) -> Iterator[tuple[list[str], int]]:
    """Yield the subscriptions in groups of the size asked for, and how many buckets are done with each."""
    waiting: list[str] = []
    for buckets in split_buckets(tenant.id):
        waiting += _find(tenant, criteria, buckets)
        while len(waiting) >= criteria.group_size:
            yield waiting[: criteria.group_size], buckets[0]
            waiting = waiting[criteria.group_size :]
    if waiting:
        yield waiting, BUCKETS


def _find(tenant: Tenant, criteria: DeactivationCriteria, buckets: tuple[int, int]) -> list[str]:
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        today = tenant_today(tenant.id, using=RUN_ALIAS)
        debtors = find_debtors(
            tenant_id=tenant.id,
            today=today,
            threshold_minor=criteria.threshold_minor,
            buckets=buckets,
            classification_ids=_ids("account_classification", criteria.classifications),
            using=RUN_ALIAS,
        )
        chosen = [debtor.account_id for debtor in debtors if debtor.meets(criteria.basis)]
        if not chosen:
            return []
        return find_to_deactivate(
            tenant_id=tenant.id,
            account_ids=chosen,
            today=today,
            occasions=criteria.occasions,
            type_ids=_ids("subscription_type", criteria.subscription_types),
            frequencies=criteria.frequencies or None,
            using=RUN_ALIAS,
        )


def _ids(kind: str, codes: tuple[str, ...]) -> list[int] | None:
    return [get_entity(kind, code, using=RUN_ALIAS).entity_id for code in codes] if codes else None
