"""The bills of a run as files: whole, resumable, the same whoever writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pypdf import PdfReader

from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.runs import RunUnknown
from coax.process.bills.export import (
    CHUNK_BILLS,
    DirectoryUnusable,
    ExportOrder,
    FileFormat,
    export_bills,
)
from tests.builders.bills import an_item
from tests.shell.bills.stored import Store


def store_bills(tenant: Tenant, count: int, **changes: int) -> None:
    """Store a run 1 of `count` bills, committed, for other processes read them."""
    with tenant_transaction(tenant.id):
        store = Store(tenant)
        run_id = store.add_run(1)
        for number in range(1, count + 1):
            account_id = store.add_account(f"A-{number}", locale="de" if number % 2 else "en")
            store.add_bill(account_id, run_id, number, (an_item(line=1, service_id=1),), **changes)


def order(tenant: Tenant, directory: Path, file_format: FileFormat, *, overwrite: bool = False) -> ExportOrder:
    return ExportOrder(tenant_id=tenant.id, directory=directory, format=file_format, overwrite=overwrite)


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_two_processes_write_what_one_does_and_a_second_export_writes_nothing(
    empty_tenant: Tenant, tmp_path: Path
) -> None:
    count = 2 * CHUNK_BILLS + 3
    store_bills(empty_tenant, count)
    seen: list[tuple[int, int]] = []
    first = export_bills(
        order=order(empty_tenant, tmp_path / "two", FileFormat.JSON),
        run_number=1,
        jobs=2,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert (first.bills, first.written, first.skipped, first.failures) == (count, count, 0, [])
    assert seen[0] == (0, count)
    assert seen[-1] == (count, count)
    export_bills(order=order(empty_tenant, tmp_path / "one", FileFormat.JSON), run_number=1, jobs=1)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")

    (tmp_path / "two" / "ZX-00000007.json").unlink()
    resumed = export_bills(order=order(empty_tenant, tmp_path / "two", FileFormat.JSON), run_number=1)
    assert (resumed.written, resumed.skipped) == (1, count - 1)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_pdfs_are_in_each_customers_language(empty_tenant: Tenant, tmp_path: Path) -> None:
    store_bills(empty_tenant, 2)
    export_bills(order=order(empty_tenant, tmp_path, FileFormat.PDF), run_number=1)
    texts = [PdfReader(path).pages[0].extract_text() for path in sorted(tmp_path.iterdir())]
    assert ["Rechnungsnummer" in text for text in texts] == [True, False]


def test_files_that_are_there_stay_unless_they_are_to_be_overwritten(empty_tenant: Tenant, tmp_path: Path) -> None:
    store_bills(empty_tenant, 1)
    path = tmp_path / "ZX-00000001.json"
    path.write_bytes(b"mine")
    export_bills(order=order(empty_tenant, tmp_path, FileFormat.JSON), run_number=1)
    assert path.read_bytes() == b"mine"
    export_bills(order=order(empty_tenant, tmp_path, FileFormat.JSON, overwrite=True), run_number=1)
    assert path.read_bytes().startswith(b"{")


def test_what_a_killed_process_left_is_removed(empty_tenant: Tenant, tmp_path: Path) -> None:
    store_bills(empty_tenant, 1)
    (tmp_path / ".ZX-00000001.json.999999999.part").write_bytes(b"half")
    mine = tmp_path / f".other.json.{os.getpid()}.part"
    mine.write_bytes(b"in work")
    export_bills(order=order(empty_tenant, tmp_path, FileFormat.JSON), run_number=1)
    assert sorted(contents(tmp_path)) == [mine.name, "ZX-00000001.json"]


def test_a_bill_that_does_not_add_up_is_reported_and_the_others_are_written(
    empty_tenant: Tenant, tmp_path: Path
) -> None:
    with tenant_transaction(empty_tenant.id):
        store = Store(empty_tenant)
        run_id = store.add_run(1)
        items = (an_item(line=1, service_id=1),)
        store.add_bill(store.add_account("A-1"), run_id, 1, items, total_minor=1)
        store.add_bill(store.add_account("A-2"), run_id, 2, items)
    result = export_bills(order=order(empty_tenant, tmp_path, FileFormat.JSON), run_number=1)
    assert [(failure.number, failure.code) for failure in result.failures] == [("ZX-00000001", "bill_does_not_add_up")]
    assert (result.written, list(contents(tmp_path))) == (1, ["ZX-00000002.json"])


def test_an_unknown_run_and_an_unusable_directory_are_refused(empty_tenant: Tenant, tmp_path: Path) -> None:
    with pytest.raises(RunUnknown):
        export_bills(order=order(empty_tenant, tmp_path, FileFormat.JSON), run_number=9)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DirectoryUnusable):
        export_bills(order=order(empty_tenant, file / "below", FileFormat.JSON), run_number=9)
