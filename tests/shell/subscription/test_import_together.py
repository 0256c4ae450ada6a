"""Two imports of one operator at the same time: one after the other, nothing twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from tests.scenario.import_stories import configure, count_rows, run_import, write_csv


def test_two_imports_of_the_same_accounts_do_not_collide(empty_tenant, tmp_path):
    configure(empty_tenant)
    lines = [f"A{n},Anna,S{n},own-day,tv,2026-01-17" for n in range(300)]
    path = write_csv(tmp_path / "f.csv", lines)

    def work(chunk_rows: int) -> tuple[int, int]:
        try:
            outcome = run_import(empty_tenant, path, chunk_rows=chunk_rows)
        finally:
            connections.close_all()
        return outcome.services, outcome.unchanged_services

    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(work, (50, 1000)))
    assert done == [(0, 300), (300, 0)]
    assert count_rows(empty_tenant)["services"] == 300
