"""Check rows against the configuration: every code known, every option allowed by the scheme and the type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from coax.process.import_subscribers.catalogue import SERVICE_CLASSES, Catalogue, list_allowed
from coax.process.import_subscribers.problems import list_problems

SCHEME_OPTIONS = {
    "price_plan": "is not a price plan of the scheme",
    "frequency": "is not a frequency of the scheme",
    "binding_period": "is not a binding period of the scheme",
}


def check_configuration(rows: pl.DataFrame, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    """Return the problems of codes and options, a frame for each kind of problem."""
    yield from _check_names(rows, catalogue)
    yield from _check_products(rows, catalogue)
    yield from _check_scheme_options(rows, catalogue)
    yield from _check_types(rows, catalogue)
    yield from _check_prices(rows, catalogue)
    yield _check_credit_period(rows, catalogue)


def _check_names(rows: pl.DataFrame, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    known: dict[str, tuple[Iterable[str], str]] = {
        "scheme": (catalogue.schemes, "is not an active scheme of normal subscriptions"),
        "subscription_type": (catalogue.types, "is not an active subscription type"),
        "classification": (catalogue.classifications, "is not an active account classification"),
        "price_plan": (catalogue.plans, "is not an active price plan"),
        "credit_rating": (catalogue.credit_ratings, "is not a credit rating of the receivable definition"),
        "currency": ([catalogue.currency], "is not the operator's currency"),
    }
    for field, (codes, reason) in known.items():
        listed = list(codes)
        unknown = rows.filter(pl.col(field).is_not_null() & ~pl.col(field).is_in(listed))
        yield list_problems(unknown, field, reason, list_allowed(listed) or "none")


def _check_products(rows: pl.DataFrame, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    known = rows.select("line", "product", "scheme").drop_nulls("product")
    joined = known.join(catalogue.products, on="product", how="left", maintain_order="left")
    services = catalogue.products.filter(pl.col("class").is_in([str(item) for item in SERVICE_CLASSES]))
    allowed = list_allowed(services["product"].to_list()) or "none"
    unknown = joined.filter(pl.col("product_id").is_null())
    yield list_problems(unknown, "product", "is not an active product", allowed)
    is_service = pl.col("class").is_in([str(item) for item in SERVICE_CLASSES])
    others = joined.filter(~is_service)
    reason = pl.format("is of class {}; a subscription holds services", "class")
    yield list_problems(others, "product", reason, allowed)
    termed = joined.filter(is_service & (pl.col("class") != "usage"))
    text = "is not a service of the scheme"
    yield _check_pairs(termed, "product", text, catalogue.pairs["product"], catalogue)


def _check_scheme_options(rows: pl.DataFrame, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    for field, reason in SCHEME_OPTIONS.items():
        given = rows.filter(pl.col(field).is_not_null())
        if field == "price_plan":
            given = given.filter(pl.col(field).is_in(list(catalogue.plans)))
        yield _check_pairs(given, field, reason, catalogue.pairs[field], catalogue)


def _check_pairs(
    given: pl.DataFrame, field: str, reason: str, pairs: pl.DataFrame, catalogue: Catalogue
) -> pl.DataFrame:
    """Return a problem for each row whose (scheme, value) is not among the pairs; its scheme must be known."""
    odd = given.join(pairs, on=["scheme", field], how="anti", maintain_order="left")
    told = odd.join(catalogue.scheme_frame, on="scheme", how="inner", maintain_order="left")
    return list_problems(told, field, reason, pl.col(f"allowed_{field}"))


def _check_types(rows: pl.DataFrame, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    given = rows.filter(pl.col("subscription_type").is_in(list(catalogue.types)))
    known = given.filter(pl.col("scheme").is_in(list(catalogue.schemes)))
    pairs = catalogue.pairs["subscription_type"]
    odd = known.join(pairs, on=["scheme", "subscription_type"], how="anti", maintain_order="left")
    schemes = pairs.group_by("subscription_type").agg(pl.col("scheme").str.join(", ").alias("allowed"))
    told = odd.join(schemes, on="subscription_type", how="left", maintain_order="left")
    yield list_problems(told, "scheme", "is not a scheme of the subscription type", pl.col("allowed"))
    termed = catalogue.products.filter(pl.col("class") == "termed")
    services = given.join(termed, on="product", how="semi", maintain_order="left")
    strange = services.join(
        catalogue.type_products, on=["subscription_type", "product"], how="anti", maintain_order="left"
    )
    listed = catalogue.type_products.group_by("subscription_type").agg(
        pl.col("product").str.join(", ").alias("allowed")
    )
    told = strange.join(listed, on="subscription_type", how="left", maintain_order="left")
    yield list_problems(told, "product", "is not a service of the subscription type", pl.col("allowed"))


def _check_prices(rows: pl.DataFrame, catalogue: Catalogue) -> Iterator[pl.DataFrame]:
    flags = catalogue.scheme_frame.select("scheme", "takes_discount", "takes_price")
    given = rows.filter(pl.col("extra_discount_ppm").fill_null(0).gt(0) | pl.col("agreed_price_micro").is_not_null())
    joined = given.join(flags, on="scheme", how="inner", maintain_order="left")
    discounted = joined.filter(pl.col("extra_discount_ppm").fill_null(0).gt(0) & ~pl.col("takes_discount"))
    yield list_problems(discounted, "discount_percent", "is not allowed by the scheme's discount options", "empty")
    priced = joined.filter(pl.col("agreed_price_micro").is_not_null() & ~pl.col("takes_price"))
    yield list_problems(priced, "agreed_price", "is not allowed by the scheme's discount options", "empty")


def _check_credit_period(rows: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    low, high = catalogue.credit_period_bounds
    odd = rows.filter(~pl.col("credit_period_days").is_between(low, high))
    reason = "is outside the proximity range of the receivable definition"
    return list_problems(odd, "credit_period_days", reason, f"from {low} to {high}")
