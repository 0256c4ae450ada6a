"""COPY of bills and outcomes."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.copy import copy_target, encode_frame
from coax.base.db import copy_in

BILL_COLUMNS: Final = (
    ("account_id", "int8"),
    ("run_id", "int8"),
    ("number", "int8"),
    ("previous_run_id", "int8"),
    ("brought_forward_minor", "int8"),
    ("debited_between_minor", "int8"),
    ("credited_between_minor", "int8"),
    ("net_micro", "int8"),
    ("tax_micro", "int8"),
    ("rounding_micro", "int8"),
    ("total_minor", "int8"),
    ("tenant_id", "int4"),
    ("period_from", "date"),
    ("period_to", "date"),
    ("transaction_date", "date"),
    ("due_date", "date"),
    ("bucket", "int2"),
    ("invoices", "int2"),
    ("items", "int2"),
    ("currency", "text"),
    ("classification", "text"),
)
OUTCOME_COLUMNS: Final = (
    ("account_id", "int8"),
    ("run_id", "int8"),
    ("service_id", "int8"),
    ("amount_micro", "int8"),
    ("tenant_id", "int4"),
    ("bucket", "int2"),
    ("line", "int2"),
    ("outcome", "text"),
    ("reason", "text"),
    ("detail", "text"),
)


def copy_bills(bills: pl.DataFrame, *, using: str) -> None:
    """COPY bills."""
    copy_in(copy_target("billing_bill", BILL_COLUMNS), encode_frame(bills, BILL_COLUMNS), using=using)


def copy_outcomes(outcomes: pl.DataFrame, *, using: str) -> None:
    """COPY what was pending or refused."""
    target = copy_target("billing_run_outcome", OUTCOME_COLUMNS)
    copy_in(target, encode_frame(outcomes, OUTCOME_COLUMNS), using=using)
