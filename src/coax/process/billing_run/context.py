"""What a run's steps need to know, built from its frozen record; kept per process."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import lru_cache

from coax.base.money import currency_scale, parse_minor
from coax.base.tenancy import RUN_ALIAS, get_tenant_by_id, tenant_transaction
from coax.billing.queries.runs import get_run
from coax.billing.types import AssemblyRules, RunCriteria, RunRow
from coax.configuration.queries import find_versions_by_id
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.run_definition import NormalBillingRunDefinition
from coax.process.billing_run.steps import RunContext
from coax.rating.frames.catalogue import Catalogue, compile_catalogue
from coax.rating.types import AdvanceMode, CycleAdjustment

FROZEN_KINDS = (
    *("price_plan", "product_bundle", "usage_service_catalog", "product", "tax_class"),
    *("billing_term_scheme", "account_classification"),
)


@lru_cache(maxsize=8)
def load_context(run_id: int) -> tuple[RunRow, RunContext]:
    """Return a run's record and its context; a run's record says all that its amounts follow from."""
    run = get_run(run_id, using=RUN_ALIAS)
    with tenant_transaction(run.tenant_id, using=RUN_ALIAS):
        versions = find_versions_by_id(run.catalogue["version_ids"], using=RUN_ALIAS)
    return run, build_context(run, versions)


def build_context(run: RunRow, versions: list[ConfigurationRow]) -> RunContext:
    """Return the context of a run with these frozen versions."""
    definition = NormalBillingRunDefinition.model_validate_json(json.dumps(run.definition))
    tenant = get_tenant_by_id(run.tenant_id)
    advance = definition.rating.period_to_bill_in_advance
    months, days = _advance(advance.count, advance.unit.value if advance.unit else None)
    return RunContext(
        bill_as_of=run.bill_as_of,
        currency=tenant.currency,
        adjustment=CycleAdjustment(definition.rating.period_cycle_adjustment.value),
        advance_mode=AdvanceMode(advance.rule.value),
        advance_months=months,
        advance_days=days,
        assembly=assembly_rules(definition, tenant.currency),
        criteria=run.criteria,
        criteria_ids=_criteria_ids(run.criteria, versions, run.catalogue),
        catalogue=_compile(tuple(versions), run.bill_as_of),
    )


@lru_cache(maxsize=16)
def _compile(versions: tuple[ConfigurationRow, ...], as_of: date) -> Catalogue:
    """Compile once per process what many small runs share; equal versions are equal in every value."""
    return compile_catalogue(versions, as_of=as_of)


def assembly_rules(definition: NormalBillingRunDefinition, currency: str) -> AssemblyRules:
    """Return the thresholds and the rounding of a definition in minor units of `currency`."""

    def minor(amount: Decimal | None) -> int | None:
        return None if amount is None else parse_minor(amount, currency)

    assembling = definition.assembling
    scale = currency_scale(currency)
    return AssemblyRules(
        currency_scale=scale,
        decimal_scale=scale if assembling.decimal_scale is None else assembling.decimal_scale,
        rounding_method=assembling.rounding_method.value,
        minimum_debit_minor=parse_minor(definition.invoicing.minimum_debit, currency),
        maximum_credit_minor=minor(assembling.maximum_credit),
        minimum_credit_minor=minor(assembling.minimum_credit),
        classify_over_credit_limit=assembling.classify_over_credit_limit,
    )


def _advance(count: int | None, unit: str | None) -> tuple[int, int]:
    if count is None or unit is None:
        return 0, 0
    return {"day": (0, count), "week": (0, 7 * count), "month": (count, 0), "year": (12 * count, 0)}[unit]


def _criteria_ids(
    criteria: RunCriteria, versions: list[ConfigurationRow], catalogue: dict[str, object]
) -> dict[str, frozenset[int]]:
    """Return the keys that the criteria's codes stand for: scheme versions, types and classifications."""
    types = catalogue.get("subscription_types", {})
    assert isinstance(types, dict)  # noqa: S101 - written by us
    return {
        "schemes": frozenset(
            row.version_id for row in versions if row.kind == "billing_term_scheme" and row.code in criteria.schemes
        ),
        "classifications": frozenset(
            row.entity_id
            for row in versions
            if row.kind == "account_classification" and row.code in criteria.classifications
        ),
        "subscription_types": frozenset(types[code] for code in criteria.subscription_types if code in types),
    }
