"""A part is posted whole or not at all, whatever the database refuses in its middle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import IntegrityError

from coax.base.db import execute
from coax.base.tenancy import OWNER_ALIAS
from coax.billing.types import RunStep
from coax.process.billing_run.execute import RunEnded, RunIsPosting, cancel_run, execute_run
from coax.process.billing_run.post import AccountsKeepMoving
from tests.builders.operators import AnOperator, an_operator
from tests.scenario.test_company_zx import assert_verified

STORED = (
    "billing_bill",
    "billing_run_outcome",
    "billing_run_stage",
    "rating_rated_item",
    "ledger_transaction",
    "ledger_entry",
    "ledger_allocation",
    "ledger_account_balance",
    "subscription_service_rating",
    "base_number_gap",
)


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AnOperator:
    operator = an_operator()
    operator.subscribe(tmp_path, [{"account_code": code, "billed_until": "2026-07-01"} for code in "ABC"])
    operator.bill("2026-06-20", "2026-07-01")
    return operator


def read_stored(operator: AnOperator) -> dict[str, list[str]]:
    return {
        table: [
            str(row["row"])
            for row in operator.rows(f"SELECT t::text AS row FROM {table} t WHERE tenant_id = %s ORDER BY 1")
        ]
        for table in STORED
    }


@contextmanager
def broken(table: str, event: str, action: str) -> Iterator[None]:
    """Let the database refuse or ignore what is done to a table."""
    function = f"CREATE FUNCTION break_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {action} END'"
    execute(function, using=OWNER_ALIAS)
    execute(
        f"CREATE TRIGGER broken BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION break_it()", using=OWNER_ALIAS
    )
    try:
        yield
    finally:
        execute("DROP FUNCTION break_it CASCADE", using=OWNER_ALIAS)


FAULTS: tuple[tuple[str, str, str, type[Exception], str], ...] = (
    (
        "ledger_account_balance",
        "UPDATE",
        "RETURN NULL;",
        AccountsKeepMoving,
        "Task 0 of run 2 could not be posted; resume the run later",
    ),
    ("subscription_service_rating", "UPDATE", "RETURN NULL;", AccountsKeepMoving, "resume the run later"),
    ("ledger_entry", "INSERT", "NEW.line = 1; NEW.seq = 1; RETURN NEW;", IntegrityError, "ledger_entry_pkey"),
    ("billing_bill", "INSERT", "NEW.bucket = NEW.bucket + 1; RETURN NEW;", IntegrityError, "billing_bill"),
)


@pytest.mark.parametrize(("table", "event", "action", "error", "message"), FAULTS)
def test_a_part_that_is_refused_leaves_nothing_behind(
    zx: AnOperator, table: str, event: str, action: str, error: type[Exception], message: str
) -> None:
    run = zx.bill("2026-07-20", "2026-08-01", until=RunStep.ASSEMBLING).run
    before = read_stored(zx)
    with broken(table, event, action), pytest.raises(error, match=message):
        execute_run(run_id=run.id, workers=1)
    assert read_stored(zx) == before

    with pytest.raises(RunIsPosting, match="Run 2 has begun to post and can only be completed: resume it"):
        cancel_run(run_id=run.id)
    assert execute_run(run_id=run.id, workers=1).sums["bills"] == 3
    assert [bill["number"] for bill in zx.bills(2)] == [4, 5, 6]
    assert_verified(zx)
    with pytest.raises(RunEnded, match="Run 2 is completed"):
        execute_run(run_id=run.id)
