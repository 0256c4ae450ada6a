"""What the demo is asked, what it leaves behind, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from coax.base.tenancy import Tenant
from coax.process.billing_run.execute import RunResult
from coax.process.verify import CheckResult

Progress = Callable[[str, int, int], None]


class Screen(Protocol):
    """Where the demo says what it does."""

    def stage(self, title: str) -> AbstractContextManager[Progress]:
        """Begin a stage; within it progress is reported by step, done and total."""

    def note(self, text: str) -> None:
        """Say something that matters to the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOrder:
    """What is asked of the demo."""

    examples: Path
    out: Path
    subscribers: int
    seed: int
    actor: str


@dataclass(frozen=True, slots=True)
class DemoRun:
    """An operator's July run; `is_new` when this demo executed it."""

    tenant: Tenant
    result: RunResult
    is_new: bool


@dataclass(frozen=True, slots=True)
class DemoBill:
    """A bill written as PDF: whose, which, where, and what it shows."""

    tenant_code: str
    account_code: str
    number: str
    path: Path
    about: str


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo leaves behind."""

    runs: tuple[DemoRun, ...]
    bills: tuple[DemoBill, ...]
    checks: dict[str, list[CheckResult]]
