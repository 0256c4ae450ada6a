"""The columns that rating takes and gives: a contract.

Dates are civil, periods half-open, money is in micros, percentages are in ppm (parts per million).

Enumerations (`adjustment`, `advance_mode`, `model`, `tier_basis`, `applied_per`, `maturity_start`) are the
`frame_code` of the member in `coax.rating.types`. A key of -1 means "any" in rates and discounts, "none" in
services.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import polars as pl

from coax.base.errors import DomainError

Schema = dict[str, pl.DataType | type[pl.DataType]]

# One row per service that may be due.
SERVICE_SCHEMA: Schema = {
    "service_key": pl.Int64,  # unique in the frame; the caller's row number
    # period
    "rated_up_to": pl.Date,  # first unbilled day; the billable start of a service never billed
    "effective_from": pl.Date,
    "effective_to": pl.Date,  # nullable: open; exclusive end
    "billing_effective_date": pl.Date,  # not billed while this is after as_of
    "frequency_months": pl.Int32,  # 0 when the frequency is counted in days
    "frequency_days": pl.Int32,  # 0 when the frequency is counted in months
    "cycle_day": pl.Int16,  # 1..31; 31 is the last day of the month
    "is_post_billed": pl.Boolean,
    "adjustment": pl.Int8,  # CycleAdjustment
    "advance_mode": pl.Int8,  # AdvanceMode
    "advance_months": pl.Int32,  # of a fixed period; months win over days
    "advance_days": pl.Int32,
    "anchor_day": pl.Int16,  # day of the billable start, the cycle day when adjustment is none
    # price
    "plan_key": pl.Int32,
    "fallback_plan_key": pl.Int32,  # -1 none; the base plan of a conditional one
    "product_key": pl.Int32,
    "frequency_key": pl.Int32,
    "quantity": pl.Int64,  # >= 1
    "tax_class_key": pl.Int32,
    "classification_key": pl.Int32,
    "binding_months": pl.Int32,
    "service_start": pl.Date,
    "binding_start": pl.Date,  # nullable: the service start stands in
    "agreement_date": pl.Date,  # nullable: the service start stands in
    "agreed_price_micro": pl.Int64,  # nullable; overrides the plan's unit price
    "extra_discount_ppm": pl.Int32,  # ad hoc, on top of the plan's
    "is_free": pl.Boolean,
}
SERVICE_NULLABLE = frozenset({"effective_to", "binding_start", "agreement_date", "agreed_price_micro"})

# One row per tier. Rows with equal (plan, product, frequency, effective_from) are the tiers of one rate and
# agree in everything but tier, maturity, price and rate_id. A tier holds `tier_from <= x < tier_to`; units
# and rate periods of duration are numbered from 1, months of maturity from 0.
RATE_SCHEMA: Schema = {
    "rate_id": pl.Int32,
    "plan_key": pl.Int32,
    "product_key": pl.Int32,
    "frequency_key": pl.Int32,  # -1 any; a rate for the exact frequency wins inside a plan
    "model": pl.Int8,  # RateModel
    "tier_from": pl.Int64,  # units, months of maturity, or rate periods of duration, by model
    "tier_to": pl.Int64,  # nullable: no end
    "maturity_from": pl.Int64,  # months; only for quantity_and_maturity
    "maturity_to": pl.Int64,  # nullable: no end
    "tier_basis": pl.Int8,  # TierBasis
    "price_micro": pl.Int64,  # per rate period, >= 0
    "price_months": pl.Int32,  # length of the rate period; months 0 and days 0 = the billing frequency
    "price_days": pl.Int32,
    "applied_per": pl.Int8,  # AppliedPer
    "maturity_start": pl.Int8,  # MaturityStart
    "is_tax_inclusive": pl.Boolean,
    "effective_from": pl.Date,
    "effective_to": pl.Date,  # nullable: open
}
RATE_NULLABLE = frozenset({"tier_to", "maturity_to", "effective_to"})

# One row per discount of a plan; all that apply are added.
DISCOUNT_SCHEMA: Schema = {
    "plan_key": pl.Int32,  # the plan whose rate is used
    "product_key": pl.Int32,  # -1 any
    "min_quantity": pl.Int64,
    "frequency_key": pl.Int32,  # -1 any
    "min_binding_months": pl.Int32,
    "classification_key": pl.Int32,  # -1 any
    "percent_ppm": pl.Int32,
    "amount_off_micro": pl.Int64,  # per rate period, prorated like the price
    "effective_from": pl.Date,
    "effective_to": pl.Date,  # nullable: open
}
DISCOUNT_NULLABLE = frozenset({"effective_to"})

# One row per tax class and period of validity.
TAX_SCHEMA: Schema = {
    "tax_class_key": pl.Int32,
    "rate_ppm": pl.Int32,
    "effective_from": pl.Date,
    "effective_to": pl.Date,  # nullable: open
}
TAX_NULLABLE = frozenset({"effective_to"})

# One row per due period of a service.
PERIOD_SCHEMA: Schema = {
    "service_key": pl.Int64,
    "period_no": pl.Int32,  # 0, 1, 2... within the service
    "period_from": pl.Date,
    "period_to": pl.Date,  # cut at the service's effective_to
    "full_to": pl.Date,  # not cut
}

# One row per rated item (segment of a due period). Sorted by service position, period_no, segment_no.
ITEM_SCHEMA: Schema = {
    "service_key": pl.Int64,
    "period_no": pl.Int32,
    "segment_no": pl.Int32,  # 0, 1, 2... within the period
    "period_from": pl.Date,  # of the item itself: items of a service tile its billed time
    "period_to": pl.Date,
    "whole_periods": pl.Int32,  # n rate periods
    "days": pl.Int32,  # and d days
    "period_days": pl.Int32,  # of a rate period of D days; 1 when days is 0
    "price_months": pl.Int32,  # length of the rate period, resolved
    "price_days": pl.Int32,
    "cycle_day": pl.Int16,  # the day on which the rate periods turn
    "rate_id": pl.Int32,  # the tier reached; -1 for a free service without a price
    "plan_key": pl.Int32,  # the plan whose rate is used; -1 likewise
    "product_key": pl.Int32,
    "quantity": pl.Int64,
    "applied_per": pl.Int8,
    "price_micro": pl.Int64,  # unit price of the tier reached, or the agreed one
    "charge_micro": pl.Int64,  # of one whole rate period and all units, tiers worked out
    "discount_ppm": pl.Int32,  # plan's and ad hoc, at most 1_000_000
    "amount_off_micro": pl.Int64,  # per rate period
    "tax_class_key": pl.Int32,
    "tax_ppm": pl.Int32,
    "is_tax_inclusive": pl.Boolean,
    "base_micro": pl.Int64,
    "discount_micro": pl.Int64,
    "net_micro": pl.Int64,
    "tax_micro": pl.Int64,
    "total_micro": pl.Int64,  # net + tax, always
}

# One row per service that could not be rated: none of its items is given.
REFUSED_SCHEMA: Schema = {
    "service_key": pl.Int64,
    "reason": pl.String,  # RefusalReason
    "detail": pl.String,
}

# One row per service rated: what posting moves by compare-and-set.
ADVANCE_SCHEMA: Schema = {
    "service_key": pl.Int64,
    "rated_from": pl.Date,
    "rated_to": pl.Date,
}

# One row per charge item that reaches beyond the end of its service.
CREDIT_INPUT_SCHEMA: Schema = {
    "item_key": pl.Int64,
    "effective_to": pl.Date,  # first day no longer used
    "charged_to": pl.Date,  # what still stands charged ends here: period_to, or where a former credit began
    "period_from": pl.Date,
    "period_to": pl.Date,
    "whole_periods": pl.Int32,
    "days": pl.Int32,
    "period_days": pl.Int32,
    "price_months": pl.Int32,
    "price_days": pl.Int32,
    "cycle_day": pl.Int16,
    "charge_micro": pl.Int64,
    "discount_ppm": pl.Int32,
    "amount_off_micro": pl.Int64,
    "tax_ppm": pl.Int32,
    "is_tax_inclusive": pl.Boolean,
    "base_micro": pl.Int64,
    "discount_micro": pl.Int64,
    "net_micro": pl.Int64,
    "tax_micro": pl.Int64,
    "total_micro": pl.Int64,
}

# One row per credit: amounts are negative (or zero) and net + tax is the total.
CREDIT_SCHEMA: Schema = {
    "item_key": pl.Int64,
    "period_from": pl.Date,  # first credited day
    "period_to": pl.Date,
    "used_whole_periods": pl.Int32,  # what stays charged of the item
    "used_days": pl.Int32,
    "used_period_days": pl.Int32,
    "base_micro": pl.Int64,
    "discount_micro": pl.Int64,
    "net_micro": pl.Int64,
    "tax_micro": pl.Int64,
    "total_micro": pl.Int64,
}


class FrameSchemaMismatch(DomainError):
    """A frame lacks a column, has nulls where none may be, or a column of another kind (a float, say)."""

    code: ClassVar[str] = "frame_schema_mismatch"


def conform(frame: pl.DataFrame, schema: Schema, *, name: str, nullable: frozenset[str] = frozenset()) -> pl.DataFrame:
    """Return the schema's columns of a frame in its order and types; integers are widened, extras dropped.

    Raises:
        FrameSchemaMismatch: if a column is missing, of another kind, or null where that is not allowed.
    """
    missing = [column for column in schema if column not in frame.columns]
    if missing:
        raise FrameSchemaMismatch(f"{name}: missing columns {', '.join(missing)}", name=name, columns=missing)
    frame = frame.select(list(schema))
    for column, dtype in schema.items():
        _check_column(frame[column], dtype, name=name, may_be_null=column in nullable)
    return frame.cast({column: _dtype(dtype) for column, dtype in schema.items()}, strict=True)


def to_schema(columns: Mapping[str, np.ndarray[Any, Any]], schema: Schema) -> pl.DataFrame:
    """Return arrays (dates as days since 1970-01-01) as a frame of the schema."""
    return pl.DataFrame(dict(columns)).select(list(schema)).cast({name: _dtype(of) for name, of in schema.items()})


def _dtype(dtype: pl.DataType | type[pl.DataType]) -> pl.DataType:
    return dtype if isinstance(dtype, pl.DataType) else dtype()


def _check_column(column: pl.Series, dtype: pl.DataType | type[pl.DataType], *, name: str, may_be_null: bool) -> None:
    wanted, given = _dtype(dtype), column.dtype
    same_kind = given == wanted or (given.is_integer() and wanted.is_integer()) or given == pl.Null
    if not same_kind:
        raise FrameSchemaMismatch(
            f"{name}: column {column.name} is {given}, not {wanted}", name=name, column=column.name
        )
    if column.null_count() and not may_be_null:
        raise FrameSchemaMismatch(f"{name}: column {column.name} has empty values", name=name, column=column.name)
