"""COPY of transactions and entries."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.copy import copy_target, encode_frame
from coax.base.db import copy_in

TRANSACTION_COLUMNS: Final = (
    ("account_id", "int8"),
    ("origin_id", "int8"),
    ("subscription_id", "int8"),
    ("amount_minor", "int8"),
    ("net_minor", "int8"),
    ("tax_minor", "int8"),
    ("rounding_minor", "int8"),
    ("rounding_micro", "int8"),
    ("posted_at", "timestamptz"),
    ("tenant_id", "int4"),
    ("transaction_date", "date"),
    ("due_date", "date"),
    ("bucket", "int2"),
    ("line", "int2"),
    ("currency", "text"),
    ("kind", "text"),
    ("reference", "text"),
)
ENTRY_COLUMNS: Final = (
    ("account_id", "int8"),
    ("origin_id", "int8"),
    ("amount_minor", "int8"),
    ("tenant_id", "int4"),
    ("ledger_account_id", "int4"),
    ("booked_on", "date"),
    ("bucket", "int2"),
    ("line", "int2"),
    ("seq", "int2"),
    ("currency", "text"),
)


def copy_transactions(frame: pl.DataFrame, *, using: str) -> None:
    """COPY financial transactions."""
    target = copy_target("ledger_transaction", TRANSACTION_COLUMNS)
    copy_in(target, encode_frame(frame, TRANSACTION_COLUMNS), using=using)


def copy_entries(frame: pl.DataFrame, *, using: str) -> None:
    """COPY the legs of transactions."""
    copy_in(copy_target("ledger_entry", ENTRY_COLUMNS), encode_frame(frame, ENTRY_COLUMNS), using=using)
