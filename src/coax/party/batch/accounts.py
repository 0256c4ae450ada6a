"""Number and write contacts and accounts, with their codes in the directories."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.copy import Columns, copy_target, encode_frame
from coax.base.db import copy_in, execute
from coax.base.ids import BUCKET_MASK, BUCKETS
from coax.base.numbers import next_ids
from coax.party.batch.copy_csv import copy_frame

CONTACT_COLUMNS: Final = (
    "bucket",
    "id",
    "tenant_id",
    "code",
    "name",
    "email",
    "phone",
    "street",
    "postal_code",
    "city",
    "country",
    "locale",
)
ACCOUNT_COLUMNS: Final[Columns] = (
    ("bucket", "int2"),
    ("account_id", "int8"),
    ("tenant_id", "int4"),
    ("code", "text"),
    ("contact_id", "int8"),
    ("state", "text"),
    ("classification_id", "int8"),
    ("currency", "text"),
    ("credit_limit_minor", "int8"),
    ("credit_rating", "text"),
    ("credit_period_days", "int2"),
    ("revision", "int4"),
    ("created_on", "date"),
)
CONTACT_CODE_COLUMNS: Final[Columns] = (("tenant_id", "int4"), ("code", "text"), ("contact_id", "int8"))
ACCOUNT_CODE_COLUMNS: Final[Columns] = (("tenant_id", "int4"), ("code", "text"), ("account_id", "int8"))


def number_contacts(contacts: pl.DataFrame, *, using: str) -> pl.DataFrame:
    """Add `id` and `bucket`: the buckets take turns, and a contact's accounts will lie in its bucket."""
    sequence = pl.Series("sequence", next_ids("base_account_seq", contacts.height, using=using), pl.Int64)
    bucket = sequence & BUCKET_MASK
    return contacts.with_columns(id=sequence * BUCKETS + bucket, bucket=bucket)


def number_accounts(accounts: pl.DataFrame, *, using: str) -> pl.DataFrame:
    """Add `account_id` and `bucket`, which is that of `contact_id`."""
    sequence = pl.Series("sequence", next_ids("base_account_seq", accounts.height, using=using), pl.Int64)
    bucket = accounts["contact_id"] & BUCKET_MASK
    return accounts.with_columns(account_id=sequence * BUCKETS + bucket, bucket=bucket)


def write_contacts(contacts: pl.DataFrame, *, using: str) -> None:
    """Write rows of `CONTACT_COLUMNS` in the order of their keys, and their codes."""
    ordered = contacts.sort("bucket", "id")
    directory = contacts.select("tenant_id", "code", contact_id="id").sort("code")
    _copy(directory, "party_contact_code", CONTACT_CODE_COLUMNS, using)
    copy_frame(ordered, "party_contact", CONTACT_COLUMNS, using=using)


def write_accounts(accounts: pl.DataFrame, *, using: str) -> None:
    """Write rows of `ACCOUNT_COLUMNS` in the order of their keys, and their codes."""
    _copy(accounts.sort("code"), "party_account_code", ACCOUNT_CODE_COLUMNS, using)
    _copy(accounts.sort("bucket", "account_id"), "party_account", ACCOUNT_COLUMNS, using)


def refresh_statistics() -> None:
    """Tell the planner what the tables hold now; needs their owner, outside the transaction that loaded them."""
    execute("ANALYZE party_contact, party_contact_code, party_account, party_account_code", using="owner")


def _copy(frame: pl.DataFrame, table: str, columns: Columns, using: str) -> None:
    copy_in(copy_target(table, columns), encode_frame(frame, columns), using=using)
