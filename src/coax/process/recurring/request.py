"""What people ask of processes: to be executed now, to make up for what was missed, to go on, to stop."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from zoneinfo import ZoneInfo

from coax.base.clock import tenant_now
from coax.base.db import execute, fetch_rows
from coax.base.errors import DomainError
from coax.base.tenancy import APP_ALIAS, Tenant
from coax.process.recurring.plan import insert_runs, plan_occurrences
from coax.process.recurring.queries import find_held, find_processes, find_undone, get_run, lock_key
from coax.process.recurring.types import (
    MOMENT,
    REQUESTABLE,
    Process,
    ProcessKey,
    ProcessRunRow,
    ProcessState,
)


class NothingMissed(DomainError):
    """No occurrence of the process is missed."""

    code: ClassVar[str] = "nothing_missed"


class EarlierIsMissed(DomainError):
    """What was missed is made up for in order, the oldest first."""

    code: ClassVar[str] = "earlier_is_missed"


class ProcessRunNotRequestable(DomainError):
    """The execution waits, runs or is done."""

    code: ClassVar[str] = "process_run_not_requestable"


class ProcessRunOver(DomainError):
    """The execution is over; there is nothing to stop."""

    code: ClassVar[str] = "process_run_over"


def request_run(tenant: Tenant, process: Process, *, actor: str, using: str = APP_ALIAS) -> int:
    """Have a process executed now, besides its schedule, and return the number; the tenant's transaction is open.

    Raises: DefinitionNotInForce.
    """
    plan_occurrences(tenant, using=using)
    now = tenant_now(tenant.id, using=using)
    process.get_version(now.astimezone(process.zone).date())
    latest = fetch_rows(
        "SELECT max(due_at) FROM process_run WHERE tenant_id = %s AND kind = %s AND entity_id = %s",
        [tenant.id, process.key.kind.value, process.key.entity_id],
        using=using,
    )[0][0]
    due_at = now if latest is None or latest < now else latest + MOMENT
    due = [(due_at, ProcessState.WAITING)]
    return insert_runs(tenant_id=tenant.id, key=process.key, due=due, asked_by=actor, using=using)[0]


def request_missed(tenant: Tenant, process: Process, *, actor: str, using: str = APP_ALIAS) -> int:
    """Have the oldest missed occurrence of a process executed, and return its number.

    Raises: NothingMissed, DefinitionNotInForce.
    """
    plan_occurrences(tenant, using=using)
    missed = find_undone(tenant.id, [ProcessState.MISSED], key=process.key, using=using)
    if not missed:
        raise NothingMissed(f"Nothing of {process.address} is missed.", process=process.address)
    return request_again(tenant, missed[0].number, actor=actor, using=using)


def request_again(tenant: Tenant, number: int, *, actor: str, using: str = APP_ALIAS) -> int:
    """Have one executed that was missed, or go on with one that failed or was stopped; return its number.

    Raises: ProcessRunUnknown, ProcessRunNotRequestable, EarlierIsMissed, DefinitionNotInForce.
    """
    run = get_run(tenant.id, number, using=using)
    if run.state not in REQUESTABLE:
        message = f"Execution {number} is {run.state.value.replace('_', ' ')}; only one that was missed, failed or was"
        raise ProcessRunNotRequestable(f"{message} stopped is executed on request.", number=number)
    _refuse_out_of_order(tenant, run, using)
    find_process(tenant, run.key, using=using).get_version(_due_date(tenant, run))
    execute(
        """UPDATE process_run SET state = 'waiting', asked_by = %s, attempts = 0, finished_at = NULL, error = '',
                  is_stop_asked = false
            WHERE tenant_id = %s AND number = %s AND state IN ('missed', 'failed', 'stopped')""",
        [actor, tenant.id, number],
        using=using,
    )
    return number


def request_stop(tenant: Tenant, number: int, *, using: str = APP_ALIAS) -> ProcessRunRow:
    """Stop an execution, or give a missed one up; one that is under way ends after the group it is at.

    Raises: ProcessRunUnknown, ProcessRunOver.
    """
    run = get_run(tenant.id, number, using=using)
    if run.state not in (ProcessState.MISSED, ProcessState.WAITING, ProcessState.RUNNING):
        raise ProcessRunOver(f"Execution {number} is {run.state.value.replace('_', ' ')}.", number=number)
    is_under_way = run.state is ProcessState.RUNNING and lock_key(run.key) in find_held(using=using)
    changed = "is_stop_asked = true" if is_under_way else "state = 'stopped', finished_at = %(now)s"
    execute(
        f"""UPDATE process_run SET {changed}
             WHERE tenant_id = %(tenant_id)s AND number = %(number)s AND state IN ('missed', 'waiting', 'running')""",
        {"tenant_id": tenant.id, "number": number, "now": tenant_now(tenant.id, using=using)},
        using=using,
    )
    return get_run(tenant.id, number, using=using)


def give_up_missed(tenant: Tenant, process: Process, *, using: str = APP_ALIAS) -> int:
    """Give up everything that was missed of a process, and return how much that was."""
    plan_occurrences(tenant, using=using)
    return execute(
        """UPDATE process_run SET state = 'stopped', finished_at = %s
            WHERE tenant_id = %s AND kind = %s AND entity_id = %s AND state = 'missed'""",
        [tenant_now(tenant.id, using=using), tenant.id, process.key.kind.value, process.key.entity_id],
        using=using,
    )


def find_process(tenant: Tenant, key: ProcessKey, *, using: str = APP_ALIAS) -> Process:
    """Return the process of a key that an execution holds."""
    return next(one for one in find_processes(tenant, using=using) if one.key == key)


def _refuse_out_of_order(tenant: Tenant, run: ProcessRunRow, using: str) -> None:
    if run.state is not ProcessState.MISSED:
        return
    oldest = find_undone(tenant.id, [ProcessState.MISSED], key=run.key, using=using)[0]
    if oldest.number != run.number:
        raise EarlierIsMissed(
            f"Execution {oldest.number} of {run.address} was missed before; execute it or give it up first.",
            number=run.number,
            earlier=oldest.number,
        )


def _due_date(tenant: Tenant, run: ProcessRunRow) -> date:
    return run.due_at.astimezone(ZoneInfo(tenant.time_zone)).date()
