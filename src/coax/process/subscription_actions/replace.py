"""Replace a subscription by one of another type: flexible by package, package by flexible (reference 3.1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from coax.base.idempotency import perform_once
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.party.queries.accounts import get_account
from coax.process.subscription_actions.context import make_context
from coax.process.subscription_actions.sell import SaleRequest, sell_subscription
from coax.subscription.operations.move_subscription import carry_items
from coax.subscription.operations.perform_actions import ActionContext, perform_actions
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, Behaviour, SubscriptionFacts
from coax.subscription.types.contracts import SubscriptionState


def replace_subscription(
    *,
    tenant: Tenant,
    code: str,
    request: SaleRequest,
    actor: str,
    idempotency_key: str | None = None,
    asked: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], bool]:
    """End a subscription as replaced and sell another one in its place, on the same account and day.

    What was billed ahead of the old one is credited; its items go over to the new one; what was scheduled is called
    off. A draft is replaced by a draft. `asked` is what two requests with the same key have in common. Returns the new
    code and action, and whether it was a repetition. All of it is stored, or nothing.

    Raises: SubscriptionUnknown, AccountUnknown, ActionRefused, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        return perform_once(
            tenant_id=tenant.id,
            operation="replace_subscription",
            key=idempotency_key,
            request=asked or {"replaced": code, **asdict(request)},
            action=lambda: _replace(tenant, code, request, actor),
            using=RUN_ALIAS,
        )


def _replace(tenant: Tenant, code: str, request: SaleRequest, actor: str) -> dict[str, Any]:
    context = dataclasses.replace(make_context(tenant, actor=actor, using=RUN_ALIAS), moves=True)
    facts = _end(code, request, context)
    owner = get_account(tenant.id, request.account_code)
    if owner.account_id != facts.account_id:
        raise ActionRefused("account", f"account: subscription {code} is not one of {request.account_code}.")
    is_draft = request.is_draft or facts.state is SubscriptionState.DRAFT
    sale = dataclasses.replace(request, is_draft=is_draft)
    answer, _ = sell_subscription(tenant=tenant, request=sale, actor=actor)
    key = get_subscription_key(tenant_id=tenant.id, code=answer["subscription"], using=RUN_ALIAS)
    carry_items(
        facts,
        account_id=key.account_id,
        subscription_id=key.subscription_id,
        services={},
        on=request.performed_on,
        reason=request.reason or f"in place of {code}",
        context=context,
    )
    return {**answer, "replaced": code}


def _end(code: str, request: SaleRequest, context: ActionContext) -> SubscriptionFacts:
    ending = ActionRequest(
        subscription_code=code,
        behaviour=Behaviour.REPLACE,
        performed_on=request.performed_on,
        reason=request.reason,
    )
    (outcome,) = perform_actions([ending], context)
    if outcome.refusal:
        raise outcome.refusal
    if outcome.facts is None:
        raise AssertionError("what was not refused has its facts")
    return outcome.facts
