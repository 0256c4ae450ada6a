"""What every command does alike: open the database, name the operator, report problems, print JSON.

Exit codes: 0 in order; 1 refused, or a problem was found; 2 wrong usage; 3 the database cannot be reached;
130 interrupted.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Self

import psycopg
import typer
from django.db import Error as DatabaseError
from django.db import IntegrityError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from coax.base.bulk import BulkReadFailed
from coax.base.errors import DomainError
from coax.base.tenancy import Tenant, get_tenant, list_tenant_codes
from coax.configuration.operations.parse_documents import FileUnreadable
from coax.interfaces.site.bootstrap import DatabaseUnreachable, open_database
from coax.process.import_subscribers.reading import FileUnreadable as ImportUnreadable
from coax.process.operators import OperatorUnnamed

IN_ORDER: Final = 0
PROBLEM: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
TenantCode = Annotated[
    str | None,
    typer.Option("--tenant", "-t", envvar="COAX_TENANT", help="Code of the operator; by default the only one."),
]


class TenantUnclear(DomainError):
    """No operator is named, and there is not exactly one."""

    code: ClassVar[str] = "tenant_unclear"


class DateInvalid(DomainError):
    """The text is no date."""

    code: ClassVar[str] = "date_invalid"


class PairUnreadable(DomainError):
    """An option that joins two values by = is not of that form."""

    code: ClassVar[str] = "pair_unreadable"


def read_pair(text: str, option: str) -> tuple[str, str]:
    """Read ONE=OTHER. Raises: PairUnreadable, which names the option and the value."""
    first, equals, second = text.partition("=")
    if not (first and equals and second):
        raise PairUnreadable(f"{option}: {text!r} is not readable; allowed: ONE=OTHER.", value=text)
    return first, second


@contextmanager
def problems_reported(*, as_json: bool) -> Iterator[None]:
    """Report an expected problem as a message (or JSON) and end with its exit code; nothing else is caught."""
    try:
        yield
    except DomainError as fault:
        _report(fault.as_dict(), fault.message, as_json=as_json)
        raise typer.Exit(_exit_code(fault)) from None
    except (IntegrityError, psycopg.IntegrityError) as fault:
        message = f"The database refused this, and nothing was changed: {' '.join(str(fault).split())}"
        _report({"code": "refused_by_database", "message": message}, message, as_json=as_json)
        raise typer.Exit(PROBLEM) from None
    except (DatabaseError, psycopg.Error) as fault:
        message = f"The database does not answer or gave up in the middle: {' '.join(str(fault).split())}"
        note = "What was committed stays; start the command again, or resume the run."
        _report({"code": "database_lost", "message": message}, f"{message}\n{note}", as_json=as_json)
        raise typer.Exit(UNREACHABLE) from None
    except KeyboardInterrupt:
        _report({"code": "interrupted", "message": "Interrupted."}, "Interrupted.", as_json=as_json)
        raise typer.Exit(INTERRUPTED) from None


def _exit_code(fault: DomainError) -> int:
    if isinstance(fault, TenantUnclear | DateInvalid | OperatorUnnamed | FileUnreadable | ImportUnreadable):
        return USAGE
    if isinstance(fault, DatabaseUnreachable | BulkReadFailed):
        return UNREACHABLE
    return PROBLEM


def _report(data: dict[str, Any], message: str, *, as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(message, style="red"))


def open_tenant(code: str | None) -> Tenant:
    """Open the database and return the operator named, or the only one.

    Raises: TenantUnknown, TenantUnclear, DatabaseUnreachable.
    """
    open_database()
    if code is not None:
        return get_tenant(code)
    codes = list_tenant_codes()
    if len(codes) == 1:
        return get_tenant(codes[0])
    known = ", ".join(codes) or "none yet; `coax apply` creates one"
    raise TenantUnclear(f"Say which operator with --tenant; there are: {known}.", tenants=known)


def find_actor() -> str:
    """Return the name of the person at the keyboard."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def parse_date(text: str | None, name: str) -> date | None:
    """Read a date option. Raises: DateInvalid, which names the option and the value."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DateInvalid(f"{name}: {text!r} is no date; write it as YYYY-MM-DD.", option=name, value=text) from None


def print_json(value: Any) -> None:
    """Print one JSON value; dates as ISO, other values as text."""
    typer.echo(to_json(value))


def to_json(value: Any) -> str:
    """Return one JSON value as people read it."""
    return json.dumps(value, default=_plain, indent=2, ensure_ascii=False)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


class StepProgress:
    """A live bar per step: name, tasks done, rate of accounts, elapsed and remaining time."""

    def __init__(self, *, is_shown: bool) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not is_shown,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show that `done` of `total` units of a step are done."""
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(step.capitalize(), total=max(total, 1), rate="")
        task = self._progress.tasks[list(self._tasks).index(step)]
        speed = f"{task.speed:,.0f}/s" if task.speed else ""
        self._progress.update(self._tasks[step], completed=done, total=max(total, 1), rate=speed)
