"""Open an operator's ledger."""

from __future__ import annotations

from coax.base.db import execute
from coax.ledger.types import DEFAULT_LEDGER_ACCOUNTS


def open_ledger(*, tenant_id: int, using: str = "default") -> None:
    """Give an operator one ledger account of each kind; those that are there stay."""
    for code, name, kind in DEFAULT_LEDGER_ACCOUNTS:
        execute(
            """INSERT INTO ledger_ledger_account (tenant_id, code, name, kind) VALUES (%s, %s, %s, %s)
               ON CONFLICT (tenant_id, code) DO NOTHING""",
            [tenant_id, code, name, kind],
            using=using,
        )
