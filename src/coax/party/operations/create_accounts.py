"""Create contacts and accounts in bulk."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import polars as pl
from psycopg.errors import UniqueViolation

from coax.base.errors import DomainError
from coax.base.tenancy import RUN_ALIAS, tenant_transaction
from coax.party.batch.accounts import number_accounts, number_contacts, write_accounts, write_contacts
from coax.party.types import AccountState


class AccountCodesTaken(DomainError):
    """Somebody else created a contact or an account of the same code at the same time."""

    code: ClassVar[str] = "account_codes_taken"


def create_accounts(
    *, tenant_id: int, contacts: pl.DataFrame, accounts: pl.DataFrame, created_on: date
) -> pl.DataFrame:
    """Create new contacts and new accounts of new or known contacts; return `account_code`, `account_id`.

    `contacts`: contact_code and the texts of a contact, nothing null. `accounts`: account_code,
    contact_code, contact_id (null for a contact of `contacts`), classification_id (may be null), currency,
    credit_limit_minor (may be null), credit_rating, credit_period_days.

    Raises: AccountCodesTaken.
    """
    with tenant_transaction(tenant_id, using=RUN_ALIAS):
        people = number_contacts(contacts.rename({"contact_code": "code"}), using=RUN_ALIAS)
        made = number_accounts(_find_contacts(accounts, people), using=RUN_ALIAS)
        made = made.with_columns(
            pl.lit(tenant_id, pl.Int32).alias("tenant_id"),
            pl.col("account_code").alias("code"),
            pl.lit(AccountState.ACTIVE.value).alias("state"),
            pl.lit(0, pl.Int32).alias("revision"),
            pl.lit(created_on).alias("created_on"),
        )
        try:
            write_contacts(people.with_columns(pl.lit(tenant_id).alias("tenant_id")), using=RUN_ALIAS)
            write_accounts(made, using=RUN_ALIAS)
        except UniqueViolation as error:
            raise AccountCodesTaken(
                "Contacts or accounts of the same codes were created meanwhile; try again."
            ) from error
    return made.select("account_code", "account_id")


def _find_contacts(accounts: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Give the accounts of new contacts the keys of these."""
    fresh = people.select(pl.col("code").alias("contact_code"), pl.col("id").alias("fresh_id"))
    joined = accounts.join(fresh, on="contact_code", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("contact_id", "fresh_id").alias("contact_id")).drop("fresh_id")
