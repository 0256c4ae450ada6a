"""The configuration in force on a day, as decisions on actions want it."""

from __future__ import annotations

from datetime import date
from typing import Any

from coax.base.tenancy import APP_ALIAS
from coax.configuration.queries import find_active, find_versions
from coax.configuration.types.action_type import ActionType
from coax.configuration.types.billing_term_definition import BillingTermDefinition
from coax.configuration.types.billing_term_scheme import Classification
from coax.configuration.types.subscription_definition import SubscriptionDefinition
from coax.subscription.rules.policy import Policy


def load_policy(as_of: date, *, unit: str | None = None, using: str = APP_ALIAS) -> Policy:
    """Return the rules of the open transaction's tenant on a day; contracts name the scheme versions they keep.

    `unit` is the organisational unit of who acts.
    """
    products = find_versions("product", as_of, using=using)
    definition = find_active("subscription_definition", as_of, using=using)
    rules: list[Any] = []
    for row in find_versions("billing_term_definition", as_of, using=using):
        spec = row.spec
        if isinstance(spec, BillingTermDefinition) and spec.is_active:
            rules += spec.rules if spec.classification is Classification.SUBSCRIPTIONS else ()
    specs: dict[str, Any] = {
        kind: {row.entity_id: row.spec for row in find_versions(kind, as_of, using=using)}
        for kind in ("subscription_type", "account_classification", "product_bundle")
    }
    active: dict[str, Any] = {
        kind: {row.entity_id: row.spec for row in find_versions(kind, as_of, using=using) if row.spec.is_active}
        for kind in ("usage_service_catalog", "usage_type")
    }
    return Policy(
        products={row.entity_id: row.spec for row in products},
        product_ids={row.code: row.entity_id for row in products},
        schemes={row.version_id: row.spec for row in find_versions("billing_term_scheme", using=using)},
        scheme_versions={
            row.code: row.version_id
            for row in find_versions("billing_term_scheme", as_of, using=using)
            if row.spec.is_active
        },
        plan_ids={
            row.code: row.entity_id for row in find_versions("price_plan", as_of, using=using) if row.spec.is_active
        },
        types=specs["subscription_type"],
        classifications={key: spec.code for key, spec in specs["account_classification"].items()},
        definition=definition.spec if definition and isinstance(definition.spec, SubscriptionDefinition) else None,
        rules=tuple(rules),
        unit=unit,
        catalogs=active["usage_service_catalog"],
        usage_types=active["usage_type"],
        bundles=specs["product_bundle"],
        action_types={
            row.code: row.spec
            for row in find_versions("action_type", as_of, using=using)
            if isinstance(row.spec, ActionType) and row.spec.is_active
        },
    )
