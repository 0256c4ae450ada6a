"""A run is killed at every step and gone on with: the same bills, byte for byte, and the same books."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import pytest

from coax.base.embedded import ensure_running
from tests.builders.commands import ACommand, is_gone, wait_until
from tests.fault.billing_runs import PARTS, RUN, Copy
from tests.fault.conftest import Undisturbed
from tests.fault.embedded_servers import kill_server

RESUME: Final = ("run", "billing", "--resume", str(RUN))


@dataclass(frozen=True)
class Pause:
    """Where the run stands still, executed by so many workers up to a step: at locked parts, or before a statement."""

    until: str
    workers: int
    parts: frozenset[int] = frozenset()
    statement: str = ""
    state: str = "draft"

    @property
    def lock(self) -> str:
        """Return the statement that locks what the run will want."""
        if not self.parts:
            return self.statement
        rows = self.statement or "SELECT FROM billing_run r JOIN billing_run_part p ON p.run_id = r.id"
        numbers = ", ".join(map(str, sorted(self.parts)))
        locked = "b" if self.statement else "p"
        return f"{rows} WHERE r.number = {RUN} AND p.part IN ({numbers}) FOR UPDATE OF {locked}"

    def find_reached(self, before: list[str]) -> tuple[int, list[str]]:
        """Return how many wait for the lock, and how far the parts have come: they are taken up in their order."""
        if not self.parts:
            return 1, ["posted" if self.state == "posting" else "assembling"] * PARTS
        free = self.workers
        after = ["posted" if part == "posted" else "assembling" for part in before] if self.statement else list(before)
        for part in range(PARTS):
            if part in self.parts and before[part] != "posted":
                free -= 1
            elif free:
                after[part] = "posted" if self.state == "posting" else self.until
        return self.workers - max(free, 0), after


BALANCES: Final = """SELECT FROM billing_run r JOIN billing_run_part p ON p.run_id = r.id
    JOIN ledger_account_balance b ON b.tenant_id = p.tenant_id AND b.bucket BETWEEN p.first_bucket AND p.last_bucket"""
# The locked part changes, so that the parts of one run go on from different steps.
PAUSES: Final = (
    Pause("identification", 2, frozenset({2})),
    Pause("rating", 1, frozenset({1})),
    Pause("invoicing", 1, frozenset({3})),
    Pause("assembling", 2, frozenset({0})),
    Pause(
        "formatting", 1, statement="SELECT FROM base_number_series WHERE series = 'bill' FOR UPDATE", state="assembling"
    ),
    Pause("formatting", 2, frozenset({1}), statement=BALANCES, state="posting"),
    Pause("formatting", 1, statement=f"SELECT FROM billing_run WHERE number = {RUN} FOR UPDATE", state="posting"),
)


def _in_two_workers(pause: Pause) -> Pause:
    """Let both of two workers wait, so that it is one of these who is killed."""
    return replace(pause, workers=2, parts=frozenset((part + more) % PARTS for part in pause.parts for more in (0, 2)))


def kill_coordinator(copy: Copy, command: ACommand) -> None:
    """Its workers follow it, also those that wait for a lock."""
    workers = command.list_workers()
    command.kill()
    wait_until(lambda: all(is_gone(worker) for worker in workers), "the end of the workers")


def kill_worker(copy: Copy, command: ACommand) -> None:
    """The command says so and ends."""
    os.kill(command.list_workers()[0], signal.SIGKILL)
    ended = command.finish()
    assert ended.code == 1
    assert ended.message.endswith(f"A worker process ended by itself; go on with: coax run billing --resume {RUN}")


def kill_database(copy: Copy, command: ACommand) -> None:
    """The command says that the database is gone."""
    kill_server(copy.cluster)
    ended = command.finish()
    assert ended.code == 3
    assert ended.message.endswith("What was committed stays; start the command again, or resume the run.")
    ensure_running(copy.cluster.data_dir)


@pytest.mark.parametrize(
    ("kill", "pauses"),
    [
        (kill_coordinator, PAUSES),
        (kill_worker, tuple(_in_two_workers(pause) for pause in PAUSES if pause.parts)),
        (kill_database, PAUSES),
    ],
)
def test_a_run_killed_at_every_step_makes_the_same_bills(
    kill: Callable[[Copy, ACommand], None], pauses: tuple[Pause, ...], undisturbed: Undisturbed, disturbed: Copy
) -> None:
    parts = ["draft"] * PARTS
    for pause in pauses:
        blocked, parts = pause.find_reached(parts)
        with (
            disturbed.locked(pause.lock) as holder,
            disturbed.start(*RESUME, "--until", pause.until, "--workers", str(pause.workers)) as command,
        ):
            wait_until(lambda: disturbed.count_blocked(holder) == blocked, f"{pause}")  # noqa: B023
            wait_until(lambda: disturbed.parts() == parts, f"{parts}")  # noqa: B023
            kill(disturbed, command)
        wait_until(disturbed.is_left_alone, "the end of the sessions")
    assert disturbed.start(*RESUME, "--workers", "1").finish().code == 0
    assert disturbed.bills() == undisturbed.bills
    assert disturbed.dump() == undisturbed.dump
