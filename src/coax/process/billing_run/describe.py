"""Runs, what they did not bill, and previews as plain data, for programs: money as decimals in text."""

from __future__ import annotations

from typing import Any

from coax.base.money import micro_to_decimal, minor_to_decimal
from coax.base.tenancy import Tenant
from coax.billing.types import RunRow
from coax.process.billing_run.preview import Preview
from coax.process.bills.compose import compose_document
from coax.process.bills.publish import to_data

COUNTS = ("due", "billed", "pending", "refused", "bills", "invoices", "items")


def describe_run(tenant: Tenant, run: RunRow, sums: dict[str, Any]) -> dict[str, Any]:
    """Return a run with its sums so far."""
    return {
        "run": run.number,
        "kind": run.kind.value,
        "dry_run": run.is_dry,
        "state": run.state.value,
        "execution_date": run.execution_date,
        "bill_as_of": run.bill_as_of,
        "transaction_date": run.transaction_date,
        "due_date": run.due_date,
        "currency": tenant.currency,
        **{name: sums.get(name, 0) for name in COUNTS},
        "net": str(micro_to_decimal(sums.get("net_micro", 0))),
        "tax": str(micro_to_decimal(sums.get("tax_micro", 0))),
        "rounding": str(micro_to_decimal(sums.get("rounding_micro", 0))),
        "total": str(minor_to_decimal(sums.get("total_minor", 0), tenant.currency)),
    }


def describe_outcome(row: dict[str, Any]) -> dict[str, Any]:
    """Return a service that was due and is on no bill, and why."""
    return {
        "account": row["account_code"],
        "subscription": row["subscription_code"],
        "service": row["service_code"],
        "outcome": row["outcome"],
        "reason": row["reason"],
        "detail": row["detail"],
        "amount": str(micro_to_decimal(row["amount_micro"])),
    }


def describe_preview(preview: Preview) -> dict[str, Any]:
    """Return a bill as it would be, if there would be one, and what waits."""
    return {
        "bill": to_data(compose_document(preview.facts)) if preview.facts else None,
        "not_billed": [describe_outcome(row) for row in preview.not_billed],
    }
