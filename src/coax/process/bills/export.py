"""Write the bills of a run as files, in several processes; stopped, it is resumed by running it again.

A file appears whole or not at all, under the name of its bill's number. Files that are there are left alone. A bill
that cannot be made is reported and the others go on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import ClassVar, Final

import django

from coax.base.errors import DomainError
from coax.base.tenancy import tenant_transaction
from coax.billing.queries.bills import find_bill_keys
from coax.billing.queries.runs import get_run_by_number
from coax.billing.types.document import BillDocument, BillKey
from coax.process.bills.compose import compose_document
from coax.process.bills.facts import BillFacts
from coax.process.bills.numbers import compose_bill_number
from coax.process.bills.publish import to_json
from coax.process.bills.reading import read_facts, read_operator
from coax.process.bills.typesetting import Typesetter

CHUNK_BILLS: Final = 50
JOBS_DEFAULT: Final = 2
WAITING_CHUNKS_PER_JOB: Final = 2
PART_SUFFIX: Final = ".part"

Progress = Callable[[int, int], None]


class FileFormat(StrEnum):
    """What a bill is written as."""

    PDF = "pdf"
    JSON = "json"


class DirectoryUnusable(DomainError):
    """Files cannot be written there."""

    code: ClassVar[str] = "directory_unusable"


class ExportWorkerLost(DomainError):
    """A worker process ended by itself; what is written stays, the rest is still to do."""

    code: ClassVar[str] = "export_worker_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """What is to be exported, and how."""

    tenant_id: int
    directory: Path
    format: FileFormat = FileFormat.PDF
    overwrite: bool = False
    font_directories: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportFailure:
    """A bill that could not be made, and why."""

    number: str
    code: str
    message: str


@dataclass(slots=True)
class Exported:
    """What came of an export: bills of the run, files written, files that were there, bills that failed."""

    bills: int = 0
    written: int = 0
    skipped: int = 0
    failures: list[ExportFailure] = field(default_factory=list)

    def add(self, other: Exported) -> None:
        """Count what a chunk brought."""
        self.written += other.written
        self.failures += other.failures

    @property
    def done(self) -> int:
        """Return how many bills are dealt with."""
        return self.written + self.skipped + len(self.failures)


def export_bills(
    *,
    order: ExportOrder,
    run_number: int,
    jobs: int = JOBS_DEFAULT,
    progress: Progress = lambda _done, _total: None,
) -> Exported:
    """Write a file per bill of the run; `progress` is told bills done and bills in all.

    Raises:
        RunUnknown: if there is no such run.
        DirectoryUnusable: if the directory cannot be made or written to.
        ExportWorkerLost: if a worker process dies.
    """
    _prepare_directory(order.directory)
    keys, result = _find_missing(order, run_number)
    progress(result.done, result.bills)
    for chunk in _run_chunks(order, keys, jobs):
        result.add(chunk)
        progress(result.done, result.bills)
    return result


def write_bill(order: ExportOrder, facts: BillFacts, typesetter: Typesetter | None) -> ExportFailure | None:
    """Compose one bill and write its file; return why if it cannot be made."""
    number = compose_bill_number(facts.operator.bill_number_prefix, facts.bill.number)
    try:
        document = compose_document(facts)
        content = render(document, facts, typesetter)
    except DomainError as error:
        return ExportFailure(number, error.code, error.message)
    write_whole(order.directory / file_name(number, order.format), content)
    return None


def render(document: BillDocument, facts: BillFacts, typesetter: Typesetter | None) -> bytes:
    """Return the document as PDF if there is a typesetter, else as JSON."""
    return typesetter.to_pdf(document, facts.operator.look) if typesetter else to_json(document)


def file_name(number: str, file_format: FileFormat) -> str:
    """Return the name of a bill's file; a slash of the number's prefix becomes a dash."""
    return f"{number.replace('/', '-')}.{file_format.value}"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all.

    Raises:
        DirectoryUnusable: if it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}{PART_SUFFIX}")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DirectoryUnusable(f"{path} cannot be written: {error.strerror}.", path=path) from error


def _prepare_directory(directory: Path) -> None:
    """Make the directory and remove what killed processes left in it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for part in directory.glob(f".*{PART_SUFFIX}"):
            if not _is_alive(part.name.removesuffix(PART_SUFFIX).rpartition(".")[2]):
                part.unlink(missing_ok=True)
    except OSError as error:
        raise DirectoryUnusable(f"{directory} cannot be used: {error.strerror}.", path=directory) from error


def _is_alive(process: str) -> bool:
    if not process.isdigit():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _find_missing(order: ExportOrder, run_number: int) -> tuple[list[BillKey], Exported]:
    """Return the bills that have no file yet, and the count of all and of those that have."""
    with tenant_transaction(order.tenant_id):
        run = get_run_by_number(tenant_id=order.tenant_id, number=run_number)
        prefix = read_operator(order.tenant_id).bill_number_prefix
        bills = find_bill_keys(tenant_id=order.tenant_id, run_id=run.id)
    there = set() if order.overwrite else {entry.name for entry in os.scandir(order.directory)}
    missing = [
        key for key, number in bills if file_name(compose_bill_number(prefix, number), order.format) not in there
    ]
    return missing, Exported(bills=len(bills), skipped=len(bills) - len(missing))


def _run_chunks(order: ExportOrder, keys: Sequence[BillKey], jobs: int) -> Iterator[Exported]:
    chunks = [keys[start : start + CHUNK_BILLS] for start in range(0, len(keys), CHUNK_BILLS)]
    if min(jobs, len(chunks)) <= 1:
        yield from _export_here(order, chunks)
        return
    pool = ProcessPoolExecutor(
        max_workers=min(jobs, len(chunks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(order,),
    )
    try:
        yield from _export_in_pool(pool, chunks, WAITING_CHUNKS_PER_JOB * jobs)
    except BrokenProcessPool:
        raise ExportWorkerLost("A worker ended unexpectedly; run the export again, it goes on.") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _export_here(order: ExportOrder, chunks: Sequence[Sequence[BillKey]]) -> Iterator[Exported]:
    with ExitStack() as stack:
        typesetter = _make_typesetter(order, stack)
        for chunk in chunks:
            yield _export_chunk(order, chunk, typesetter)


def _export_in_pool(
    pool: ProcessPoolExecutor, chunks: Sequence[Sequence[BillKey]], waiting_max: int
) -> Iterator[Exported]:
    """Keep a few chunks waiting for the workers, however many there are, and give results as they come."""
    rest = iter(chunks)
    waiting: set[Future[Exported]] = {pool.submit(_export_in_worker, chunk) for chunk in islice(rest, waiting_max)}
    while waiting:
        finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            yield future.result()
        waiting |= {pool.submit(_export_in_worker, chunk) for chunk in islice(rest, len(finished))}


class _Worker:
    """What a worker process keeps between chunks."""

    order: ExportOrder
    typesetter: Typesetter | None
    stack = ExitStack()


def _start_worker(order: ExportOrder) -> None:
    """Set a fresh process up; an interrupt from the keyboard is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    django.setup()
    _Worker.order = order
    _Worker.typesetter = _make_typesetter(order, _Worker.stack)
    multiprocessing.util.Finalize(None, _Worker.stack.close, exitpriority=0)


def _export_in_worker(keys: Sequence[BillKey]) -> Exported:
    return _export_chunk(_Worker.order, keys, _Worker.typesetter)


def _make_typesetter(order: ExportOrder, stack: ExitStack) -> Typesetter | None:
    if order.format is FileFormat.JSON:
        return None
    return stack.enter_context(Typesetter(order.font_directories))


def _export_chunk(order: ExportOrder, keys: Sequence[BillKey], typesetter: Typesetter | None) -> Exported:
    with tenant_transaction(order.tenant_id):
        found = read_facts(tenant_id=order.tenant_id, keys=keys)
    failures = [write_bill(order, facts, typesetter) for facts in found]
    failed = [failure for failure in failures if failure is not None]
    return Exported(written=len(found) - len(failed), failures=failed)
