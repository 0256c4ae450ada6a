"""Refresh the planner's statistics after a bulk load."""

from __future__ import annotations

from coax.party.batch import accounts


def refresh_account_statistics() -> None:
    """Analyse the tables of contacts and accounts; call it after the transaction that loaded them."""
    accounts.refresh_statistics()
