"""Make the contract of each subscription and the dates of each service from rows, scheme and what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import polars as pl

from coax.configuration.types.billing_term_scheme import BillingDateRule
from coax.configuration.types.fields import BEGINNING
from coax.process.import_subscribers.catalogue import Catalogue, list_allowed
from coax.process.import_subscribers.columns import Level
from coax.process.import_subscribers.groups import merge_rows
from coax.process.import_subscribers.problems import list_problems
from coax.subscription.rules import CycleDayRefused, decide_billing_date, decide_cycle_day

CONTRACT_COLUMNS: Final = (
    "scheme_version_id",
    "price_plan_id",
    "frequency",
    "cycle_day",
    "agreement_date",
    "binding_period",
    "binding_start_date",
)
# What a rule's date follows from, so that each combination is decided once.
INPUTS_OF_RULE: Final = {
    BillingDateRule.AGREEMENT_DATE: ["agreement_date"],
    BillingDateRule.NEXT_CYCLE_DATE: ["effective_from", "cycle_day"],
}


def make_contracts(rows: pl.DataFrame, catalogue: Catalogue) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the contracts of new subscriptions (subscription_code, type_id, `CONTRACT_COLUMNS`) and the problems.

    `rows` are those of the new subscriptions, without problems so far. A subscription with a problem has
    nulls in its contract.
    """
    starts = rows.group_by("subscription_code").agg(pl.col("effective_from").min().alias("starts_on"))
    merged = merge_rows(rows, Level.SUBSCRIPTION).join(
        starts, on="subscription_code", how="left", maintain_order="left"
    )
    joined = merged.join(catalogue.scheme_frame, on="scheme", how="left", maintain_order="left")
    days, cycle_problems = _decide_cycle_days(joined, catalogue)
    contracts = joined.with_columns(
        pl.coalesce("price_plan", "default_plan").alias("price_plan"),
        pl.coalesce("frequency", "default_frequency").alias("frequency"),
        pl.coalesce("agreement_date", "starts_on").alias("agreement_date"),
        days,
    )
    problems = [*_check_defaults(contracts, catalogue), cycle_problems, _check_binding(joined)]
    return _complete(contracts, catalogue), problems


def date_services(services: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Add billable_from, billing_effective_date and rated_up_to by the rules of each contract's scheme (R56).

    What was billed elsewhere ends at `billed_until`; beyond its end a service owes nothing.
    """
    versions = services["scheme_version_id"].unique().drop_nulls().to_list()
    specs = {version: catalogue.scheme_versions[version] for version in versions}
    billable = {version: spec.billable_period_start for version, spec in specs.items()}
    effective = {version: spec.billing_effective for version, spec in specs.items()}
    dated = _add_dates(_add_dates(services, billable, "billable_from"), effective, "billing_effective_date")
    billed = pl.coalesce("billed_until", "billable_from")
    return dated.with_columns(pl.min_horizontal(billed, "effective_to").alias("rated_up_to"))


def check_services(services: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Return the problems of dates: no day in the service, billed before it begins, outside a stored contract."""
    ended = services.filter(pl.col("effective_to") <= pl.col("effective_from"))
    after = pl.format("after {}", "effective_from")
    yield list_problems(ended, "effective_to", "is not after effective_from (the end is exclusive)", after)
    billed = services.filter(pl.col("billed_until") < pl.col("billable_from"))
    since = pl.format("{} or later", "billable_from")
    yield list_problems(billed, "billed_until", "is before the service is billable", since)
    early = services.filter(pl.col("rated_up_to") < pl.col("contract_from"))
    since = pl.format("{} or later, or billed_until {} or later", "contract_from", "contract_from")
    yield list_problems(early, "effective_from", "is before the stored contract begins", since)
    ended = services.filter(pl.col("scheme_version_id").is_null())
    yield list_problems(ended, "subscription_code", "is the code of a subscription without an open contract")


def _complete(contracts: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    is_bound = pl.col("binding_period").is_not_null()
    plan_ids = pl.col("price_plan").replace_strict(catalogue.plans, default=None, return_dtype=pl.Int64)
    type_ids = pl.col("subscription_type").replace_strict(catalogue.types, default=None, return_dtype=pl.Int64)
    return contracts.select(
        "subscription_code",
        "scheme_version_id",
        plan_ids.alias("price_plan_id"),
        type_ids.alias("type_id"),
        "frequency",
        pl.col("cycle_day").cast(pl.Int64),
        "agreement_date",
        pl.col("binding_period").fill_null(""),
        pl.when(is_bound).then(pl.coalesce("binding_start_date", "agreement_date")).alias("binding_start_date"),
    )


def _check_defaults(contracts: pl.DataFrame, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    unplanned = contracts.filter(~pl.col("price_plan").is_in(list(catalogue.plans)).fill_null(value=False))
    text = "is required: the scheme has no default price plan that is active"
    yield list_problems(unplanned, "price_plan", text, pl.col("allowed_price_plan"))
    open_ended = contracts.filter(pl.col("frequency").is_null())
    text = "is required: the scheme has more than one frequency"
    yield list_problems(open_ended, "frequency", text, pl.col("allowed_frequency"))


def _check_binding(contracts: pl.DataFrame) -> pl.DataFrame:
    odd = contracts.filter(pl.col("binding_start_date").is_not_null() & pl.col("binding_period").is_null())
    return list_problems(odd, "binding_start_date", "goes only with a binding period", "empty")


def _decide_cycle_days(contracts: pl.DataFrame, catalogue: Catalogue) -> tuple[pl.Series, pl.DataFrame]:
    """Return the cycle days, decided once for each scheme, given day and day of the start; and the problems."""
    key = ["scheme", "cycle_day", "start_day"]
    keyed = contracts.with_columns(pl.col("starts_on").dt.day().alias("start_day"))
    distinct = keyed.group_by(key).agg(pl.col("starts_on").first())
    decided = pl.DataFrame(
        [_decide_cycle_day(row, catalogue) for row in distinct.select(*key, "starts_on").iter_rows()],
        schema={"day": pl.Int64, "reason": pl.String, "allowed": pl.String},
        orient="row",
    )
    joined = keyed.join(
        pl.concat([distinct.select(key), decided], how="horizontal"),
        on=key,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    refused = joined.filter(pl.col("reason").is_not_null())
    problems = list_problems(refused, "cycle_day", pl.col("reason"), pl.col("allowed"))
    return joined["day"].alias("cycle_day"), problems


def _decide_cycle_day(row: tuple[Any, ...], catalogue: Catalogue) -> tuple[int | None, str | None, str | None]:
    scheme, given, _, starts_on = row
    try:
        day = decide_cycle_day(catalogue.schemes[scheme].cycle_days, given=given, starts_on=starts_on)
    except CycleDayRefused as refusal:
        return None, refusal.reason, list_allowed([refusal.allowed])
    return day, None, None


def _add_dates(services: pl.DataFrame, rules: dict[int, BillingDateRule], name: str) -> pl.DataFrame:
    parts = [
        _add_date(
            services.filter(pl.col("scheme_version_id").is_in([key for key, used in rules.items() if used is rule])),
            rule,
            name,
        )
        for rule in dict.fromkeys(rules.values())
    ]
    unknown = services.filter(pl.col("scheme_version_id").is_null()).with_columns(pl.lit(None, pl.Date).alias(name))
    return pl.concat([*parts, unknown]).sort("line")


def _add_date(services: pl.DataFrame, rule: BillingDateRule, name: str) -> pl.DataFrame:
    inputs = INPUTS_OF_RULE.get(rule, ["effective_from"])
    distinct = services.select(inputs).drop_nulls().unique()
    dates = [_decide_date(rule, row) for row in distinct.iter_rows(named=True)]
    found = distinct.with_columns(pl.Series(name, dates, pl.Date))
    return services.join(found, on=inputs, how="left", maintain_order="left")


def _decide_date(rule: BillingDateRule, row: dict[str, Any]) -> date:
    return decide_billing_date(
        rule,
        performed_on=row.get("effective_from", BEGINNING),
        agreed_on=row.get("agreement_date", BEGINNING),
        cycle_day=row.get("cycle_day", 1),
    )
