"""Deactivate normal subscriptions of accounts that owe too much (R116-R121), a chunk of accounts at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from coax.base.clock import tenant_today
from coax.base.ids import BUCKETS
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.queries import get_entity
from coax.process.subscription_actions.context import make_context
from coax.process.subscription_actions.standing import DebtBasis, find_debtors, find_to_deactivate
from coax.subscription.operations.perform_actions import Outcome, perform_actions
from coax.subscription.types.actions import ActionRequest, Behaviour

BUCKETS_AT_A_TIME: Final = 64
SUBSCRIPTIONS_AT_A_TIME: Final = 5_000
REASON: Final = "The account owes too much."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeactivationCriteria:
    """Whom a deactivation is about; nothing named means all. `threshold_minor`: what may be overdue."""

    basis: DebtBasis = DebtBasis.BOTH
    threshold_minor: int = 0
    classifications: tuple[str, ...] = ()
    subscription_types: tuple[str, ...] = ()
    frequencies: tuple[str, ...] = ()


@dataclass(slots=True)
class BulkResult:
    """How many actions were performed, and those that were refused, by subscription."""

    performed: int = 0
    refused: list[tuple[str, str]] | None = None

    def add(self, outcomes: list[Outcome]) -> None:
        """Count outcomes."""
        self.refused = self.refused or []
        for one in outcomes:
            if one.refusal:
                self.refused.append((one.request.subscription_code, one.refusal.message))
            else:
                self.performed += 1


def deactivate_debtors(
    *,
    tenant: Tenant,
    criteria: DeactivationCriteria,
    actor: str,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> BulkResult:
    """Deactivate what the criteria name; each chunk is a transaction of its own, so a run may be stopped and repeated.

    A subscription in grace is left alone, and so are free services. Somebody whose rest or short-term deactivation
    ends today or before is deactivated in place of coming back. Raises: EntityNotFound.
    """
    result = BulkResult(refused=[])
    for first in range(0, BUCKETS, BUCKETS_AT_A_TIME):
        buckets = (first, first + BUCKETS_AT_A_TIME - 1)
        for codes in _chunks(_find(tenant, criteria, buckets)):
            with tenant_transaction(tenant.id, using=RUN_ALIAS):
                context = make_context(tenant, actor=actor, spares_free=True, using=RUN_ALIAS)
                requests = [
                    ActionRequest(
                        subscription_code=code,
                        behaviour=Behaviour.DEACTIVATE,
                        performed_on=context.today,
                        reason=REASON,
                    )
                    for code in codes
                ]
                result.add(perform_actions(requests, context))
        progress(first + BUCKETS_AT_A_TIME, BUCKETS)
    return result


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
            type_ids=_ids("subscription_type", criteria.subscription_types),
            frequencies=criteria.frequencies or None,
            using=RUN_ALIAS,
        )


def _ids(kind: str, codes: tuple[str, ...]) -> list[int] | None:
    return [get_entity(kind, code, using=RUN_ALIAS).entity_id for code in codes] if codes else None


def _chunks(codes: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(codes), SUBSCRIPTIONS_AT_A_TIME):
        yield codes[start : start + SUBSCRIPTIONS_AT_A_TIME]
