"""Write what a chunk creates: people first, then subscriptions, then balances; sets only, in the open transaction."""

from __future__ import annotations

from datetime import date

import polars as pl

from coax.base.ids import BUCKET_MASK
from coax.ledger.operations.open_balances import open_balances
from coax.party.operations import create_accounts
from coax.process.import_subscribers.checking import Checked
from coax.subscription.operations import create_subscriptions


def write_chunk(checked: Checked, *, tenant_id: int, created_on: date) -> None:
    """Create the contacts, accounts, subscriptions and services of a chunk and open the accounts' balances.

    Raises: AccountCodesTaken, SubscriptionCodesTaken.
    """
    made = create_accounts(
        tenant_id=tenant_id, contacts=checked.contacts, accounts=checked.accounts, created_on=created_on
    )
    create_subscriptions(
        tenant_id=tenant_id,
        subscriptions=_own(checked.subscriptions, made),
        services=_own(checked.services, made),
        created_on=created_on,
    )
    bucket = (pl.col("account_id") & BUCKET_MASK).alias("bucket")
    open_balances(rows=made.select(bucket, "account_id", pl.lit(tenant_id).alias("tenant_id")))


def _own(frame: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """Give rows of new accounts the keys of these."""
    fresh = made.rename({"account_id": "fresh_account_id"})
    joined = frame.join(fresh, on="account_code", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("account_id", "fresh_account_id").alias("account_id"))
