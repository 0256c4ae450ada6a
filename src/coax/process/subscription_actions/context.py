"""Who acts, when and by which rules."""

from __future__ import annotations

from coax.base.clock import tenant_now, tenant_today
from coax.base.tenancy import APP_ALIAS, Tenant
from coax.party.queries.staff import find_unit
from coax.subscription.operations.perform_actions import ActionContext
from coax.subscription.queries.policy import load_policy


def make_context(
    tenant: Tenant,
    *,
    actor: str,
    over_limit: frozenset[int] = frozenset(),
    spares_free: bool = False,
    wait: str = "",
    using: str = APP_ALIAS,
) -> ActionContext:
    """Return the context of actions performed now, in the open transaction."""
    today = tenant_today(tenant.id, using=using)
    return ActionContext(
        tenant_id=tenant.id,
        actor=actor,
        today=today,
        now=tenant_now(tenant.id, using=using),
        policy=load_policy(today, unit=find_unit(tenant_id=tenant.id, username=actor, using=using), using=using),
        over_limit=over_limit,
        spares_free=spares_free,
        wait=wait,
        using=using,
    )
