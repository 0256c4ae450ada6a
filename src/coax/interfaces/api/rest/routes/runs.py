"""Billing runs: listed, shown, begun, brought on, cancelled; and one account billed at once."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from ninja import Path, Query
from pydantic import Field

from coax.base.clock import tenant_today
from coax.billing.queries.runs import get_progress, get_run, get_run_by_number, list_outcomes, list_runs
from coax.billing.types import RunKind, RunRow, RunState, RunStep
from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest, get_exchange
from coax.interfaces.api.rest.resource import Key, Resource, describe_request
from coax.interfaces.api.rest.routes.bills import NotBilled
from coax.interfaces.api.rest.values import Code, Currency, Day, Flag, Model, Money, Nothing, Text
from coax.party.types import ApiScope
from coax.process.billing_run.background import find_execution, is_executing
from coax.process.billing_run.describe import describe_outcome, describe_run
from coax.process.billing_run.execute import cancel_run
from coax.process.billing_run.order import begin_run, bill_account, continue_run, find_criteria
from coax.process.billing_run.plan import RunRequest

resource = Resource("Runs")
of_accounts = Resource("Runs")
NUMBER_MAX: Final = 2**63 - 1
CODES_MAX: Final = 1000
OUTCOMES_SHOWN: Final = 200
RunNumber = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
Codes = Annotated[list[Code], Field(max_length=CODES_MAX)]


class Run(Model):
    """A billing run with its dates and its sums so far."""

    run: int
    kind: RunKind
    dry_run: bool
    state: RunState
    execution_date: date
    bill_as_of: date
    transaction_date: date
    due_date: date
    currency: Currency
    due: int
    billed: int
    pending: int
    refused: int
    bills: int
    invoices: int
    items: int
    net: Money
    tax: Money
    rounding: Money
    total: Money
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class RunPage(Page[Run]):
    """A page of runs, the latest first."""


class RunExecution(Model):
    """What is done for a run at this moment, or was done last by this server."""

    is_executing: bool
    step: str | None
    done: int | None = Field(description="Accounts of the step that are done.")
    total: int | None
    problem: str | None = Field(description="What stopped it, if anything did.")


class RunWithOutcomes(Run):
    """A run, what it did not bill (the first of it), and whether it is being executed."""

    execution: RunExecution
    not_billed: list[NotBilled]


class RunToBegin(Model):
    """What a run bills and when; dates left out follow from the run definition."""

    execution_date: Annotated[Day | None, Field(description="By default today.")] = None
    bill_as_of: Day | None = None
    transaction_date: Day | None = None
    due: Annotated[
        Text | None, Field(description="day_of_next_month:N, days_after_transaction:N or a date; default as defined.")
    ] = None
    until: Annotated[RunStep, Field(description="Stop after this step, to look.")] = RunStep.ASSEMBLING
    dry_run: Annotated[Flag, Field(description="Compute everything and post nothing.")] = False
    schemes: Codes = []
    subscription_types: Codes = []
    classifications: Codes = []
    frequencies: Codes = []
    accounts: Codes = []
    subscriptions: Codes = []


class StepToReach(Model):
    """The step that a run is brought to; `formatting` posts it."""

    until: RunStep


class BillToMake(Model):
    """For which days an account is billed."""

    on: Annotated[Day | None, Field(description="Execution date; by default today.")] = None
    bill_as_of: Annotated[Day | None, Field(description="By default as far as everybody is billed.")] = None


class MadeBill(Model):
    """The individual run of one account, and its bill if there was anything to bill."""

    run: int
    bill: str | None


@resource.read("", scope=ApiScope.RUNS_READ, answer=RunPage)
def list_billing_runs(request: ApiRequest, page: Query[PageRequest]) -> dict[str, Any]:
    """List runs."""
    rows = list_runs(tenant_id=request.tenant.id, before=read_place(request, page), limit=page.limit + 1)
    return make_page(
        request, page, rows, place=lambda row: row.number, describe=lambda row: _describe(request, row, row.totals)
    )


@resource.write("", scope=ApiScope.RUNS_WRITE, answer=Run, status=HTTPStatus.ACCEPTED, key=Key.REQUIRED_BELOW)
def begin_billing_run(request: ApiRequest, body: RunToBegin) -> dict[str, Any]:
    """Begin a run: it is planned at once and executed in the background up to a step.

    Ask for it by its number to see how far it is. A run of which nothing is posted can be cancelled.
    """
    names = ("schemes", "subscription_types", "classifications", "frequencies", "accounts", "subscriptions")
    criteria = find_criteria(tenant=request.tenant, **{name: tuple(getattr(body, name)) for name in names})
    run, get_exchange(request).is_repeated = begin_run(
        tenant=request.tenant,
        request=RunRequest(
            execution_date=body.execution_date or tenant_today(request.tenant.id),
            bill_as_of=body.bill_as_of,
            transaction_date=body.transaction_date,
            due=body.due,
            criteria=criteria,
            is_dry=body.dry_run,
            actor=request.caller.actor,
        ),
        until=body.until,
        asked=describe_request(request),
        idempotency_key=request.idempotency_key,
    )
    return _describe(request, run, run.totals)


@resource.write("/{run}/execute", scope=ApiScope.RUNS_WRITE, answer=RunWithOutcomes, status=HTTPStatus.ACCEPTED)
def execute_billing_run(request: ApiRequest, run: RunNumber, body: StepToReach) -> dict[str, Any]:
    """Bring a run to a step, in the background; what it reached before is kept."""
    found = get_run_by_number(tenant_id=request.tenant.id, number=run)
    continue_run(run=found, until=body.until)
    return _show(request, found)


@resource.write("/{run}/cancel", scope=ApiScope.RUNS_WRITE, answer=RunWithOutcomes)
def cancel_billing_run(request: ApiRequest, run: RunNumber, body: Nothing) -> dict[str, Any]:
    """Cancel a run of which nothing is posted; everything it considered stays due."""
    found = get_run_by_number(tenant_id=request.tenant.id, number=run)
    return _show(request, cancel_run(run_id=found.id))


@resource.read("/{run}", scope=ApiScope.RUNS_READ, answer=RunWithOutcomes)
def get_billing_run(request: ApiRequest, run: RunNumber) -> dict[str, Any]:
    """Show a run: how far it is, its sums, what it did not bill."""
    found = get_run_by_number(tenant_id=request.tenant.id, number=run)
    return _show(request, get_run(found.id))


@of_accounts.write(
    "/{path:account}/bills",
    scope=ApiScope.RUNS_WRITE,
    answer=MadeBill,
    status=HTTPStatus.CREATED,
    key=Key.REQUIRED_BELOW,
)
def bill_one_account(request: ApiRequest, account: Code, body: BillToMake) -> dict[str, Any]:
    """Bill one account at once; what the preview showed is posted."""
    done, get_exchange(request).is_repeated = bill_account(
        tenant=request.tenant,
        account_code=account,
        request=RunRequest(
            execution_date=body.on or tenant_today(request.tenant.id),
            bill_as_of=body.bill_as_of,
            actor=request.caller.actor,
        ),
        asked=describe_request(request),
        idempotency_key=request.idempotency_key,
    )
    return done


def _describe(request: ApiRequest, run: RunRow, sums: dict[str, Any]) -> dict[str, Any]:
    dated = {"created_by": run.created_by, "created_at": run.created_at, "finished_at": run.finished_at}
    return {**describe_run(request.tenant, run, sums), **dated}


def _show(request: ApiRequest, run: RunRow) -> dict[str, Any]:
    outcomes = list_outcomes(tenant_id=request.tenant.id, run_id=run.id, limit=OUTCOMES_SHOWN)
    known = find_execution(run.id)
    return {
        **_describe(request, run, get_progress(run.id)),
        "execution": {
            "is_executing": is_executing(run.id),
            "step": known.step if known else None,
            "done": known.done if known else None,
            "total": known.total if known else None,
            "problem": (known.problem or None) if known else None,
        },
        "not_billed": [describe_outcome(row) for row in outcomes],
    }
