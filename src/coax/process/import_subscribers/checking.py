"""One chunk of a file: rows as text in; what is to be created, what is unchanged and the problems out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from coax.process.import_subscribers.catalogue import Catalogue
from coax.process.import_subscribers.columns import COLUMNS, Level
from coax.process.import_subscribers.contracts import (
    CONTRACT_COLUMNS,
    check_services,
    date_services,
    make_contracts,
)
from coax.process.import_subscribers.groups import (
    add_defaults,
    find_contradictions,
    find_repeated_services,
    merge_rows,
)
from coax.process.import_subscribers.lookup import check_configuration
from coax.process.import_subscribers.parsing import parse_rows
from coax.process.import_subscribers.problems import join_problems, list_problems
from coax.process.import_subscribers.stored import Store, Stored, compare_rows

ACCOUNT_FIELDS = [column.name for column in COLUMNS if column.level in (Level.CONTACT, Level.ACCOUNT)]


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a chunk: frames to create, counts of what is there already, problems, rows left out."""

    contacts: pl.DataFrame
    accounts: pl.DataFrame
    subscriptions: pl.DataFrame
    services: pl.DataFrame
    unchanged_services: int
    skipped_rows: int
    problems: pl.DataFrame


def check_chunk(texts: pl.DataFrame, known_problems: pl.DataFrame, catalogue: Catalogue, store: Store) -> Checked:
    """Check the rows of a chunk and work out what they create, after a look at what is stored.

    A bad row takes its subscription with it; a bad cell of an account or contact takes the whole account.
    """
    rows, found = parse_rows(texts, currency_scale=catalogue.currency_scale)
    accounts = store.read_accounts(rows)
    rows = add_defaults(rows, accounts)
    stored = store.read_stored(rows, accounts)
    found += [known_problems.join(rows.select("line"), on="line", how="semi", maintain_order="left")]
    found += [*check_configuration(rows, catalogue), *find_contradictions(rows), find_repeated_services(rows)]
    found += [*compare_rows(rows, stored, catalogue), _find_nameless(rows, stored)]
    sound = _leave_out(rows, found)
    services, problems = _make_services(sound, stored, catalogue)
    found += problems
    good = _leave_out(services, problems) if any(frame.height for frame in problems) else services
    return _collect(rows, good, stored, catalogue, join_problems(found))


def _find_nameless(rows: pl.DataFrame, stored: Stored) -> pl.DataFrame:
    """Return a problem for each row of a new contact that has no name on any row."""
    fresh = rows.join(
        stored.contacts, left_on="contact_key", right_on="contact_code", how="anti", maintain_order="left"
    )
    named = fresh.filter(pl.col("name").is_not_null()).select("contact_key").unique()
    nameless = fresh.join(named, on="contact_key", how="anti", maintain_order="left")
    return list_problems(nameless, "name", "is required for a new contact", "a name on one of its rows")


def _leave_out(rows: pl.DataFrame, problems: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows without those of bad subscriptions and bad accounts."""
    bad = pl.concat(problems)
    if not bad.height:
        return rows
    of_account = pl.col("field").is_in(ACCOUNT_FIELDS)
    accounts = rows.join(bad.filter(of_account), on="line", how="semi").select("account_code").unique()
    subscriptions = rows.join(bad.filter(~of_account), on="line", how="semi").select("subscription_code").unique()
    return rows.join(accounts, on="account_code", how="anti", nulls_equal=True, maintain_order="left").join(
        subscriptions, on="subscription_code", how="anti", nulls_equal=True, maintain_order="left"
    )


def _make_services(rows: pl.DataFrame, stored: Stored, catalogue: Catalogue) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the rows with contract and dates; `subscription_id` is null for new subscriptions."""
    fresh = rows.join(stored.subscriptions, on="subscription_code", how="anti", maintain_order="left")
    made, problems = make_contracts(fresh, catalogue)
    wanted = ["subscription_code", "subscription_id", "type_id", "contract_from", *CONTRACT_COLUMNS]
    absent = [pl.lit(None, pl.Int64).alias("subscription_id"), pl.lit(None, pl.Date).alias("contract_from")]
    contracts = pl.concat(
        [stored.subscriptions.select(wanted), made.with_columns(absent).select(wanted)], how="vertical_relaxed"
    )
    own = ["line", "account_code", "contact_key", "service_code", "product", "quantity", "effective_from"]
    own += ["effective_to", "agreed_price", "agreed_price_micro", "extra_discount_ppm", "billed_until"]
    joined = rows.select("subscription_code", *own).join(
        contracts, on="subscription_code", how="left", maintain_order="left"
    )
    dated = date_services(joined, catalogue)
    return dated, [*problems, *check_services(dated)]


def _collect(
    rows: pl.DataFrame, good: pl.DataFrame, stored: Stored, catalogue: Catalogue, problems: pl.DataFrame
) -> Checked:
    fresh = good.join(stored.services, on=["subscription_id", "service_code"], how="anti", maintain_order="left")
    accounts = _new_accounts(rows, good, stored, catalogue)
    new_keys = accounts.filter(pl.col("contact_id").is_null()).select("contact_key").unique()
    return Checked(
        contacts=_new_contacts(rows, new_keys),
        accounts=accounts.rename({"contact_key": "contact_code"}),
        subscriptions=_new_subscriptions(good, stored),
        services=_new_services(fresh, stored, catalogue),
        unchanged_services=good.height - fresh.height,
        skipped_rows=rows.height - good.height,
        problems=problems,
    )


def _new_contacts(rows: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    merged = merge_rows(rows.join(keys, on="contact_key", how="semi", maintain_order="left"), Level.CONTACT)
    return merged.drop("line").rename({"contact_key": "contact_code"}).with_columns(pl.all().fill_null(""))


def _new_accounts(rows: pl.DataFrame, good: pl.DataFrame, stored: Stored, catalogue: Catalogue) -> pl.DataFrame:
    named = good.join(stored.accounts, on="account_code", how="anti", maintain_order="left")
    keys = named.select("account_code", "contact_key").unique("account_code", keep="first", maintain_order=True)
    own = rows.join(keys, on="account_code", how="semi", maintain_order="left")
    merged = merge_rows(own, Level.ACCOUNT).join(keys, on="account_code", how="left", maintain_order="left")
    people = stored.contacts.select(pl.col("contact_code").alias("contact_key"), "contact_id")
    joined = merged.join(people, on="contact_key", how="left", maintain_order="left")
    classification = pl.col("classification").replace_strict(
        catalogue.classifications, default=None, return_dtype=pl.Int64
    )
    return joined.select(
        "account_code",
        "contact_key",
        "contact_id",
        classification.alias("classification_id"),
        pl.lit(catalogue.currency).alias("currency"),
        pl.col("credit_limit_minor").fill_null(pl.lit(catalogue.default_credit_limit_minor, pl.Int64)),
        pl.col("credit_rating").fill_null(""),
        pl.col("credit_period_days").fill_null(0),
    )


def _new_subscriptions(good: pl.DataFrame, stored: Stored) -> pl.DataFrame:
    """Return the new subscriptions with their contracts, which begin when the first service begins or is billed."""
    fresh = good.filter(pl.col("subscription_id").is_null())
    starts = pl.min_horizontal("effective_from", "billable_from").min().alias("contract_from")
    columns = [pl.col(name).first() for name in ("account_code", "type_id", *CONTRACT_COLUMNS)]
    grouped = fresh.group_by("subscription_code", maintain_order=True).agg(starts, *columns)
    return grouped.join(
        stored.accounts.select("account_code", "account_id"), on="account_code", how="left", maintain_order="left"
    )


def _new_services(fresh: pl.DataFrame, stored: Stored, catalogue: Catalogue) -> pl.DataFrame:
    joined = fresh.join(
        catalogue.products.select("product", "product_id"), on="product", how="left", maintain_order="left"
    ).join(stored.accounts.select("account_code", "account_id"), on="account_code", how="left", maintain_order="left")
    return joined.select(
        "subscription_code",
        "subscription_id",
        "account_code",
        "account_id",
        "service_code",
        "product_id",
        pl.col("quantity").fill_null(1),
        "effective_from",
        "effective_to",
        "billable_from",
        "billing_effective_date",
        "agreed_price_micro",
        pl.col("extra_discount_ppm").fill_null(0),
        "rated_up_to",
    )
