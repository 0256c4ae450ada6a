"""What the database itself refuses about rated items, whoever asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError, ProgrammingError, connections

from coax.base.db import execute
from coax.base.tenancy import APP_ALIAS, RUN_ALIAS, tenant_transaction
from tests.builders.operators import AnOperator, an_operator


@pytest.fixture
def billed(database: str, tmp_path: Path) -> AnOperator:
    operator = an_operator()
    operator.subscribe(tmp_path, [{"account_code": "A", "billed_until": "2026-07-01"}])
    operator.bill("2026-06-20", "2026-07-01")
    return operator


def insert_again(operator: AnOperator, **changes: str) -> None:
    """Insert the stored item once more, as an item of another run, with some of its columns changed."""
    with connections[RUN_ALIAS].cursor() as cursor:
        cursor.execute("SELECT * FROM rating_rated_item LIMIT 0")
        names = [column[0] for column in cursor.description]
    values = {**{name: name for name in names}, "run_id": "run_id + 1000000", **changes}
    with tenant_transaction(operator.tenant.id, using=RUN_ALIAS):
        execute(
            f"INSERT INTO rating_rated_item ({', '.join(names)}) "
            f"SELECT {', '.join(values[name] for name in names)} FROM rating_rated_item WHERE tenant_id = %s",
            [operator.tenant.id],
            using=RUN_ALIAS,
        )


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({}, "rated_item_day_is_charged_once"),
        ({"line": "line + 1", "period_to": "period_to + 31"}, "rated_item_day_is_charged_once"),
        ({"kind": "'gift'"}, "rated_item_kind_is_known"),
        ({"kind": "'credit'", "total_micro": "total_micro + 1"}, "rated_item_net_and_tax_make_the_total"),
        ({"kind": "'credit'", "period_to": "period_from"}, "rated_item_period_ends_after_it_begins"),
        ({"kind": "'credit'", "run_id": "run_id"}, "rating_rated_item_pkey"),
    ],
)
def test_an_impossible_item_is_refused(billed: AnOperator, changes: dict[str, str], constraint: str) -> None:
    before = billed.items("A")
    with pytest.raises(IntegrityError, match=constraint):
        insert_again(billed, **changes)
    assert billed.items("A") == before


@pytest.mark.parametrize("role", [APP_ALIAS, RUN_ALIAS])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rating_rated_item SET total_micro = 0, net_micro = 0, tax_micro = 0 WHERE tenant_id = %s",
        "DELETE FROM rating_rated_item WHERE tenant_id = %s",
        "DELETE FROM ledger_transaction WHERE tenant_id = %s",
        "UPDATE ledger_entry SET amount_minor = 0 WHERE tenant_id = %s",
        "DELETE FROM ledger_allocation WHERE tenant_id = %s",
        "UPDATE billing_bill SET total_minor = 0 WHERE tenant_id = %s",
    ],
)
def test_what_is_posted_cannot_be_changed(billed: AnOperator, role: str, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied for table"),
        tenant_transaction(billed.tenant.id, using=role),
    ):
        execute(statement, [billed.tenant.id], using=role)
