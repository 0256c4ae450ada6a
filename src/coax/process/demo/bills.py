"""The bills of the demo that are worth looking at, as PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coax.base.db import fetch_rows
from coax.base.tenancy import tenant_transaction
from coax.billing.queries.bills import find_bills
from coax.party.queries.accounts import get_account
from coax.process.bills.documents import get_facts, make_pdf
from coax.process.bills.export import DirectoryUnusable, FileFormat, file_name, write_whole
from coax.process.bills.numbers import compose_bill_number
from coax.process.demo.types import DemoBill, DemoRun, Progress

SHOWN: Final = {
    "ZX-D": "joined on 15 July: 17 of 31 days, and a month",
    "ZX-F": "ended on 1 July: the half-year is credited",
}
LARGEST: Final = "the bill with the most items"


def write_bills(runs: tuple[DemoRun, ...], out: Path, progress: Progress) -> tuple[DemoBill, ...]:
    """Write two bills of the first operator and the largest one of the second.

    Raises: DirectoryUnusable.
    """
    _make_directory(out)
    small, large = runs
    chosen = [(small, number, SHOWN[code]) for code, number in _find_shown(small).items()]
    chosen += [(large, number, LARGEST) for number in _find_largest(large)]
    written = []
    for place, (run, number, about) in enumerate(chosen):
        progress("bills", place, len(chosen))
        written.append(_write_bill(run, number, about, out))
    progress("bills", len(chosen), len(chosen))
    return tuple(written)


def _make_directory(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DirectoryUnusable(f"{out} cannot be made: {error.strerror}.", path=out) from error


def _find_shown(run: DemoRun) -> dict[str, int]:
    """Return the numbers of the run's bills of the accounts to be shown."""
    numbers = {}
    with tenant_transaction(run.tenant.id):
        for code in SHOWN:
            account_id = get_account(run.tenant.id, code).account_id
            for bill in find_bills(tenant_id=run.tenant.id, run_id=run.result.run.id, account_id=account_id):
                numbers[code] = bill.number
    return numbers


def _find_largest(run: DemoRun) -> list[int]:
    with tenant_transaction(run.tenant.id):
        rows = fetch_rows(
            """SELECT number FROM billing_bill WHERE tenant_id = %s AND run_id = %s
               ORDER BY items DESC, number LIMIT 1""",
            [run.tenant.id, run.result.run.id],
        )
    return [number for (number,) in rows]


def _write_bill(run: DemoRun, number: int, about: str, out: Path) -> DemoBill:
    with tenant_transaction(run.tenant.id):
        facts = get_facts(tenant_id=run.tenant.id, number=str(number))
    text = compose_bill_number(facts.operator.bill_number_prefix, number)
    path = out / file_name(text, FileFormat.PDF)
    write_whole(path, make_pdf(facts))
    return DemoBill(run.tenant.code, facts.bill.account_code, text, path, about)
