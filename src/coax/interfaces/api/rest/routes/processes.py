"""Recurring processes: when each is due, what came of it, what was missed; executions on request."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from ninja import Path, Query
from pydantic import Field

from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.resource import Key, Resource
from coax.interfaces.api.rest.values import Code, Flag, Model, Nothing
from coax.party.types import ApiScope
from coax.process.recurring.describe import describe_overview, describe_run
from coax.process.recurring.plan import plan_occurrences
from coax.process.recurring.queries import find_overviews, find_refusals, find_runs, get_process, get_run
from coax.process.recurring.request import give_up_missed, request_again, request_missed, request_run, request_stop
from coax.process.recurring.types import ProcessState

resource = Resource("Processes")
RunNumber = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Execution(Model):
    """An execution, or an occurrence that was missed; times are the operator's."""

    run: int
    process: str
    version: int | None
    due_at: datetime
    by_schedule: bool
    asked_by: str
    state: ProcessState
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    worked_ms: int
    done: int
    total: int
    left_s: int | None = Field(description="About how many seconds it will still take.")
    counts: dict[str, Any] = Field(description="How many of what were treated; amounts in minor units.")
    billing_run: int | None
    stop_asked: bool
    error: str
    text: str = Field(description="All of it in one line, for people.")


class ExecutionPage(Page[Execution]):
    """A page of the log, the latest first."""


class Refused(Model):
    """What an execution did not do, and why."""

    subject: str
    code: str
    reason: str


class ExecutionWithRefusals(Execution):
    """An execution with what it refused."""

    refused: list[Refused]


class Process(Model):
    """A process of a definition: when it is due next, what came of it last, what was missed."""

    process: str
    name: str
    active: bool
    next_at: datetime | None
    missed: int
    oldest_missed_at: datetime | None
    current: Execution | None
    last: Execution | None


class Processes(Model):
    """All processes, in the order of execution."""

    data: list[Process]


class ExecutionFilter(Model):
    """Which executions are wanted."""

    process: Annotated[Code | None, Field(description="Only of this process.")] = None
    state: ProcessState | None = None


class ExecutionToAsk(Model):
    """Whether the process is executed now, or its oldest missed occurrence is made up for."""

    missed: Flag = False


class GivenUp(Model):
    """How many missed occurrences were given up."""

    process: str
    given_up: int


@resource.read("", scope=ApiScope.PROCESSES_READ, answer=Processes)
def list_processes(request: ApiRequest) -> dict[str, Any]:
    """List the processes."""
    return {"data": [describe_overview(request.tenant, one) for one in find_overviews(request.tenant)]}


@resource.read("/runs", scope=ApiScope.PROCESSES_READ, answer=ExecutionPage)
def list_executions(request: ApiRequest, wanted: Query[ExecutionFilter], page: Query[PageRequest]) -> dict[str, Any]:
    """List executions and missed occurrences."""
    plan_occurrences(request.tenant)
    rows = find_runs(
        tenant_id=request.tenant.id,
        key=get_process(request.tenant, wanted.process).key if wanted.process else None,
        states=(wanted.state,) if wanted.state else (),
        before=read_place(request, page),
        limit=page.limit + 1,
    )
    return make_page(
        request, page, rows, place=lambda row: row.number, describe=lambda row: describe_run(request.tenant, row)
    )


@resource.read("/runs/{run}", scope=ApiScope.PROCESSES_READ, answer=ExecutionWithRefusals)
def get_execution(request: ApiRequest, run: RunNumber) -> dict[str, Any]:
    """Show an execution: progress, sums, what was refused and why."""
    return _show(request, run)


@resource.write(
    "/runs/{run}/resume", scope=ApiScope.PROCESSES_WRITE, answer=ExecutionWithRefusals, status=HTTPStatus.ACCEPTED
)
def resume_execution(request: ApiRequest, run: RunNumber, body: Nothing) -> dict[str, Any]:
    """Go on with an execution that failed or was stopped, or make up for one that was missed; a worker does it."""
    request_again(request.tenant, run, actor=request.caller.actor)
    return _show(request, run)


@resource.write("/runs/{run}/stop", scope=ApiScope.PROCESSES_WRITE, answer=ExecutionWithRefusals)
def stop_execution(request: ApiRequest, run: RunNumber, body: Nothing) -> dict[str, Any]:
    """Stop an execution after the group that it is at, or give up one that waits or was missed."""
    request_stop(request.tenant, run)
    return _show(request, run)


@resource.write(
    "/{path:process}/run",
    scope=ApiScope.PROCESSES_WRITE,
    answer=ExecutionWithRefusals,
    status=HTTPStatus.ACCEPTED,
    key=Key.REQUIRED,
)
def ask_for_execution(request: ApiRequest, process: Code, body: ExecutionToAsk) -> dict[str, Any]:
    """Ask for an execution now, or for the oldest that was missed; a worker does it."""
    found = get_process(request.tenant, process)
    ask = request_missed if body.missed else request_run
    return _show(request, ask(request.tenant, found, actor=request.caller.actor))


@resource.write("/{path:process}/give-up", scope=ApiScope.PROCESSES_WRITE, answer=GivenUp)
def give_up_on_process(request: ApiRequest, process: Code, body: Nothing) -> dict[str, Any]:
    """Give up everything that was missed of a process; each stays in the log as stopped."""
    found = get_process(request.tenant, process)
    return {"process": found.address, "given_up": give_up_missed(request.tenant, found)}


def _show(request: ApiRequest, number: int) -> dict[str, Any]:
    row = get_run(request.tenant.id, number)
    refused = [
        {"subject": one.subject, "code": one.code, "reason": one.reason}
        for one in find_refusals(tenant_id=request.tenant.id, number=number)
    ]
    return {**describe_run(request.tenant, row), "refused": refused}
