"""Recurring processes as values: which there are, in which state an execution is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final, cast
from zoneinfo import ZoneInfo

from coax.base.errors import DomainError
from coax.configuration.rules.occurrences import find_next_occurrence, find_occurrences, to_instant
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.process_definition import DeactivationRunDefinition, SubscriptionMaintenanceDefinition
from coax.configuration.types.run_definition import NormalBillingRunDefinition
from coax.configuration.types.schedule import Schedule

MOMENT: Final = timedelta(microseconds=1)


class ProcessKind(StrEnum):
    """What a process does, in the order in which those of one instant are executed."""

    DEACTIVATION = "deactivation"
    SCHEDULED_ACTIONS = "scheduled_actions"
    SETTLED_ACTIVATION = "settled_activation"
    BILLING = "billing"


class ProcessState(StrEnum):
    """Where an execution stands; one that is missed, failed or stopped is executed on request."""

    MISSED = "missed"
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    COMPLETED_WITH_REFUSALS = "completed_with_refusals"
    FAILED = "failed"
    STOPPED = "stopped"


KINDS_OF_ENTITY: Final[dict[str, tuple[ProcessKind, ...]]] = {
    "deactivation_run_definition": (ProcessKind.DEACTIVATION,),
    "subscription_maintenance_definition": (ProcessKind.SCHEDULED_ACTIONS, ProcessKind.SETTLED_ACTIVATION),
    "normal_billing_run_definition": (ProcessKind.BILLING,),
}
IN_ORDER: Final = frozenset({ProcessKind.BILLING})  # a period is billed after the one before it
REQUESTABLE: Final = (ProcessState.MISSED, ProcessState.FAILED, ProcessState.STOPPED)


class DefinitionNotInForce(DomainError):
    """No active definition of the process is in force on the day."""

    code: ClassVar[str] = "definition_not_in_force"


@dataclass(frozen=True, slots=True)
class ProcessKey:
    """A process of an operator: what it does, by which definition."""

    kind: ProcessKind
    entity_id: int


@dataclass(frozen=True, slots=True)
class Process:
    """What a definition says of one process, in all its versions."""

    key: ProcessKey
    code: str
    time_zone: str
    versions: tuple[ConfigurationRow, ...]

    @property
    def address(self) -> str:
        """Return the name by which people call it."""
        return f"{self.key.kind.value}/{self.code}"

    @property
    def zone(self) -> ZoneInfo:
        """Return the operator's time zone."""
        return ZoneInfo(self.time_zone)

    def is_active(self, on: date) -> bool:
        """Tell whether it may be executed on a day."""
        return self._find_version(on) is not None

    def get_version(self, on: date) -> ConfigurationRow:
        """Return the version by which it is executed on a day. Raises: DefinitionNotInForce."""
        found = self._find_version(on)
        if found is not None:
            return found
        raise DefinitionNotInForce(
            f"{self.address} is not active on {on}: activate or enable it and apply it first.", process=self.address
        )

    def find_occurrences(self, *, after: datetime, until: datetime) -> list[datetime]:
        """Return when its schedule fell due after an instant, up to and with another one."""
        return [
            at
            for schedule, start, end in self._find_schedules()
            for at in find_occurrences(
                schedule,
                time_zone=self.time_zone,
                after=max(after, start - MOMENT),
                until=min(until, end - MOMENT) if end else until,
            )
        ]

    def find_next(self, after: datetime) -> datetime | None:
        """Return when it falls due next."""
        for schedule, start, end in self._find_schedules():
            found = find_next_occurrence(schedule, time_zone=self.time_zone, after=max(after, start - MOMENT))
            if found is not None and (end is None or found < end):
                return found
        return None

    def _find_version(self, on: date) -> ConfigurationRow | None:
        holding = (
            row
            for row in self.versions
            if row.effective_date <= on and (row.expiration_date is None or on < row.expiration_date)
        )
        found = next(holding, None)
        return found if found is not None and is_enabled(self.key.kind, found) else None

    def _find_schedules(self) -> Iterator[tuple[Schedule, datetime, datetime | None]]:
        zone = self.zone
        for row in self.versions:
            schedule = find_schedule(self.key.kind, row)
            if schedule is not None and is_enabled(self.key.kind, row):
                end = to_instant(row.expiration_date, time(), zone) if row.expiration_date else None
                yield schedule, to_instant(row.effective_date, time(), zone), end


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRunRow:
    """One execution, or a missed occurrence; `worked_ms` is real time, the instants are the operator's."""

    id: int
    tenant_id: int
    number: int
    key: ProcessKey
    code: str
    version: int | None
    due_at: datetime
    is_scheduled: bool
    asked_by: str
    state: ProcessState
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    worked_ms: int
    done: int
    total: int
    left_s: int | None
    counts: dict[str, Any] = field(default_factory=dict)
    billing_run: int | None
    is_stop_asked: bool
    error: str

    @property
    def address(self) -> str:
        """Return the name of its process."""
        return f"{self.key.kind.value}/{self.code}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that an execution refused, and why."""

    subject: str
    code: str
    reason: str
    at: datetime


def is_enabled(kind: ProcessKind, row: ConfigurationRow) -> bool:
    """Tell whether a version lets the process be executed."""
    if not row.spec.is_active:
        return False
    if not isinstance(row.spec, SubscriptionMaintenanceDefinition):
        return True
    part = row.spec.execute_scheduled if kind is ProcessKind.SCHEDULED_ACTIONS else row.spec.activate_settled
    return part.enabled


def find_schedule(kind: ProcessKind, row: ConfigurationRow) -> Schedule | None:
    """Return when a version lets the process be executed by itself."""
    if kind is ProcessKind.DEACTIVATION:
        return cast("DeactivationRunDefinition", row.spec).schedule
    if kind is ProcessKind.BILLING:
        return cast("NormalBillingRunDefinition", row.spec).execution
    maintenance = cast("SubscriptionMaintenanceDefinition", row.spec)
    if kind is ProcessKind.SCHEDULED_ACTIONS:
        return maintenance.execute_scheduled.schedule
    return maintenance.activate_settled.schedule
