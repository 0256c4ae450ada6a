"""`coax demo`: two operators billed before your eyes.

Exit codes: 0 in order; 1 refused, or the books do not hold; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coax.base.settings import read_environment
from coax.interfaces.cli.shared import PROBLEM, AsJson, StepProgress, find_actor, print_json, problems_reported
from coax.interfaces.site.bootstrap import open_database
from coax.process.billing_run.describe import describe_run
from coax.process.demo import LARGE, SMALL, DemoOrder, DemoResult, DemoRun, Progress, find_examples, run_demo

SUBSCRIBERS: Final = 20_000
SUBSCRIBERS_MAX: Final = 1_000_000
TOTALS: Final = {
    "Run": "run",
    "Bill as of": "bill_as_of",
    "Services due": "due",
    "  billed": "billed",
    "  pending": "pending",
    "  refused": "refused",
    "Bills": "bills",
    "Net": "net",
    "Tax": "tax",
    "Rounding": "rounding",
    "Total": "total",
    "Currency": "currency",
}
MONEY: Final = ("net", "tax", "rounding", "total")


def demo(
    context: typer.Context,
    subscribers: Annotated[
        int,
        typer.Option("--subscribers", "-n", min=1, max=SUBSCRIBERS_MAX, help="How many the larger operator gets."),
    ] = SUBSCRIBERS,
    seed: Annotated[int, typer.Option("--seed", min=0, max=999_999, help="Another seed gives other subscribers.")] = 1,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Directory of the PDFs.")] = Path("out/demo"),
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", file_okay=False, help="Directory of the embedded database; by default the user's."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set up two operators, bill them for July 2026, write three bills, prove the books; again it bills nothing new."""
    if data_dir is not None and read_environment().database_url is not None:
        raise typer.BadParameter("COAX_DATABASE_URL names a server; give one or the other", param_hint="--data-dir")
    screen = _Terminal(is_shown=not as_json)
    with problems_reported(as_json=as_json):
        order = DemoOrder(examples=find_examples(), out=out, subscribers=subscribers, seed=seed, actor=find_actor())
        if data_dir is not None:
            os.environ["COAX_DATA_DIR"] = str(data_dir.expanduser().resolve())
        with screen.stage("Start the database"):
            open_database()
        result = run_demo(order=order, screen=screen)
    if as_json:
        print_json(_describe(result))
    else:
        known = getattr(context.find_root().command, "commands", {})
        _print(result, _suggest(result, set(known)), data_dir)
    if _find_broken(result):
        raise typer.Exit(PROBLEM)


class _Terminal:
    """Shows stages with live bars, and notes, as they come."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._console = Console(stderr=True, highlight=False)

    @contextmanager
    def stage(self, title: str) -> Iterator[Progress]:
        if self._is_shown:
            self._console.print(Text(title, style="bold"))
        with ExitStack() as stack:
            yield self._make_progress(stack)

    def _make_progress(self, stack: ExitStack) -> Progress:
        """Return a progress that draws its bars from the first report on: a stage without any has none."""
        bars = StepProgress(is_shown=self._is_shown)
        is_begun = False

        def report(step: str, done: int, total: int) -> None:
            nonlocal is_begun
            if not is_begun:
                stack.enter_context(bars)
                is_begun = True
            bars(step, done, total)

        return report

    def note(self, text: str) -> None:
        if self._is_shown:
            self._console.print(Text(text, style="dim"))


def _find_broken(result: DemoResult) -> list[str]:
    return [check.check.code for checks in result.checks.values() for check in checks if not check.is_kept]


def _describe(result: DemoResult) -> dict[str, Any]:
    return {
        "runs": [
            {
                "tenant": run.tenant.code,
                "is_new": run.is_new,
                **describe_run(run.tenant, run.result.run, run.result.sums),
            }
            for run in result.runs
        ],
        "bills": [
            {"tenant": bill.tenant_code, "account": bill.account_code, "bill": bill.number, "file": bill.path}
            for bill in result.bills
        ],
        "checks": sum(len(checks) for checks in result.checks.values()),
        "broken": _find_broken(result),
    }


def _print(result: DemoResult, suggestions: list[tuple[str, str]], data_dir: Path | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print()
    console.print(_make_totals(result.runs))
    console.print(Text("\nBills", style="bold"))
    for bill in result.bills:
        console.print(Text(f"  {bill.path}  {bill.about}"))
    _print_proof(console, result)
    console.print(Text("\nTry next", style="bold"))
    if data_dir is not None:
        console.print(Text(f"  export COAX_DATA_DIR={data_dir.expanduser().resolve()}"))
    width = max(len(command) for command, _ in suggestions)
    for command, about in suggestions:
        console.print(Text.assemble("  ", (f"{command:<{width}}", "cyan"), f"  {about}"))


def _make_totals(runs: tuple[DemoRun, ...]) -> Table:
    """Return what came of the runs, a column per operator."""
    table = Table(box=None, header_style="bold")
    table.add_column("")
    described = [describe_run(run.tenant, run.result.run, run.result.sums) for run in runs]
    for run in runs:
        table.add_column(f"{run.tenant.name} ({run.tenant.code})", justify="right")
    for title, name in TOTALS.items():
        cells = [_write(name, data[name]) for data in described]
        table.add_row(title, *cells, style="bold" if name == "total" else "")
    return table


def _write(name: str, value: Any) -> str:
    """Return a total as people read it: whole numbers and money with thousands separated."""
    if name in MONEY:
        return f"{Decimal(value):,f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _print_proof(console: Console, result: DemoResult) -> None:
    broken, count = _find_broken(result), sum(len(checks) for checks in result.checks.values())
    if broken:
        console.print(
            Text(f"\nThe books do not hold: {', '.join(broken)} (coax verify --all says where).", style="red")
        )
    else:
        console.print(Text(f"\nThe books hold: {count} checks.", style="green"))


def _suggest(result: DemoResult, known: set[str]) -> list[tuple[str, str]]:
    """Return commands that work now, each with what it shows."""
    small = result.runs[0]
    bill = next((bill for bill in result.bills if bill.tenant_code == SMALL), None)
    commands = [
        (f"runs -t {LARGE}", "the runs of an operator"),
        (f"runs show {small.result.run.number} -t {SMALL}", "a run: sums, what waits, what was refused"),
    ]
    if bill:
        commands += [
            (f"bill {bill.number} -t {SMALL}", "a bill at the keyboard"),
            (f"bill {bill.number} -t {SMALL} --pdf bill.pdf", "the same as PDF"),
            (f"explain {bill.number} -t {SMALL}", "how its amounts come about"),
            (f"account {bill.account_code} -t {SMALL}", "whose it is and what is owed"),
        ]
    commands += [
        (f"clock advance -t {LARGE} --months 1", "a month later ..."),
        (f"run billing -t {LARGE}", "... the August run"),
        ("verify --all", "prove the books of every operator"),
        (f"staff add anna --role clerk -t {SMALL}", "somebody who may log in"),
        ("serve", "the console in the browser"),
    ]
    name = _find_own_name()
    return [(f"{name} {command}", about) for command, about in commands if command.split()[0] in known]


def _find_own_name() -> str:
    """Return how this command can be called again from here."""
    if shutil.which("coax"):
        return "coax"
    own = Path(sys.argv[0]).absolute()
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)
