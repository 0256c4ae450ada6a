"""Move a subscription to another account (reference 3.1, change of the subscriber's account)."""

from __future__ import annotations

from dataclasses import replace

from coax.base.tenancy import Tenant, tenant_transaction
from coax.party.queries.accounts import get_account, get_account_code
from coax.process.subscription_actions.standing import find_over_limit
from coax.subscription.operations.move_subscription import Target, lock_accounts, move_subscription
from coax.subscription.operations.perform_actions import ActionContext, Outcome
from coax.subscription.queries.codes import SubscriptionKey
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest


def perform_move(*, tenant: Tenant, request: ActionRequest, context: ActionContext, key: SubscriptionKey) -> Outcome:
    """Move a subscription in the open transaction; return what became of it on its old account.

    Raises: AccountUnknown, SubscriptionBusy, ActionRefused.
    """
    if not request.account_code:
        raise ActionRefused("account", "account: empty is not allowed; allowed: the account that it goes to.")
    target = get_account(tenant.id, request.account_code)
    with tenant_transaction(tenant.id):
        source = get_account(tenant.id, get_account_code(tenant_id=tenant.id, account_id=key.account_id))
    lock_accounts((source.account_id, target.account_id), using=context.using)
    over = find_over_limit([target.account_id], using=context.using)
    return move_subscription(
        request,
        replace(context, over_limit=context.over_limit | over),
        key=key,
        target=Target(target.account_id, target.code, target.state, target.currency),
        currency=source.currency,
    )
