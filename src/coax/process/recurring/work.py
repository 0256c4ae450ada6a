"""What each kind of process does, told to a watch that keeps the log and may end it between two groups."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import ClassVar, Final, cast
from zoneinfo import ZoneInfo

from coax.base.errors import DomainError
from coax.base.money import parse_minor
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.billing.queries.runs import get_progress, get_run_by_number
from coax.billing.queries.runs import get_run as get_billing_run
from coax.billing.types import OPEN_STATES, RunState, RunStep
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.process_definition import DeactivationRunDefinition, SubscriptionMaintenanceDefinition
from coax.process.billing_run.execute import execute_run
from coax.process.billing_run.plan import RunRequest, plan_run
from coax.process.recurring.record import record_billing_run, record_counts, record_group, record_progress
from coax.process.recurring.types import ProcessKind, ProcessRunRow
from coax.process.subscription_actions.deactivate import DeactivationCriteria, deactivate_debtors
from coax.process.subscription_actions.maintain import activate_settled, execute_scheduled
from coax.process.subscription_actions.watch import Watch
from coax.subscription.operations.perform_actions import Outcome
from coax.subscription.rules.refusals import ActionRefused

PHASES: Final = (RunStep.ASSEMBLING, RunStep.POSTING)  # what a billing run reports the progress of


class StopAsked(Exception):
    """Somebody asked to stop the execution."""


class Released(Exception):
    """The worker is told to end; another one may go on."""


class BillingRunWithdrawn(DomainError):
    """The billing run of the execution was cancelled by a person."""

    code: ClassVar[str] = "billing_run_withdrawn"


@dataclass(slots=True)
class Log(Watch):
    """Keeps the log of an execution, and ends it between two groups where somebody wants that.

    `leave` is set when this worker has to end; `show` is told the progress too. `done_before` is what earlier attempts
    have done of a work that only finds what is left.
    """

    run: ProcessRunRow
    leave: threading.Event
    show: Callable[[int, int], None]
    pause_s: int = 0
    done_before: int = 0
    begun: float = field(default_factory=monotonic)

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Add what became of a group, in its transaction."""
        refused = [
            (one.request.subscription_code, one.action_id or 0, _rule_of(one.refusal), one.refusal.message)
            for one in outcomes
            if one.refusal
        ]
        record_group(self.run, performed=len(outcomes) - len(refused), refused=refused)

    def advance(self, done: int, total: int) -> None:
        """Note the progress and pause. Raises: StopAsked, Released."""
        left_s = int((monotonic() - self.begun) * (total - done) / done) if done else None
        done, total = done + self.done_before, total + self.done_before
        self.show(done, total)
        if record_progress(self.run, done=done, total=total, left_s=left_s):
            raise StopAsked
        if self.leave.is_set() or (self.pause_s and done < total and self.leave.wait(self.pause_s)):
            raise Released


def perform(tenant: Tenant, version: ConfigurationRow, log: Log) -> None:
    """Do the work of an execution, or what is left of it. Raises: StopAsked, Released, what the work raises."""
    _WORK[log.run.key.kind](tenant, version, log)


def _deactivate(tenant: Tenant, version: ConfigurationRow, log: Log) -> None:
    definition = cast("DeactivationRunDefinition", version.spec)
    throttling = definition.throttling
    log.pause_s = throttling.pause_s
    left = throttling.max_per_execution
    if left is not None:
        left = max(0, left - log.run.counts.get("performed", 0))
    deactivate_debtors(
        tenant=tenant,
        criteria=DeactivationCriteria(
            basis=definition.basis,
            threshold_minor=parse_minor(definition.threshold, tenant.currency),
            classifications=definition.criteria.classifications,
            subscription_types=definition.criteria.subscription_types,
            frequencies=definition.criteria.frequencies,
            occasions=definition.occasions,
            group_size=throttling.group_size,
            performed_max=left,
        ),
        actor=log.run.asked_by,
        watch=log,
    )


def _execute_scheduled(tenant: Tenant, version: ConfigurationRow, log: Log) -> None:  # noqa: ARG001 - as the others
    log.done_before = sum(log.run.counts.get(name, 0) for name in ("performed", "refused"))
    execute_scheduled(tenant=tenant, actor=log.run.asked_by, watch=log)


def _activate_settled(tenant: Tenant, version: ConfigurationRow, log: Log) -> None:
    settled = cast("SubscriptionMaintenanceDefinition", version.spec).activate_settled
    activate_settled(
        tenant=tenant,
        actor=log.run.asked_by,
        threshold_minor=parse_minor(settled.threshold, tenant.currency),
        within_days=settled.within_days,
        watch=log,
    )


def _bill(tenant: Tenant, version: ConfigurationRow, log: Log) -> None:  # noqa: ARG001 - the run freezes its own
    run_id = _find_or_plan(tenant, log.run)
    if get_billing_run(run_id, using=RUN_ALIAS).state in OPEN_STATES:
        execute_run(run_id=run_id, progress=lambda step, done, total: _show_step(log, step, done, total))
    ended = get_billing_run(run_id, using=RUN_ALIAS)
    if ended.state is RunState.CANCELLED:
        raise BillingRunWithdrawn(f"Billing run {ended.number} was cancelled; give this execution up, or bill by hand.")
    sums = get_progress(run_id, using=RUN_ALIAS)
    record_counts(log.run, {name: sums.get(name) or 0 for name in ("bills", "pending", "refused", "total_minor")})


def _find_or_plan(tenant: Tenant, run: ProcessRunRow) -> int:
    """Return the key of the billing run, planned for the day of the occurrence where there is none yet."""
    if run.billing_run is not None:
        return get_run_by_number(tenant_id=tenant.id, number=run.billing_run, using=RUN_ALIAS).id
    day = run.due_at.astimezone(ZoneInfo(tenant.time_zone)).date()
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        run_id = plan_run(tenant=tenant, request=RunRequest(execution_date=day, actor=run.asked_by))
        record_billing_run(run, run_id)
    return run_id


def _show_step(log: Log, step: str, done: int, total: int) -> None:
    """Count the accounts of both phases together."""
    place = PHASES.index(RunStep(step))
    log.advance(place * total + done, len(PHASES) * total)


def _rule_of(refusal: DomainError) -> str:
    return refusal.rule if isinstance(refusal, ActionRefused) else refusal.code


_WORK: Final[dict[ProcessKind, Callable[[Tenant, ConfigurationRow, Log], None]]] = {
    ProcessKind.DEACTIVATION: _deactivate,
    ProcessKind.SCHEDULED_ACTIONS: _execute_scheduled,
    ProcessKind.SETTLED_ACTIVATION: _activate_settled,
    ProcessKind.BILLING: _bill,
}
