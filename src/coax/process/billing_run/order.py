"""Runs as programs ask for them: begun once per key, executed in the background; and one account billed at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from coax.base.errors import DomainError
from coax.base.idempotency import perform_once
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.billing.queries.bills import find_bills
from coax.billing.queries.runs import get_run
from coax.billing.types import OPEN_STATES, RunCriteria, RunRow, RunStep
from coax.party.queries.accounts import get_account
from coax.process.billing_run.background import is_executing, start_execution
from coax.process.billing_run.bill_one import bill_individually
from coax.process.billing_run.plan import RunRequest, plan_run
from coax.process.bills.numbers import compose_bill_number
from coax.process.bills.reading import read_operator
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.jobs import get_billable_key

BEGIN: Final = "begin_run"
BILL: Final = "bill_account"


class RunUnderWay(DomainError):
    """The run is being executed at this moment, or is over."""

    code: ClassVar[str] = "run_under_way"


def find_criteria(
    *,
    tenant: Tenant,
    accounts: tuple[str, ...] = (),
    subscriptions: tuple[str, ...] = (),
    jobs: tuple[str, ...] = (),
    **codes: tuple[str, ...],
) -> RunCriteria:
    """Return criteria; accounts, subscriptions and jobs by key.

    Raises: AccountUnknown, SubscriptionUnknown, JobUnknown.
    """
    with tenant_transaction(tenant.id):
        owners = [get_account(tenant.id, code).account_id for code in accounts]
        keys = [get_subscription_key(tenant_id=tenant.id, code=code) for code in subscriptions]
        keys += [get_billable_key(tenant_id=tenant.id, job=code) for code in jobs]
    return RunCriteria(
        **codes,
        account_ids=tuple(owners + [key.account_id for key in keys]),
        subscription_ids=tuple(key.subscription_id for key in keys),
    )


def begin_run(
    *, tenant: Tenant, request: RunRequest, until: RunStep, asked: Mapping[str, Any], idempotency_key: str | None
) -> tuple[RunRow, bool]:
    """Plan a run and execute it in the background up to a step; return it as it was planned, and if it was repeated.

    A repetition starts nothing: a run whose server stopped is brought on by `continue_run`.

    Raises: what planning a run raises; IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        planned, is_repeated = perform_once(
            tenant_id=tenant.id,
            operation=BEGIN,
            key=idempotency_key,
            request=asked,
            action=lambda: {"run_id": plan_run(tenant=tenant, request=request)},
            using=RUN_ALIAS,
        )
    run = get_run(planned["run_id"], using=RUN_ALIAS)
    if not is_repeated:
        start_execution(run.id, until)
    return run, is_repeated


def continue_run(*, run: RunRow, until: RunStep) -> None:
    """Bring a run to a step in the background. Raises: RunUnderWay."""
    if run.state not in OPEN_STATES:
        raise RunUnderWay(f"Run {run.number} is {run.state.value}; it cannot be brought any further.", run=run.number)
    if is_executing(run.id) or not start_execution(run.id, until):
        raise RunUnderWay(f"Run {run.number} is being executed at this moment.", run=run.number)


def bill_account(
    *,
    tenant: Tenant,
    account_code: str,
    request: RunRequest,
    asked: Mapping[str, Any],
    idempotency_key: str | None,
) -> tuple[dict[str, Any], bool]:
    """Bill one account at once; return the numbers of its run and of its bill, if there is one, and if repeated.

    Raises: AccountUnknown, what planning and posting a run raise, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    account = get_account(tenant.id, account_code)
    criteria = RunCriteria(account_ids=(account.account_id,))
    return bill_criteria(
        tenant=tenant, criteria=criteria, request=request, asked=asked, idempotency_key=idempotency_key
    )


def bill_criteria(
    *,
    tenant: Tenant,
    criteria: RunCriteria,
    request: RunRequest,
    asked: Mapping[str, Any],
    idempotency_key: str | None,
) -> tuple[dict[str, Any], bool]:
    """Bill what is named of one account, such as a job, at once; as `bill_account`.

    Raises: what planning and posting a run raise, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        return perform_once(
            tenant_id=tenant.id,
            operation=BILL,
            key=idempotency_key,
            request=asked,
            action=lambda: _bill(tenant, replace(request, criteria=criteria)),
            using=RUN_ALIAS,
        )


def _bill(tenant: Tenant, request: RunRequest) -> dict[str, Any]:
    run = bill_individually(tenant=tenant, request=request, criteria=request.criteria).run
    bills = find_bills(tenant_id=tenant.id, run_id=run.id, limit=1, using=RUN_ALIAS)
    prefix = read_operator(tenant.id, using=RUN_ALIAS).bill_number_prefix
    return {"run": run.number, "bill": compose_bill_number(prefix, bills[0].number) if bills else None}
