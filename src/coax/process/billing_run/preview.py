"""The next bill of one account, by the run's own code, taken back before anyone else sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from coax.base.tenancy import RUN_ALIAS, Tenant, set_tenant
from coax.billing.queries.bills import find_bills
from coax.billing.queries.runs import list_outcomes
from coax.billing.types import RunCriteria
from coax.process.billing_run.bill_one import bill_individually
from coax.process.billing_run.plan import RunRequest, find_next_bill_as_of
from coax.process.bills.compose import compose_document
from coax.process.bills.facts import BillFacts
from coax.process.bills.reading import read_facts


@dataclass(frozen=True, slots=True)
class Preview:
    """What the next run would bill an account: the facts of its bill, if there would be one, and what waits."""

    facts: BillFacts | None
    not_billed: list[dict[str, Any]]


def preview_bill(*, tenant: Tenant, account_id: int, request: RunRequest) -> Preview:
    """Bill the account, read the bill, and take everything back.

    Raises: what planning and executing a run raise; BillDoesNotAddUp.
    """
    with transaction.atomic(using=RUN_ALIAS):
        set_tenant(tenant.id, using=RUN_ALIAS)
        criteria = RunCriteria(account_ids=(account_id,))
        bill_as_of = request.bill_as_of or find_next_bill_as_of(tenant=tenant, execution_date=request.execution_date)
        dated = replace(request, bill_as_of=bill_as_of)
        result = bill_individually(tenant=tenant, request=dated, criteria=criteria)
        bills = find_bills(tenant_id=tenant.id, run_id=result.run.id, limit=1, using=RUN_ALIAS)
        facts = read_facts(tenant_id=tenant.id, keys=[row.key for row in bills], using=RUN_ALIAS) if bills else []
        outcomes = list_outcomes(tenant_id=tenant.id, run_id=result.run.id, using=RUN_ALIAS)
        for found in facts:
            compose_document(found)
        transaction.set_rollback(True, using=RUN_ALIAS)
    return Preview(facts[0] if facts else None, outcomes)
