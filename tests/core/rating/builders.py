"""Rows for rating tests: a plain monthly service, a price, a tax; a test names only what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from coax.rating.frames import DISCOUNT_SCHEMA, RATE_SCHEMA, SERVICE_SCHEMA, TAX_SCHEMA, Rated, rate
from coax.rating.types import AdvanceMode, AppliedPer, CycleAdjustment, MaturityStart, RateModel, TierBasis

Row = dict[str, Any]
EURO = 1_000_000
LONG_AGO = date(2000, 1, 1)


def a_service(**changes: Any) -> Row:
    """A monthly pre-billed service on cycle day 1, billed up to 1 August 2024."""
    return {
        "service_key": 0,
        "rated_up_to": date(2024, 8, 1),
        "effective_from": date(2023, 1, 1),
        "effective_to": None,
        "billing_effective_date": date(2023, 1, 1),
        "frequency_months": 1,
        "frequency_days": 0,
        "cycle_day": 1,
        "is_post_billed": False,
        "adjustment": CycleAdjustment.NEXT.frame_code,
        "advance_mode": AdvanceMode.BILLING_FREQUENCY_PERIOD.frame_code,
        "advance_months": 0,
        "advance_days": 0,
        "anchor_day": 1,
        "plan_key": 1,
        "fallback_plan_key": -1,
        "product_key": 1,
        "frequency_key": 1,
        "quantity": 1,
        "tax_class_key": 1,
        "classification_key": 1,
        "binding_months": 0,
        "service_start": date(2023, 1, 1),
        "binding_start": None,
        "agreement_date": None,
        "agreed_price_micro": None,
        "extra_discount_ppm": 0,
        "is_free": False,
        **changes,
    }


def a_rate(**changes: Any) -> Row:
    """12.00 a month for each item."""
    return {
        "rate_id": 1,
        "plan_key": 1,
        "product_key": 1,
        "frequency_key": -1,
        "model": RateModel.FLAT.frame_code,
        "tier_from": 0,
        "tier_to": None,
        "maturity_from": 0,
        "maturity_to": None,
        "tier_basis": TierBasis.VOLUME.frame_code,
        "price_micro": 12 * EURO,
        "price_months": 1,
        "price_days": 0,
        "applied_per": AppliedPer.PERIOD_AND_ITEM.frame_code,
        "maturity_start": MaturityStart.SERVICE_EFFECTIVE_DATE.frame_code,
        "is_tax_inclusive": False,
        "effective_from": LONG_AGO,
        "effective_to": None,
        **changes,
    }


def a_discount(**changes: Any) -> Row:
    """Ten percent for everybody on plan 1."""
    return {
        "plan_key": 1,
        "product_key": -1,
        "min_quantity": 0,
        "frequency_key": -1,
        "min_binding_months": 0,
        "classification_key": -1,
        "percent_ppm": 100_000,
        "amount_off_micro": 0,
        "effective_from": LONG_AGO,
        "effective_to": None,
        **changes,
    }


def a_tax(**changes: Any) -> Row:
    """19 percent in tax class 1."""
    return {
        "tax_class_key": 1,
        "rate_ppm": 190_000,
        "effective_from": LONG_AGO,
        "effective_to": None,
        **changes,
    }


def services_frame(rows: Iterable[Row]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SERVICE_SCHEMA, orient="row")


def rate_rows(
    services: Iterable[Row],
    *,
    rates: Iterable[Row] = (a_rate(),),
    discounts: Iterable[Row] = (),
    taxes: Iterable[Row] = (a_tax(),),
    as_of: date = date(2024, 8, 1),
) -> Rated:
    """Rate rows through the public entry point."""
    return rate(
        services_frame(services),
        pl.DataFrame(list(rates), schema=RATE_SCHEMA, orient="row"),
        pl.DataFrame(list(discounts), schema=DISCOUNT_SCHEMA, orient="row"),
        pl.DataFrame(list(taxes), schema=TAX_SCHEMA, orient="row"),
        as_of=as_of,
    )


def rate_one(service: Row, **keywords: Any) -> list[Row]:
    """The items of one service; it must not be refused."""
    rated = rate_rows([service], **keywords)
    assert rated.refused.is_empty(), rated.refused
    return rated.items.to_dicts()


def refusal_of(service: Row, **keywords: Any) -> tuple[str, str]:
    """Reason and detail of a refused service; nothing of it may have been rated."""
    rated = rate_rows([service], **keywords)
    assert rated.items.is_empty()
    assert rated.advances.is_empty()
    (refused,) = rated.refused.to_dicts()
    assert refused["service_key"] == service["service_key"]
    return refused["reason"], refused["detail"]
