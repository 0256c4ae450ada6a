"""What the file says against what is stored: equal is unchanged, different is a problem, never an edit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from coax.base.money import MICRO_SCALE
from coax.configuration.types.fields import PERCENT_DECIMALS_MAX
from coax.party.queries import CONTACT_TEXTS, find_stored_accounts, find_stored_contacts
from coax.party.types import AccountState
from coax.process.import_subscribers.catalogue import Catalogue
from coax.process.import_subscribers.parsing import typed_name
from coax.process.import_subscribers.problems import list_problems
from coax.subscription.queries import find_stored_services, find_stored_subscriptions

DIFFERS: Final = "differs from what is stored; an import changes nothing that exists"
ACCOUNT_FIELDS: Final = ("contact_code", "classification", "currency", "credit_limit", "credit_rating")
CONTRACT_FIELDS: Final = (
    "subscription_type",
    "scheme",
    "price_plan",
    "frequency",
    "cycle_day",
    "agreement_date",
    "binding_period",
    "binding_start_date",
)
# What an empty cell of a service means; its cells are compared even when they are empty.
SERVICE_FIELDS: Final = {
    "product": None,
    "quantity": 1,
    "effective_from": None,
    "effective_to": None,
    "agreed_price": None,
    "discount_percent": 0,
}
SERVICE_SCALES: Final = {"agreed_price": MICRO_SCALE, "discount_percent": PERCENT_DECIMALS_MAX}


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of the contacts, accounts, subscriptions and services that rows name."""

    contacts: pl.DataFrame
    accounts: pl.DataFrame
    subscriptions: pl.DataFrame
    services: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Store:
    """Where to look: whose data, over which connection, and whether there are any (a first import need not look)."""

    tenant_id: int
    using: str
    has_data: bool

    def read_accounts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the stored accounts that the rows name."""
        codes = self._distinct(rows, "account_code")
        return find_stored_accounts(tenant_id=self.tenant_id, codes=codes, using=self.using)

    def read_stored(self, rows: pl.DataFrame, accounts: pl.DataFrame) -> Stored:
        """Return what is stored of the rows, whose stored accounts are given."""
        keys, codes = self._distinct(rows, "contact_key"), self._distinct(rows, "subscription_code")
        contacts = find_stored_contacts(tenant_id=self.tenant_id, codes=keys, using=self.using)
        subscriptions = find_stored_subscriptions(tenant_id=self.tenant_id, codes=codes, using=self.using)
        owners = subscriptions["account_id"].unique(maintain_order=True)
        services = find_stored_services(tenant_id=self.tenant_id, account_ids=owners, using=self.using)
        return Stored(contacts, accounts, subscriptions, services)

    def _distinct(self, rows: pl.DataFrame, name: str) -> pl.Series:
        found = rows[name].drop_nulls()
        return found.unique(maintain_order=True) if self.has_data else found.clear()


def compare_rows(rows: pl.DataFrame, stored: Stored, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    """Return a problem for each cell that differs from what is stored; an empty cell of an account says nothing."""
    yield from _compare_contacts(rows, stored)
    yield from _compare_accounts(rows, stored, catalogue)
    yield from _compare_subscriptions(rows, stored, catalogue)
    yield from _compare_services(rows, stored, catalogue)


def _compare_contacts(rows: pl.DataFrame, stored: Stored) -> Iterator[pl.DataFrame]:
    known = stored.contacts.rename({name: f"stored_{name}" for name in CONTACT_TEXTS})
    joined = rows.join(known, left_on="contact_key", right_on="contact_code", how="inner", maintain_order="left")
    for name in CONTACT_TEXTS:
        yield _list_differing(joined, name)


def _compare_accounts(rows: pl.DataFrame, stored: Stored, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    known = stored.accounts.with_columns(
        _name_of("classification_id", catalogue.classifications).alias("classification")
    )
    names = ("state", "contact_code", "classification", "currency", "credit_limit_minor", "credit_rating")
    known = known.select("account_code", *(pl.col(n).alias(f"stored_{n}") for n in (*names, "credit_period_days")))
    joined = rows.join(known, on="account_code", how="inner", maintain_order="left")
    ended = joined.filter(pl.col("stored_state") == AccountState.TERMINATED)
    yield list_problems(ended, "account_code", "is the code of a terminated account")
    scale = {"credit_limit": catalogue.currency_scale}
    for name in (*ACCOUNT_FIELDS, "credit_period_days"):
        yield _list_differing(joined, name, scale.get(name, 0))


def _compare_subscriptions(rows: pl.DataFrame, stored: Stored, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    codes = {version: spec.code for version, spec in catalogue.scheme_versions.items()}
    scheme = pl.col("scheme_version_id").replace_strict(codes, default=None, return_dtype=pl.String)
    known = stored.subscriptions.with_columns(
        scheme.alias("scheme"),
        _name_of("price_plan_id", catalogue.plans).alias("price_plan"),
        _name_of("type_id", catalogue.types).alias("subscription_type"),
    )
    wanted = [pl.col(name).alias(f"stored_{name}") for name in CONTRACT_FIELDS]
    known = known.select("subscription_code", pl.col("account_id").alias("owner_id"), *wanted)
    joined = rows.join(known, on="subscription_code", how="inner", maintain_order="left").join(
        stored.accounts.select("account_code", "account_id"), on="account_code", how="left", maintain_order="left"
    )
    foreign = joined.filter(pl.col("account_id").ne_missing(pl.col("owner_id")))
    yield list_problems(foreign, "subscription_code", "is the code of another account's subscription")
    for name in CONTRACT_FIELDS:
        yield _list_differing(joined, name)


def _compare_services(rows: pl.DataFrame, stored: Stored, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    products = dict(catalogue.products.select("product", "product_id").iter_rows())
    known = stored.services.with_columns(_name_of("product_id", products).alias("product"))
    renamed = known.select(
        "subscription_id",
        "service_code",
        *(pl.col(typed_name(n)).alias(f"stored_{typed_name(n)}") for n in SERVICE_FIELDS),
    )
    owned = rows.join(
        stored.subscriptions.select("subscription_code", "subscription_id"),
        on="subscription_code",
        how="inner",
        maintain_order="left",
    )
    joined = owned.join(renamed, on=["subscription_id", "service_code"], how="inner", maintain_order="left")
    for name, meaning in SERVICE_FIELDS.items():
        given, held = pl.col(typed_name(name)), pl.col(f"stored_{typed_name(name)}")
        said = given if meaning is None else given.fill_null(meaning)
        yield _list_difference(joined.filter(said.ne_missing(held)), name, SERVICE_SCALES.get(name, 0))


def _list_differing(joined: pl.DataFrame, name: str, scale: int = 0) -> pl.DataFrame:
    """Return a problem for each given cell that is not the stored one."""
    given, held = pl.col(typed_name(name)), pl.col(f"stored_{typed_name(name)}")
    return _list_difference(joined.filter(given.is_not_null() & given.ne_missing(held)), name, scale)


def _list_difference(differing: pl.DataFrame, name: str, scale: int = 0) -> pl.DataFrame:
    """Return a problem for each row; `scale` is the number of decimals that the stored integer stands for."""
    held = pl.col(f"stored_{typed_name(name)}").cast(pl.String)
    if scale:
        digits = held.str.zfill(scale + 1)
        held = digits.str.head(-scale) + "." + digits.str.tail(scale)
    return list_problems(differing, name, DIFFERS, pl.format("stored: {}", held.fill_null("nothing")))


def _name_of(column: str, ids: dict[str, int]) -> pl.Expr:
    """Return the code of an entity's id; an entity that is no longer active shows as its id."""
    codes = {entity_id: code for code, entity_id in ids.items()}
    return pl.col(column).replace_strict(codes, default=pl.col(column).cast(pl.String), return_dtype=pl.String)
