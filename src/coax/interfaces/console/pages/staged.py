"""What a run has computed and not yet posted, read from what its tasks staged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from coax.base.db import fetch_rows
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS, Tenant
from coax.billing.frames import classify
from coax.billing.operations.staging import fetch_frame
from coax.billing.queries.bills import find_bills
from coax.billing.queries.runs import find_parts
from coax.billing.types import BillClassification, RunRow, RunState
from coax.configuration.types.run_definition import NormalBillingRunDefinition
from coax.process.billing_run.context import assembly_rules
from coax.process.bills.numbers import compose_bill_number
from coax.process.bills.reading import read_operator

BILLS_SHOWN: Final = 50
EXCEPTIONAL_SHOWN: Final = 200
NORMAL: Final = BillClassification.NORMAL.value
_CODES_SQL: Final = """
SELECT a.account_id, a.code, c.name
FROM unnest(%s::smallint[], %s::bigint[]) AS wanted (bucket, account_id)
JOIN party_account a ON a.bucket = wanted.bucket AND a.account_id = wanted.account_id
JOIN party_contact c ON c.bucket = a.bucket AND c.id = a.contact_id"""
_SERVICES_SQL: Final = """
SELECT s.id, s.code, u.code
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS wanted (bucket, account_id, service_id)
JOIN subscription_service s ON s.bucket = wanted.bucket AND s.account_id = wanted.account_id
 AND s.id = wanted.service_id
JOIN subscription_subscription u ON u.bucket = s.bucket AND u.account_id = s.account_id AND u.id = s.subscription_id"""


@dataclass(frozen=True, slots=True)
class StagedBills:
    """The bills that posting would make: how many, and the largest of them."""

    count: int
    total_minor: int
    rows: list[dict[str, Any]]


def find_staged_bills(*, tenant: Tenant, run: RunRow) -> StagedBills | None:
    """Return the bills that an assembled run holds; None when nothing is staged any more."""
    bills = _read_frame(run, "bills") if run.state is RunState.ASSEMBLING else None
    if bills is None or bills.is_empty():
        return None
    largest = _classify(bills, tenant, run).sort(pl.col("total_minor").abs(), descending=True).head(BILLS_SHOWN)
    return StagedBills(bills.height, int(bills["total_minor"].sum()), _with_codes(largest.to_dicts()))


def find_exceptional(*, tenant: Tenant, run: RunRow) -> list[dict[str, Any]]:
    """Return the bills of a run that ask for a second look, staged or posted; minor units."""
    if run.state is RunState.ASSEMBLING:
        bills = _read_frame(run, "bills")
        if bills is None or bills.is_empty():
            return []
        marked = _classify(bills, tenant, run).filter(pl.col("classification") != NORMAL)
        return _with_codes(marked.head(EXCEPTIONAL_SHOWN).to_dicts())
    if run.state not in {RunState.POSTING, RunState.COMPLETED}:
        return []
    prefix = read_operator(tenant.id).bill_number_prefix
    rows = find_bills(tenant_id=tenant.id, run_id=run.id, is_exceptional=True, limit=EXCEPTIONAL_SHOWN)
    posted = [
        {
            "account_id": row.key.account_id,
            "number": compose_bill_number(prefix, row.number),
            "total_minor": row.total_minor,
            "brought_forward_minor": row.brought_forward_minor,
            "classification": row.classification.value,
        }
        for row in rows
    ]
    return _with_codes(posted)


def find_staged_outcomes(*, run: RunRow, limit: int) -> list[dict[str, Any]]:
    """Return what an unposted run refused or sets aside, in the shape of the stored outcomes."""
    if run.state in {RunState.DRAFT, RunState.COMPLETED, RunState.CANCELLED}:
        return []
    rows = [
        {**row, "outcome": outcome, "reason": row.get("reason", "under_minimum"), "detail": row.get("detail", "")}
        for outcome in ("refused", "pending")
        for row in _rows(_read_frame(run, outcome), limit)
    ][:limit]
    services = _find_services(rows)
    named = _with_codes([row for row in rows if "account_id" in row])
    return [
        {
            **row,
            "amount_micro": row.get("amount_micro", 0),
            "service_code": services.get(row["service_id"], ("", ""))[0],
            "subscription_code": services.get(row["service_id"], ("", ""))[1],
        }
        for row in named
    ]


def _rows(frame: pl.DataFrame | None, limit: int) -> list[dict[str, Any]]:
    return [] if frame is None else frame.head(limit).to_dicts()


def _read_frame(run: RunRow, frame: str) -> pl.DataFrame | None:
    found = [
        part_frame
        for part in find_parts(run.id)
        if (part_frame := fetch_frame(run_id=run.id, part=part.part, frame=frame, using=APP_ALIAS)) is not None
    ]
    return pl.concat(found) if found else None


def _classify(bills: pl.DataFrame, tenant: Tenant, run: RunRow) -> pl.DataFrame:
    """Mark the bills as posting will, with the balances read when they were assembled."""
    definition = NormalBillingRunDefinition.model_validate_json(_to_json(run.definition))
    balances = bills.with_columns(pl.col("balance_minor").alias("brought_forward_minor"))
    return classify(balances, assembly_rules(definition, tenant.currency))


def _with_codes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = sorted({row["account_id"] for row in rows})
    found = fetch_rows(_CODES_SQL, [_buckets(ids), ids])
    names = {account_id: (code, name) for account_id, code, name in found}
    unknown = ("", "")
    return [
        {
            **row,
            "account_code": names.get(row["account_id"], unknown)[0],
            "account_name": names.get(row["account_id"], unknown)[1],
        }
        for row in rows
    ]


def _find_services(rows: list[dict[str, Any]]) -> dict[int, tuple[str, str]]:
    accounts = [row["account_id"] for row in rows if "account_id" in row]
    services = [row["service_id"] for row in rows if "account_id" in row]
    found = fetch_rows(_SERVICES_SQL, [_buckets(accounts), accounts, services])
    return {service_id: (code, subscription) for service_id, code, subscription in found}


def _buckets(account_ids: Iterable[int]) -> list[int]:
    return [bucket_of(account_id) for account_id in account_ids]


def _to_json(data: dict[str, Any]) -> str:
    return json.dumps(data)
