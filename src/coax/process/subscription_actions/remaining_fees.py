"""What is left to pay of a binding period: the fees of its full billing periods, by the run's own rating (R77)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from coax.base.bulk import ReadSize
from coax.base.calendar import add_months_on_cycle, first_cycle_date_on_or_after
from coax.base.db import fetch_dicts
from coax.base.ids import BUCKETS, bucket_of
from coax.base.money import currency_scale
from coax.base.rounding import RoundingMethod
from coax.base.tenancy import RUN_ALIAS, Tenant
from coax.billing.types import AssemblyRules, RunCriteria
from coax.configuration.queries import find_versions
from coax.configuration.types.billing_term_definition import BillingTermRuleKind, PenaltyBasis
from coax.process.billing_run.steps import RunContext, identify
from coax.rating.frames import SERVICE_SCHEMA, rate_by_tariff
from coax.rating.frames.catalogue import compile_catalogue
from coax.rating.types import AdvanceMode, CycleAdjustment
from coax.subscription.queries.due_services import find_due_services
from coax.subscription.queries.population import Population
from coax.subscription.rules.binding import find_binding_end
from coax.subscription.rules.policy import Policy
from coax.subscription.types.actions import TermFacts

_CYCLES = """
SELECT t.subscription_id, t.id AS billing_term_id, t.scheme_version_id, t.price_plan_id, t.cycle_day, t.agreement_date,
       t.frequency, t.binding_period, t.binding_start_date, t.binding_extension_days, t.effective_from
  FROM subscription_billing_term t
  JOIN unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS k (bucket, account_id, id)
    ON t.bucket = k.bucket AND t.account_id = k.account_id AND t.subscription_id = k.id
 WHERE t.tenant_id = %s AND t.effective_to IS NULL AND t.binding_period <> '' """


def find_remaining_fees(*, tenant: Tenant, keys: Sequence[tuple[int, int]], policy: Policy, on: date) -> dict[int, int]:
    """Return the net fees in micros, by service, of the full periods between `on` and the end of each binding.

    `keys` are (account_id, subscription_id); the transaction of the run's role is open. Nothing is read where no rule
    asks for a percentage of the fee.
    """
    if not keys or not _is_asked(policy):
        return {}
    rows = fetch_dicts(
        _CYCLES,
        [[bucket_of(a) for a, _ in keys], [a for a, _ in keys], [s for _, s in keys], tenant.id],
        using=RUN_ALIAS,
    )
    ends = {row["subscription_id"]: _end_of(row) for row in rows}
    bound = {key: end for key, end in ends.items() if end is not None and end > on}
    if not bound:
        return {}
    as_of = max(bound.values())
    context = _make_context(tenant, as_of)
    population = Population(
        tenant.id,
        0,
        BUCKETS - 1,
        subscription_ids=tuple(bound),
        account_ids=tuple({a for a, _ in keys}),
        size=ReadSize.FEW,
    )
    found = find_due_services(population, as_of=as_of).filter(~pl.col("is_credit_only"))
    services = identify(_latest(found), found.clear(), context)["services"]
    whole = [_whole_periods(row, on, bound[row["subscription_id"]]) for row in services.iter_rows(named=True)]
    to_rate = services.with_columns(
        pl.col("service_id").alias("service_key"),
        pl.Series("rated_up_to", [start for start, _ in whole], pl.Date),
        pl.Series("effective_to", [end for _, end in whole], pl.Date),
        pl.lit(value=False).alias("is_post_billed"),
    ).filter(pl.col("rated_up_to") < pl.col("effective_to"))
    rated = rate_by_tariff(to_rate.select(list(SERVICE_SCHEMA)), context.catalogue.tariff, as_of=as_of)
    return dict(rated.items.group_by("service_key").agg(pl.col("net_micro").sum()).iter_rows())


def _is_asked(policy: Policy) -> bool:
    return any(
        rule.rule is BillingTermRuleKind.CANCELLATION_PENALTY
        and rule.penalty is not None
        and rule.penalty.basis is PenaltyBasis.PERCENT_OF_REMAINING_FEE
        for rule in policy.rules
    )


def _end_of(row: dict[str, Any]) -> date | None:
    return find_binding_end(TermFacts(**{name: row[name] for name in TermFacts.__slots__}))


def _make_context(tenant: Tenant, as_of: date) -> RunContext:
    """Return what identifying services wants; nothing is invoiced, so thresholds and rounding do not matter."""
    scale = currency_scale(tenant.currency)
    return RunContext(
        bill_as_of=as_of,
        currency=tenant.currency,
        adjustment=CycleAdjustment.NEXT,
        advance_mode=AdvanceMode.BILLING_FREQUENCY_PERIOD,
        advance_months=0,
        advance_days=0,
        assembly=AssemblyRules(
            currency_scale=scale,
            decimal_scale=scale,
            rounding_method=RoundingMethod.ROUND_HALF_UP,
            minimum_debit_minor=0,
            maximum_credit_minor=None,
            minimum_credit_minor=None,
            classify_over_credit_limit=False,
        ),
        criteria=RunCriteria(),
        criteria_ids={},
        catalogue=compile_catalogue(tuple(find_versions(using=RUN_ALIAS)), as_of=as_of),
    )


def _latest(found: pl.DataFrame) -> pl.DataFrame:
    """Keep of each service the stretch under its last contract."""
    return found.sort("service_id", "rated_up_to").unique("service_id", keep="last", maintain_order=True)


def _whole_periods(row: dict[str, Any], on: date, end: date) -> tuple[date, date]:
    """Return the first day and the end of the full billing periods in [on, end)."""
    months, days = row["frequency_months"], row["frequency_days"]
    if not months:
        return on, on + timedelta(days=(end - on).days // days * days)
    start = last = first_cycle_date_on_or_after(on, row["cycle_day"])
    while (following := add_months_on_cycle(last, months, row["cycle_day"])) <= end:
        last = following
    return start, last
