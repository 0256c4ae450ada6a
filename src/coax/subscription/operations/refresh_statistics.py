"""Refresh the planner's statistics after a bulk load."""

from __future__ import annotations

from coax.subscription.batch import subscriptions


def refresh_subscription_statistics() -> None:
    """Analyse the tables of subscriptions; call it after the transaction that loaded them."""
    subscriptions.refresh_statistics()
