"""An operator whose processes a worker executes: defined in YAML, worked off in this process, read as plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from coax.base.clock import tenant_today
from coax.base.tenancy import tenant_transaction
from coax.configuration.types.documents import SourceDocument
from coax.process.operators import apply_files
from coax.process.recurring.queries import ProcessOverview, find_overviews, find_refusals, find_runs, get_process
from coax.process.recurring.request import request_missed, request_run
from coax.process.recurring.travel import advance_working
from coax.process.recurring.types import ProcessRunRow
from coax.process.recurring.worker import work_once
from tests.builders.broadcasters import ABroadcaster, a_broadcaster

BERLIN = ZoneInfo("Europe/Berlin")
NIGHTLY = """
deactivation_run_definitions:
  - code: overdue
    name: Overdue
    basis: outstanding_amount
    schedule: { rule: repeatedly, at: "02:00", every: { count: 1, unit: day } }
subscription_maintenance_definitions:
  - code: main
    name: Maintenance
    execute_scheduled:
      { enabled: true, schedule: { rule: repeatedly, at: "03:00", every: { count: 1, unit: day } } }
    activate_settled: { enabled: true, schedule: { rule: repeatedly, every: { count: 1, unit: hour } } }
"""


@dataclass(frozen=True)
class AWorkedOperator(ABroadcaster):
    """An operator with recurring processes."""

    def define(self, text: str) -> None:
        with tenant_transaction(self.tenant.id):
            today = tenant_today(self.tenant.id)
        document = SourceDocument("processes.yaml", text)
        apply_files(documents=[document], operator_code=self.tenant.code, as_of=today, actor="anna")

    def work(self) -> list[str]:
        """Let a worker do what is due, and return what it did: process, due time, state, sums."""
        ended: list[ProcessRunRow] = []
        work_once(tenant=self.tenant, at_once=2, report=lambda _, run: ended.append(run))
        return [self.say(run) for run in sorted(ended, key=lambda run: (run.due_at, run.number))]

    def work_until(self, local: str) -> list[str]:
        """Advance the clock as if a worker were there all the time."""
        ended: list[ProcessRunRow] = []
        until = datetime.fromisoformat(local).replace(tzinfo=BERLIN)
        advance_working(tenant=self.tenant, until=until, actor="test", report=ended.append)
        return [self.say(run) for run in ended]

    def make_up(self, process: str) -> str:
        """A clerk has the oldest missed occurrence executed."""
        with tenant_transaction(self.tenant.id):
            number = request_missed(self.tenant, get_process(self.tenant, process), actor="anna")
        return self._work_off(number)

    def run_now(self, process: str) -> str:
        with tenant_transaction(self.tenant.id):
            number = request_run(self.tenant, get_process(self.tenant, process), actor="anna")
        return self._work_off(number)

    def _work_off(self, number: int) -> str:
        self.work()
        return self.say(next(run for run in self.log() if run.number == number))

    def log(self, *states: str) -> list[ProcessRunRow]:
        """Return the log, the oldest first."""
        with tenant_transaction(self.tenant.id):
            rows = find_runs(tenant_id=self.tenant.id, limit=100_000)
        return [row for row in reversed(rows) if not states or row.state in states]

    def refusals(self, number: int) -> list[tuple[str, str]]:
        with tenant_transaction(self.tenant.id):
            return [(one.subject, one.code) for one in find_refusals(tenant_id=self.tenant.id, number=number)]

    def overview(self, process: str) -> ProcessOverview:
        with tenant_transaction(self.tenant.id):
            return next(one for one in find_overviews(self.tenant) if one.process.address == process)

    def missed(self, process: str) -> list[str]:
        """Return the local times of what was missed."""
        return [local(run.due_at) for run in self.log("missed") if run.address == process]

    @staticmethod
    def say(run: ProcessRunRow) -> str:
        sums = "".join(f" {name} {count}" for name, count in sorted(run.counts.items()) if count)
        return f"{run.address} {local(run.due_at)} {run.state.value}{sums}{run.error and ': '}{run.error}"


def local(at: datetime) -> str:
    return f"{at.astimezone(BERLIN):%Y-%m-%d %H:%M}"


def a_worked_operator(path: Path, **replacements: str) -> AWorkedOperator:
    """Company ZX with one subscriber, whose July is billed; 31.00 a month and overdue from 11 August on.

    Its own processes are not defined: a test says what it wants.
    """
    replacements.setdefault("processes", _without_processes())
    operator = AWorkedOperator(a_broadcaster(**replacements).tenant)
    operator.subscribe(path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    operator.on("2026-06-20")
    operator.bill("2026-06-20")
    return operator


def _without_processes() -> str:
    text = (Path(__file__).parents[2] / "examples/company-zx/processes.yaml").read_text(encoding="utf-8")
    return f"{text} -> # none"
