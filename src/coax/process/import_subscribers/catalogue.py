"""The configuration as small frames that rows of a file are joined with, and the lists of what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from coax.base.money import currency_scale, parse_minor
from coax.configuration.types.billing_term_scheme import (
    BillingMethod,
    BillingModel,
    BillingTermScheme,
    Classification,
    DiscountOptions,
)
from coax.configuration.types.catalogue import Product, ProductClass
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.receivable_definition import ReceivableDefinition
from coax.configuration.types.subscription_type import SubscriptionType
from coax.subscription.types import CycleDayRules

SERVICE_CLASSES: Final = (ProductClass.TERMED, ProductClass.USAGE)
LISTED_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme that contracts may be made of; usage services need not be among `products` (R57)."""

    code: str
    version_id: int
    spec: BillingTermScheme

    @property
    def default_plan(self) -> str | None:
        """Return the plan of contracts that name none."""
        plans = self.spec.price_plans
        return self.spec.default_price_plan or (plans[0] if len(plans) == 1 else None)

    @property
    def default_frequency(self) -> str | None:
        """Return the frequency of contracts that name none: the only one allowed."""
        return self.spec.frequencies[0] if len(self.spec.frequencies) == 1 else None

    @property
    def cycle_days(self) -> CycleDayRules:
        """Return what the scheme says of cycle days."""
        return CycleDayRules(
            is_anniversary=self.spec.billing_method is BillingMethod.ANNIVERSARY,
            allowed_days=self.spec.allowed_cycle_days,
            is_automated=self.spec.automate_cycle_day,
            is_last_day_of_month=self.spec.cycle_last_day_of_month,
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a file may name on the day of the import.

    `products`: product, product_id, class. `plans`, `classifications`, `types`: code -> entity id.
    `scheme_frame`: one row per scheme with its key, defaults, flags and lists as text. `pairs`: by field the
    (scheme, value) pairs that are allowed. `scheme_versions`: every stored version of any scheme.
    """

    currency: str
    schemes: dict[str, Scheme]
    products: pl.DataFrame
    plans: dict[str, int]
    classifications: dict[str, int]
    types: dict[str, int]
    scheme_frame: pl.DataFrame
    pairs: dict[str, pl.DataFrame]
    type_products: pl.DataFrame
    scheme_versions: dict[int, BillingTermScheme]
    credit_ratings: tuple[str, ...]
    default_credit_limit_minor: int | None
    credit_period_bounds: tuple[int, int]

    @property
    def currency_scale(self) -> int:
        """Return how many decimals amounts of the operator's currency have."""
        return currency_scale(self.currency)


def build_catalogue(versions: Sequence[ConfigurationRow], *, currency: str, as_of: date) -> Catalogue:
    """Build the frames from all versions of an operator's configuration; what is in force and active counts."""
    current = [row for row in versions if row.is_in_force(as_of) and row.spec.is_active]
    schemes = {row.code: Scheme(row.code, row.version_id, row.spec) for row in current if _is_usable_scheme(row)}
    products = [row for row in current if row.kind == "product"]
    types = [row for row in current if row.kind == "subscription_type"]
    receivable = next((row.spec for row in current if row.kind == "receivable_definition"), None)
    return Catalogue(
        currency=currency,
        schemes=schemes,
        products=_product_frame(products),
        plans=_ids(current, "price_plan"),
        classifications=_ids(current, "account_classification"),
        types=_ids(current, "subscription_type"),
        scheme_frame=_scheme_frame(schemes.values()),
        pairs=_scheme_pairs(schemes.values(), types),
        type_products=_type_products(types, products),
        scheme_versions={row.version_id: row.spec for row in versions if row.kind == "billing_term_scheme"},
        **_credit_rules(receivable, currency),
    )


def list_allowed(codes: Iterable[Any]) -> str:
    """Return values for a message, at most `LISTED_MAX` of them."""
    listed = [str(code) for code in codes]
    rest = len(listed) - LISTED_MAX
    return ", ".join(listed[:LISTED_MAX]) + (f" and {rest} more" if rest > 0 else "")


def _is_usable_scheme(row: ConfigurationRow) -> bool:
    return (
        row.kind == "billing_term_scheme"
        and row.spec.type is BillingModel.NORMAL
        and row.spec.classification is Classification.SUBSCRIPTIONS
    )


def _ids(rows: Iterable[ConfigurationRow], kind: str) -> dict[str, int]:
    return {row.code: row.entity_id for row in rows if row.kind == kind}


def _product_frame(rows: Iterable[ConfigurationRow]) -> pl.DataFrame:
    return pl.DataFrame(
        [(row.code, row.entity_id, str(row.spec.class_)) for row in rows],
        schema={"product": pl.String, "product_id": pl.Int64, "class": pl.String},
        orient="row",
    )


def _scheme_frame(schemes: Iterable[Scheme]) -> pl.DataFrame:
    rows = [_scheme_row(scheme) for scheme in schemes]
    return pl.DataFrame(
        rows,
        schema={
            "scheme": pl.String,
            "scheme_version_id": pl.Int64,
            "default_plan": pl.String,
            "default_frequency": pl.String,
            "takes_discount": pl.Boolean,
            "takes_price": pl.Boolean,
            "allowed_product": pl.String,
            "allowed_price_plan": pl.String,
            "allowed_frequency": pl.String,
            "allowed_binding_period": pl.String,
        },
        orient="row",
    )


def _scheme_row(scheme: Scheme) -> tuple[Any, ...]:
    spec = scheme.spec
    return (
        scheme.code,
        scheme.version_id,
        scheme.default_plan,
        scheme.default_frequency,
        spec.discount_options is not DiscountOptions.NONE,
        spec.discount_options is DiscountOptions.FLEXIBLE_PRICING,
        list_allowed(service.product for service in spec.services),
        list_allowed(spec.price_plans),
        list_allowed(spec.frequencies),
        list_allowed(spec.binding_periods) or "none",
    )


def _scheme_pairs(schemes: Iterable[Scheme], types: Sequence[ConfigurationRow]) -> dict[str, pl.DataFrame]:
    listed = list(schemes)
    pairs: dict[str, list[tuple[str, str]]] = {
        "product": [(s.code, service.product) for s in listed for service in s.spec.services],
        "price_plan": [(s.code, plan) for s in listed for plan in s.spec.price_plans],
        "frequency": [(s.code, frequency) for s in listed for frequency in s.spec.frequencies],
        "binding_period": [(s.code, period) for s in listed for period in s.spec.binding_periods],
        "subscription_type": [(code, row.code) for row in types for code in row.spec.schemes],
    }
    return {
        field: pl.DataFrame(found, schema={"scheme": pl.String, field: pl.String}, orient="row")
        for field, found in pairs.items()
    }


def _type_products(types: Iterable[ConfigurationRow], products: Sequence[ConfigurationRow]) -> pl.DataFrame:
    """Return (subscription_type, product) pairs; a type that lists no services allows all."""
    pairs = [
        (row.code, product.code)
        for row in types
        for product in products
        if not row.spec.services or _allows(row.spec, product.code, product.spec)
    ]
    return pl.DataFrame(pairs, schema={"subscription_type": pl.String, "product": pl.String}, orient="row")


def _allows(spec: SubscriptionType, code: str, product: Product) -> bool:
    return any(
        service.product == code or (product.type is not None and service.product_type == product.type)
        for service in spec.services
    )


def _credit_rules(receivable: ReceivableDefinition | None, currency: str) -> dict[str, Any]:
    """Return what the receivable definition says of new accounts; without one there are no ratings or limits."""
    if receivable is None:
        return {"credit_ratings": (), "default_credit_limit_minor": None, "credit_period_bounds": (0, 0)}
    limit = receivable.default_credit_limit
    return {
        "credit_ratings": receivable.credit_ratings,
        "default_credit_limit_minor": None if limit is None else parse_minor(limit, currency),
        "credit_period_bounds": (-receivable.proximity.minus_days, receivable.proximity.plus_days),
    }
