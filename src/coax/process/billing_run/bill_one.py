"""Bill Account and Bill Subscription (R87), and the preview of a next bill: the run's own code on one account."""

from __future__ import annotations

from coax.base.tenancy import Tenant
from coax.billing.types import RunCriteria, RunKind, RunStep
from coax.process.billing_run.execute import RunResult, execute_run
from coax.process.billing_run.plan import RunRequest, plan_run


def bill_individually(*, tenant: Tenant, request: RunRequest, criteria: RunCriteria) -> RunResult:
    """Bill the accounts or subscriptions that the criteria name, at once, in this process."""
    individual = RunRequest(
        execution_date=request.execution_date,
        bill_as_of=request.bill_as_of,
        transaction_date=request.transaction_date,
        due=request.due,
        criteria=criteria,
        kind=RunKind.INDIVIDUAL,
        actor=request.actor,
    )
    return execute_run(run_id=plan_run(tenant=tenant, request=individual), until=RunStep.FORMATTING, workers=1)
