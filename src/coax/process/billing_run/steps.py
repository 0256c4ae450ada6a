"""The steps up to Assembling: pure functions from the frames of one task to more frames of it.

Frames of a task: `services` (identified, as rating wants them), `refused`, then `items` and `moves` (rated), then
`invoices`, then `bills`, `pending`. Which frames exist tells the step that the task has reached.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from coax.billing.frames import assemble, invoice
from coax.billing.frames.groups import count_groups, find_starts, number_rows
from coax.billing.types import AssemblyRules, RunCriteria
from coax.rating.frames import CREDIT_INPUT_SCHEMA, SERVICE_SCHEMA, compute_credits, rate_by_tariff
from coax.rating.frames.catalogue import Catalogue, choose_plan
from coax.rating.types import AdvanceMode, CycleAdjustment

Frames = dict[str, pl.DataFrame]

CARRIED: Final = (
    "bucket",
    "account_id",
    "subscription_id",
    "service_id",
    "generation",
    "product_version_id",
    "currency",
    "credit_limit_minor",
    "credit_period_days",
    "revision",
    "is_once",
    "credit_from",
    "stored_rated_up_to",
    "is_credit_only",
)
OWNER: Final = ("bucket", "account_id", "service_id")
REFUSED_TYPES: Final[dict[str, type[pl.DataType]]] = {
    "bucket": pl.Int16,
    "account_id": pl.Int64,
    "service_id": pl.Int64,
    "reason": pl.String,
    "detail": pl.String,
}
KEY_IN_DETAIL: Final = re.compile(r"\b(product|plan|tax class) (\d+)")
CONTRACT_COLUMNS: Final = ["price_plan_id", "frequency", "binding_period", "classification_id", "bundle_id"]


@dataclass(frozen=True, slots=True)
class RunContext:
    """What every step of a run is told: dates, rules and the frozen catalogue."""

    bill_as_of: date
    currency: str
    adjustment: CycleAdjustment
    advance_mode: AdvanceMode
    advance_months: int
    advance_days: int
    assembly: AssemblyRules
    criteria: RunCriteria
    criteria_ids: dict[str, frozenset[int]]
    catalogue: Catalogue


def identify(found: pl.DataFrame, charges: pl.DataFrame, context: RunContext) -> Frames:
    """Turn what was read into services ready for rating, and refuse what no rule can work with.

    `charges` (what is billed once) join them as services that last as long as their duration.
    """
    everything = found.with_columns(pl.lit(value=False).alias("is_once"))
    if charges.height:
        once = charges.with_columns(
            pl.lit(value=True).alias("is_once"), pl.col("rated_up_to").alias("stored_rated_up_to")
        )
        everything = pl.concat([everything, once], how="diagonal_relaxed")
    chosen = (
        _select(everything, context).with_row_index("service_key").with_columns(pl.col("service_key").cast(pl.Int64))
    )
    joined = _join_catalogue(chosen, context)
    refused = _refuse_impossible(joined, context)
    return {"services": _for_rating(joined, context), "refused": refused}


def rate_services(frames: Frames, context: RunContext, charged: pl.DataFrame | None) -> Frames:
    """Rate what is due; credit what is taken back. `charged`: the standing items of the latter, if there are any.

    A service of which any stretch is refused is refused as a whole: neither charged nor credited.
    """
    services = _without(frames["services"], frames["refused"], frames["services"])
    is_credited = pl.col("credit_from").is_not_null()
    due = services.filter(~pl.col("is_credit_only"))
    if charged is not None:
        next_generation = pl.col("generation") + is_credited.cast(pl.Int16)
        due = due.with_columns(next_generation.cast(due.schema["generation"]).alias("generation"))
    services_to_rate = due.with_columns(pl.col("charge_to").alias("effective_to")).select(list(SERVICE_SCHEMA))
    rated = rate_by_tariff(services_to_rate, context.catalogue.tariff, as_of=context.bill_as_of)
    items, advances = (_without(frame, rated.refused, services) for frame in (rated.items, rated.advances))
    carried = due.select("service_key", *CARRIED)
    charges = (
        items.lazy()
        .join(carried.lazy(), on="service_key", how="left", maintain_order="left")
        .join(context.catalogue.rate_sources.lazy(), on="rate_id", how="left", maintain_order="left")
        .with_columns(pl.when("is_once").then(pl.lit("once")).otherwise(pl.lit("charge")).alias("kind"))
        .collect()
    )
    moves, once = _split_once(advances.join(carried, on="service_key", how="left"))
    credited = None
    if charged is not None:
        ended = _without(services.filter(is_credited), rated.refused, services)
        ended = ended.unique("service_id", maintain_order=True)
        credited, moves = _credit_ended(ended, charged, moves)
        returned = ended.filter("is_once").select(*OWNER, pl.lit(value=True).alias("is_return"))
        once = pl.concat([once, returned])
    refused = [(frames["refused"], frames["services"]), (rated.refused, services)]
    return {
        "services": services.select("service_key", *CARRIED),
        "refused": _named(_with_owners(refused), context.catalogue.codes),
        "items": _in_order(charges, credited),
        "moves": _typed(_one_per_service(moves), MOVE_TYPES),
        "charges": once,
    }


def _without(frame: pl.DataFrame, refused: pl.DataFrame, services: pl.DataFrame) -> pl.DataFrame:
    """Leave out every row of the services that a refusal is about; both frames have the service's key."""
    if not refused.height:
        return frame
    owners = services.join(refused.select("service_key"), on="service_key", how="semi")
    keys = services.join(owners.select("service_id").unique(), on="service_id", how="semi").select("service_key")
    return frame.join(keys, on="service_key", how="anti", maintain_order="left")


def _one_per_service(moves: pl.DataFrame) -> pl.DataFrame:
    """Join the moves of a service's stretches into one, from where it stands to the end of the last."""
    if not moves["service_id"].is_duplicated().any():
        return moves
    return moves.group_by("service_id", maintain_order=True).agg(
        pl.col("bucket", "account_id", "rated_from", "generation", "new_generation").first(), pl.col("rated_to").max()
    )


def _split_once(rated: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the moves of services, and the keys of what is billed once (`is_return`: of what is taken back)."""
    moves = rated.with_columns(
        pl.col("stored_rated_up_to").alias("rated_from"), pl.col("generation").alias("new_generation")
    )
    keys = rated.select(*OWNER, pl.lit(value=False).alias("is_return"))
    is_once = rated["is_once"]
    return (moves.filter(~is_once), keys.filter(is_once)) if is_once.any() else (moves, keys.clear())


def _named(refused: pl.DataFrame, codes: dict[int, str]) -> pl.DataFrame:
    """Say codes that people know in place of the keys of products, plans and tax classes."""
    if not refused.height:
        return refused
    details = [
        KEY_IN_DETAIL.sub(lambda found: f"{found[1]} {codes.get(int(found[2]), found[2])}", detail)
        for detail in refused["detail"]
    ]
    return refused.with_columns(pl.Series("detail", details, dtype=pl.String))


def _in_order(charges: pl.DataFrame, credited: pl.DataFrame | None) -> pl.DataFrame:
    """Return all items by account, subscription, service and period, a credit first; charges alone are in order."""
    frames = [_typed(frame, ITEM_TYPES) for frame in (credited, charges) if frame is not None and frame.height]
    if not frames:
        return pl.DataFrame(schema=ITEM_TYPES)
    if len(frames) == 1 and charges.height:
        return frames[0]
    order = ["bucket", "account_id", "subscription_id", "service_id", "period_from"]
    return pl.concat(frames).sort(order, maintain_order=True)


def _typed(frame: pl.DataFrame, types: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(kind) for name, kind in types.items())


def make_invoices(frames: Frames) -> Frames:
    """Add the invoices and credit notes to be, one per subscription."""
    return {**frames, "invoices": invoice(frames["items"])}


def assemble_bills(frames: Frames, context: RunContext) -> Frames:
    """Add bills; items, moves and invoices of accounts under the minimum leave, as services pending."""
    assembled = assemble(frames["invoices"], context.assembly)
    items, moves, charges = frames["items"], frames["moves"], frames["charges"]
    waiting = items.clear()
    if assembled.pending.height:
        is_waiting = pl.col("account_id").is_in(assembled.pending["account_id"].implode())
        waiting = items.filter(is_waiting)
        items, moves, charges = (frame.filter(~is_waiting) for frame in (items, moves, charges))
    pending = waiting.group_by("bucket", "account_id", "service_id", maintain_order=True).agg(
        pl.col("total_micro").sum().alias("amount_micro")
    )
    services = frames["services"]
    owners = services[find_starts(services, ["account_id"])].select(
        "account_id", "currency", "credit_limit_minor", "credit_period_days", "revision"
    )
    return {
        "refused": frames["refused"],
        "items": _number_lines(items),
        "moves": moves,
        "charges": charges,
        "invoices": assembled.invoices,
        "bills": assembled.bills.join(owners, on="account_id", how="left", maintain_order="left"),
        "pending": pending,
    }


ITEM_TYPES: Final[dict[str, type[pl.DataType]]] = {
    "bucket": pl.Int16,
    "account_id": pl.Int64,
    "subscription_id": pl.Int64,
    "service_id": pl.Int64,
    "product_version_id": pl.Int64,
    "price_version_id": pl.Int64,
    "rate_no": pl.Int16,
    "tier_no": pl.Int16,
    "kind": pl.String,
    "generation": pl.Int16,
    "period_from": pl.Date,
    "period_to": pl.Date,
    "whole_periods": pl.Int16,
    "days": pl.Int16,
    "period_days": pl.Int16,
    "price_months": pl.Int16,
    "price_days": pl.Int16,
    "cycle_day": pl.Int16,
    "quantity": pl.Int64,
    "price_micro": pl.Int64,
    "charge_micro": pl.Int64,
    "amount_off_micro": pl.Int64,
    "base_micro": pl.Int64,
    "discount_ppm": pl.Int32,
    "discount_micro": pl.Int64,
    "tax_ppm": pl.Int32,
    "is_tax_inclusive": pl.Boolean,
    "net_micro": pl.Int64,
    "tax_micro": pl.Int64,
    "total_micro": pl.Int64,
}
MOVE_TYPES: Final[dict[str, type[pl.DataType]]] = {
    "bucket": pl.Int16,
    "account_id": pl.Int64,
    "service_id": pl.Int64,
    "rated_from": pl.Date,
    "rated_to": pl.Date,
    "generation": pl.Int16,
    "new_generation": pl.Int16,
}


def _select(found: pl.DataFrame, context: RunContext) -> pl.DataFrame:
    """Keep what the run's criteria name (reference 4.1), and of that what is billed by time or was used."""
    ids = context.criteria_ids
    keeps = []
    if context.catalogue.usage_products:
        keeps.append(~pl.col("product_id").is_in(list(context.catalogue.usage_products)) | pl.col("is_once"))
    if context.criteria.schemes:
        keeps.append(pl.col("scheme_version_id").is_in(list(ids["schemes"])))
    if context.criteria.subscription_types:
        keeps.append(pl.col("type_id").is_in(list(ids["subscription_types"])))
    if context.criteria.classifications:
        keeps.append(pl.col("classification_id").is_in(list(ids["classifications"])))
    if context.criteria.frequencies:
        keeps.append(pl.col("frequency").is_in(list(context.criteria.frequencies)))
    return found.filter(*keeps).sort("bucket", "account_id", "subscription_id", "service_id")


def _join_catalogue(chosen: pl.DataFrame, context: RunContext) -> pl.DataFrame:
    catalogue = context.catalogue
    contracts = chosen.select(CONTRACT_COLUMNS).unique()
    plans = pl.DataFrame(
        [
            (
                *row,
                *_choose_plan(catalogue, *row),
            )
            for row in contracts.iter_rows()
            if row[0] is not None
        ],
        schema={
            **{name: chosen.schema[name] for name in CONTRACT_COLUMNS},
            "plan_key": pl.Int32,
            "fallback_plan_key": pl.Int32,
        },
        orient="row",
    )
    joined = (
        chosen.lazy()
        .join(plans.lazy(), on=CONTRACT_COLUMNS, how="left", nulls_equal=True, maintain_order="left")
        .join(catalogue.frequencies.lazy(), on="frequency", how="left", maintain_order="left")
        .join(_binding_months(catalogue).lazy(), on="binding_period", how="left", maintain_order="left")
        .join(catalogue.products.lazy(), on="product_id", how="left", maintain_order="left")
        .join(
            catalogue.schemes.lazy(),
            on=["scheme_version_id", "product_id"],
            how="left",
            maintain_order="left",
        )
        .join(catalogue.plan_currencies.lazy(), on="price_plan_id", how="left", maintain_order="left")
        .collect()
    )
    return _as_once(joined) if joined["is_once"].any() else joined


def _choose_plan(
    catalogue: Catalogue,
    plan_id: int,
    frequency: str,
    binding_period: str,
    classification_id: int | None,
    bundle_id: int | None,
) -> tuple[int, int]:
    """Return the plan of a contract and what it falls back to, with the prices of the bundle in place."""
    classification = -1 if classification_id is None else classification_id
    plans = choose_plan(catalogue.conditional_plans, plan_id, frequency, binding_period, classification)
    if bundle_id is None:
        return plans
    plan, fallback = (catalogue.bundle_plans.get((key, bundle_id), key) for key in plans)
    return plan, fallback


def _as_once(joined: pl.DataFrame) -> pl.DataFrame:
    """Let charges be billed whole and at once: their period is their duration, whatever the contract's."""
    once = pl.col("is_once")
    return joined.with_columns(
        pl.when(once).then(0).otherwise("frequency_months").alias("frequency_months"),
        pl.when(once).then("duration").otherwise("frequency_days").alias("frequency_days"),
        pl.when(once).then(statement=False).otherwise("is_post_billed").alias("is_post_billed"),
        pl.when(once).then(statement=False).otherwise("is_free").alias("is_free"),
    )


def _binding_months(catalogue: Catalogue) -> pl.DataFrame:
    return catalogue.frequencies.select(
        pl.col("frequency").alias("binding_period"), pl.col("frequency_months").alias("binding_months")
    )


def _refuse_impossible(joined: pl.DataFrame, context: RunContext) -> pl.DataFrame:
    """Give each service that cannot be rated the first reason that holds."""
    is_ended = pl.col("is_credit_only")
    reasons: list[tuple[pl.Expr, str, pl.Expr]] = [
        (
            pl.col("effective_to") < pl.col("effective_from"),
            "ends_before_it_begins",
            pl.format("effective from {} to {}", "effective_from", "effective_to"),
        ),
        (
            pl.col("scheme_version_id").is_null() & ~is_ended,
            "no_billing_term",
            pl.format("on {}", "rated_up_to"),
        ),
        (
            pl.col("currency") != context.currency,
            "currency_mismatch",
            pl.format("account {}, operator {}", "currency", pl.lit(context.currency)),
        ),
        (
            (pl.col("plan_currency") != pl.col("currency")) & ~is_ended,
            "currency_mismatch",
            pl.format("price plan {}, account {}", "plan_currency", "currency"),
        ),
        (pl.col("frequency_key").is_null() & ~is_ended, "unknown_frequency", pl.col("frequency")),
        (
            pl.col("is_post_billed").is_null() & ~is_ended,
            "service_not_in_scheme",
            pl.format("product {}", "product_id"),
        ),
    ]
    reason, said = pl.lit(None, pl.String), pl.lit(None, pl.String)
    for condition, code, detail in reversed(reasons):
        holds = condition.fill_null(value=False)
        reason = pl.when(holds).then(pl.lit(code)).otherwise(reason)
        said = pl.when(holds).then(detail).otherwise(said)
    judged = joined.select("service_key", reason.alias("reason"), said.fill_null("").alias("detail"))
    return judged.filter(pl.col("reason").is_not_null())


def _for_rating(joined: pl.DataFrame, context: RunContext) -> pl.DataFrame:
    """Add the columns that rating wants and keep those that the later steps carry."""
    prepared = joined.with_columns(
        pl.lit(context.adjustment.frame_code, pl.Int8).alias("adjustment"),
        pl.when("is_once").then(0).otherwise(context.advance_mode.frame_code).cast(pl.Int8).alias("advance_mode"),
        pl.lit(context.advance_months, pl.Int32).alias("advance_months"),
        pl.lit(context.advance_days, pl.Int32).alias("advance_days"),
        pl.col("billable_from").dt.day().cast(pl.Int16).alias("anchor_day"),
        pl.col("product_id").cast(pl.Int32).alias("product_key"),
        pl.col("classification_id").fill_null(-1).cast(pl.Int32).alias("classification_key"),
        pl.col("effective_from").alias("service_start"),
        pl.col("binding_start_date").alias("binding_start"),
        pl.col("is_post_billed", "is_free").fill_null(value=False),
        pl.col("frequency_key", "frequency_months", "frequency_days", "binding_months").fill_null(0),
        pl.col("tax_class_key", "plan_key", "fallback_plan_key").fill_null(-1),
        pl.col("cycle_day").fill_null(1),
    )
    return prepared.select(
        *(pl.col(name).cast(kind) for name, kind in SERVICE_SCHEMA.items()),
        *(name for name in ("charge_to", *CARRIED) if name not in SERVICE_SCHEMA),
    )


def _with_owners(refused: list[tuple[pl.DataFrame, pl.DataFrame]]) -> pl.DataFrame:
    """Say whose the refused services are; each refusal comes with the services that it is of."""
    found = [
        rows.join(services.select("service_key", *OWNER), on="service_key", how="left")
        for rows, services in refused
        if rows.height
    ]
    if not found:
        return pl.DataFrame(schema=REFUSED_TYPES)
    named = [frame.select(pl.col(name).cast(kind) for name, kind in REFUSED_TYPES.items()) for frame in found]
    return pl.concat(named).unique("service_id", maintain_order=True)


def _credit_ended(ended: pl.DataFrame, charged: pl.DataFrame, moves: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return credit items, and the moves with those of the credited services, which begin the next generation.

    What is charged anew after a credit moves its service on from there. A credit keeps the charge's derivation, with
    the number of rate periods that stay charged.
    """
    back = ended.filter(~pl.col("is_once")).select(
        "bucket",
        "account_id",
        "service_id",
        pl.col("stored_rated_up_to").alias("rated_from"),
        pl.col("credit_from").alias("rated_to"),
        "generation",
        (pl.col("generation") + 1).alias("new_generation"),
    )
    is_anew = pl.col("credit_from").is_not_null()
    onward = moves.with_columns(
        pl.when(is_anew).then(pl.col("generation") - 1).otherwise(pl.col("generation")).alias("generation")
    )
    both = [_typed(frame, MOVE_TYPES) for frame in (onward, back)]
    keyed = charged.with_row_index("item_key").with_columns(pl.col("item_key").cast(pl.Int64))
    credited = compute_credits(keyed.select(list(CREDIT_INPUT_SCHEMA)))
    amounts = credited.rename(
        {"used_whole_periods": "whole_periods", "used_days": "days", "used_period_days": "period_days"}
    )
    kept = keyed.drop([name for name in amounts.columns if name != "item_key"])
    kind = pl.when(pl.col("kind") == "once").then(pl.lit("return")).otherwise(pl.lit("credit")).alias("kind")
    items = amounts.join(kept, on="item_key", how="left").with_columns(kind)
    return items, pl.concat(both)


def _number_lines(items: pl.DataFrame) -> pl.DataFrame:
    """Give an account's items their numbers from 1, and each its invoice's number: its subscription's place."""
    of_account = find_starts(items, ["account_id"])
    of_invoice = find_starts(items, ["account_id", "subscription_id"])
    first = np.zeros(items.height, np.int64)
    first[of_invoice] = 1
    place = np.cumsum(first)
    counts = count_groups(of_account, items.height)
    return items.with_columns(
        pl.Series("line", number_rows(of_account, items.height), dtype=pl.Int16),
        pl.Series("invoice_line", place - np.repeat(place[of_account], counts) + 1, dtype=pl.Int16),
    )


def summarize(frames: Frames) -> dict[str, Any]:
    """Return the counts and sums of a task for its progress row."""
    services = frames.get("services")
    items, bills = frames.get("items"), frames.get("bills")
    pending, refused = frames.get("pending"), frames["refused"]
    billed = items["service_id"].n_unique() if items is not None and bills is not None else 0
    waiting = pending.height if pending is not None else 0
    due = billed + waiting + refused.height
    if bills is None:
        due = (
            items["service_id"].n_unique()
            if items is not None
            else services["service_id"].n_unique()
            if services is not None
            else 0
        ) + (refused.height if items is not None else 0)
    return {
        "due": due,
        "billed": billed,
        "pending": waiting,
        "refused": refused.height,
        "accounts": bills.height if bills is not None else 0,
        "invoices": frames["invoices"].height if "invoices" in frames else 0,
        "items": items.height if items is not None else 0,
        "net_micro": int(items["net_micro"].sum()) if items is not None else 0,
        "tax_micro": int(items["tax_micro"].sum()) if items is not None else 0,
        "rounding_micro": int(bills["rounding_micro"].sum()) if bills is not None else 0,
        "total_minor": int(bills["total_minor"].sum()) if bills is not None else 0,
    }
