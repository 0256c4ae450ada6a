"""Reading table by table and letting the database join find the same services."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from coax.base.bulk import ReadSize
from coax.subscription.queries.due_services import find_due_services
from coax.subscription.queries.population import Population
from tests.builders.operators import AnOperator, an_operator

AS_OF = date(2026, 8, 1)


@pytest.fixture
def operator(database: str, tmp_path: Path) -> AnOperator:
    zx = an_operator()
    rows = [
        {"account_code": "due", "billed_until": "2026-08-01"},
        {"account_code": "ahead", "billed_until": "2026-11-01"},
        {"account_code": "joined", "effective_from": "2026-07-15"},
        {"account_code": "future", "effective_from": "2026-09-15"},
        {"account_code": "ended-open", "effective_to": "2026-08-20", "billed_until": "2026-08-01"},
        {"account_code": "ended-billed", "effective_to": "2026-07-10", "billed_until": "2026-07-10"},
        {"account_code": "to-credit", "billed_until": "2026-11-01"},
        {"account_code": "suspended", "billed_until": "2026-08-01"},
        {"account_code": "draft", "billed_until": "2026-08-01"},
        {"account_code": "two-terms", "billed_until": "2026-08-01"},
        {"account_code": "gap-in-terms", "billed_until": "2026-08-01"},
    ]
    zx.subscribe(tmp_path, rows)
    of = """WHERE tenant_id = %s AND account_id =
            (SELECT account_id FROM party_account_code WHERE tenant_id = %s AND code = %s)"""
    tenant = zx.tenant.id

    def change(statement: str, code: str) -> None:
        zx.execute(f"{statement} {of}", tenant, tenant, code)

    change("UPDATE subscription_service SET effective_to = '2026-08-15'", "to-credit")
    change("UPDATE party_account SET state = 'suspended'", "suspended")
    change("UPDATE subscription_subscription SET state = 'draft'", "draft")
    change("UPDATE subscription_billing_term SET effective_to = '2026-08-01'", "two-terms")
    zx.execute(
        f"""INSERT INTO subscription_billing_term (bucket, account_id, id, tenant_id, subscription_id,
                scheme_version_id, price_plan_id, frequency, cycle_day, agreement_date, binding_period, effective_from)
            SELECT bucket, account_id, id + 1000000, tenant_id, subscription_id, scheme_version_id, price_plan_id,
                'biannual', cycle_day, agreement_date, binding_period, '2026-08-01'
            FROM subscription_billing_term {of}""",
        tenant,
        tenant,
        "two-terms",
    )
    change("UPDATE subscription_billing_term SET effective_to = '2026-07-01'", "gap-in-terms")
    return zx


def test_both_ways_find_the_same(operator: AnOperator) -> None:
    narrow = Population(operator.tenant.id, 0, 1023)
    wide = replace(narrow, size=ReadSize.RANGES, needs_types=True)
    few = replace(narrow, size=ReadSize.FEW)
    found, again, in_rows = (
        find_due_services(population, as_of=AS_OF).sort("service_id") for population in (narrow, wide, few)
    )
    assert in_rows.equals(found)
    codes = operator.rows("SELECT account_id, code FROM party_account WHERE tenant_id = %s")
    by_id = {row["account_id"]: row["code"] for row in codes}
    assert sorted(by_id[key] for key in found["account_id"]) == [
        "due",
        "ended-open",
        "gap-in-terms",
        "joined",
        "to-credit",
        "two-terms",
    ]
    columns = [name for name in found.columns if name != "billing_effective_date"]
    types = {name: found.schema[name] for name in columns}
    assert again.select(columns).cast(types).equals(found.select(columns))
    frequency = {by_id[row["account_id"]]: row["frequency"] for row in found.iter_rows(named=True)}
    assert (frequency["two-terms"], frequency["gap-in-terms"]) == ("biannual", None)
