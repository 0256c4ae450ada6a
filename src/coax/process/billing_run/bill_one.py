"""Bill Account and Bill Subscription (R87): an individual run, the run's own code in one transaction.

Nothing is staged: it is planned, computed, numbered and posted at once, or not at all.
"""

from __future__ import annotations

from dataclasses import replace

from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.billing.operations.runs import number_parts, set_run_state
from coax.billing.queries.runs import find_parts, get_progress, get_run
from coax.billing.types import RunCriteria, RunKind, RunState
from coax.process.billing_run.compute import COMPUTED, perform_steps
from coax.process.billing_run.context import load_context
from coax.process.billing_run.execute import RunResult
from coax.process.billing_run.plan import RunRequest, plan_run
from coax.process.billing_run.post import post_frames


def bill_individually(*, tenant: Tenant, request: RunRequest, criteria: RunCriteria) -> RunResult:
    """Bill the accounts or subscriptions that the criteria name, at once, in this process.

    Raises: what planning a run raises; AccountsKeepMoving.
    """
    individual = replace(request, criteria=criteria, kind=RunKind.INDIVIDUAL, is_dry=False)
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        run_id = plan_run(tenant=tenant, request=individual)
        run, context = load_context(run_id)
        (part,) = find_parts(run_id, using=RUN_ALIAS)
        frames = perform_steps(COMPUTED, {}, run=run, part=part, context=context)
        number_parts(tenant_id=tenant.id, run_id=run_id, using=RUN_ALIAS, counts={part.part: frames["bills"].height})
        (numbered,) = find_parts(run_id, using=RUN_ALIAS)
        post_frames(frames, run=run, part=numbered, context=context)
        sums = get_progress(run_id, using=RUN_ALIAS)
        set_run_state(run_id=run_id, state=RunState.COMPLETED, totals=sums, using=RUN_ALIAS)
        return RunResult(get_run(run_id, using=RUN_ALIAS), sums)
