"""Subscribers that do not exist, as rows of an import file: the same for the same seed, whatever the block."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from coax.configuration.types.documents import ConfigurationRow
from coax.process.generate.draws import Chance, Keys
from coax.process.generate.offers import Offer, list_classifications, list_offers
from coax.process.generate.people import describe_people
from coax.process.generate.rows import Flags, Rows, find_flags, lay_out, name_products
from coax.process.generate.timing import Dates, date_services, find_cycle_days, find_first_starts
from coax.process.import_subscribers import COLUMN_NAMES
from coax.rating.frames.calendar import Days

SHARED_EVERY: Final = 50
BOUND_PERCENT: Final = 40
MANY_PERCENT: Final = 15
DISCOUNT_PERCENT: Final = 6
AGREED_PRICE_PERCENT: Final = 3
LIMIT_PERCENT: Final = 10
COMMON_WEIGHT: Final = 16
DISCOUNTS: Final = ("5", "7.5", "10", "15", "20")
AGREED_PRICES: Final = ("4.90", "7.50", "9.99", "12.00", "14.95")
CREDIT_LIMITS: Final = ("50", "100", "250", "500")
QUANTITIES: Final = (2, 2, 2, 3, 3, 5, 8, 12, 25, 60)


def generate_subscribers(
    *,
    versions: Sequence[ConfigurationRow],
    currency: str,
    count: int,
    seed: int,
    as_of: date,
    first: int = 0,
) -> pl.DataFrame:
    """Return the rows of `count` subscribers from number `first` on, in the columns of an import file.

    They use the schemes, plans and services of the configuration as it stands on `as_of`, the day on which the
    operator takes them over: most are billed up to a coming cycle date, some joined just now. Subscriber n is
    the same in every block. 1 to 4 services each, 2.5 on average.

    Raises: NothingToSell.
    """
    chance = Chance(seed)
    offers = list_offers(versions, currency=currency, as_of=as_of)
    rows = lay_out(chance, np.arange(first, first + count, dtype=np.int64), offers)
    dates = date_services(chance, rows, offers, as_of)
    columns = {
        **_describe_accounts(chance, rows, list_classifications(versions, as_of=as_of), seed),
        **_describe_subscriptions(chance, rows, dates, offers, seed),
        **_describe_services(chance, rows, dates, offers),
    }
    frame = pl.DataFrame({name: columns[name] for name in COLUMN_NAMES if name in columns})
    absent = [pl.lit(None, pl.String).alias(name) for name in COLUMN_NAMES if name not in columns]
    return frame.with_columns(absent).select(COLUMN_NAMES)


def _describe_accounts(chance: Chance, rows: Rows, classifications: Sequence[str], seed: int) -> dict[str, pl.Series]:
    """Every `SHARED_EVERY`th account belongs to the contact of the one before."""
    is_shared = rows.account % SHARED_EVERY == SHARED_EVERY - 1
    people = rows.account - is_shared
    columns = {
        "account_code": _codes("A", seed, rows.account),
        "contact_code": _codes("C", seed, people),
        **describe_people(chance, people),
        "credit_limit": _sometimes(chance, "credit limit", rows.account, LIMIT_PERCENT, CREDIT_LIMITS),
    }
    if classifications:
        weights = np.array([COMMON_WEIGHT, *[1] * (len(classifications) - 1)], dtype=np.int64)
        chosen = chance.choose("classification", rows.account, weights)
        columns["classification"] = pl.Series("", classifications).gather(chosen)
    return columns


def _describe_subscriptions(
    chance: Chance, rows: Rows, dates: Dates, offers: Sequence[Offer], seed: int
) -> dict[str, pl.Series]:
    second = pl.Series("", ["", "-2"]).gather(rows.subscription % 2)
    joined = dates.start
    given = np.array([_gives_cycle_day(offer) for offer in offers])[rows.offer]
    days = find_cycle_days(chance, rows, offers, find_first_starts(rows, joined)).astype(np.int64)
    return {
        "subscription_code": _codes("S", seed, rows.account) + second,
        "subscription_type": _of_offer(rows, [offer.subscription_type for offer in offers]),
        "scheme": _of_offer(rows, [offer.scheme for offer in offers]),
        "price_plan": _of_offer(rows, [offer.price_plan for offer in offers]),
        "frequency": _of_offer(rows, [offer.frequency for offer in offers]),
        "cycle_day": _where(given, pl.Series("", days)),
        "binding_period": _bindings(chance, rows, offers),
    }


def _gives_cycle_day(offer: Offer) -> bool:
    rules = offer.cycle_days
    if not rules.is_anniversary or rules.is_last_day_of_month:
        return False
    return bool(rules.allowed_days) or not rules.is_automated


def _bindings(chance: Chance, rows: Rows, offers: Sequence[Offer]) -> pl.Series:
    periods = sorted({period for offer in offers for period in offer.binding_periods})
    chosen = np.full(len(rows.offer), len(periods), dtype=np.int64)
    is_bound = chance.is_one_of("bound", rows.subscription, BOUND_PERCENT)
    for number, offer in enumerate(offers):
        own = is_bound & (rows.offer == number)
        if offer.binding_periods and own.any():
            places = np.array([periods.index(period) for period in offer.binding_periods], dtype=np.int64)
            chosen[own] = places[chance.pick("binding", rows.subscription[own], len(places))]
    return pl.Series("", [*periods, None], pl.String).gather(chosen)


def _describe_services(chance: Chance, rows: Rows, dates: Dates, offers: Sequence[Offer]) -> dict[str, pl.Series]:
    product = name_products(rows, offers)
    repeated = product + "-" + pl.Series("", rows.place + 1).cast(pl.String)
    is_many = chance.is_one_of("many", rows.service, MANY_PERCENT)
    many = np.array(QUANTITIES, dtype=np.int64)[chance.pick("quantity", rows.service, len(QUANTITIES))]
    discount = _sometimes(chance, "discount", rows.service, DISCOUNT_PERCENT, DISCOUNTS)
    price = _sometimes(chance, "agreed price", rows.service, AGREED_PRICE_PERCENT, AGREED_PRICES)
    return {
        "service_code": _where(rows.is_repeated, repeated),
        "product": product,
        "quantity": pl.Series("", np.where(is_many, many, 1)),
        "effective_from": _dates(dates.start),
        "effective_to": _where(dates.is_ended, _dates(dates.end)),
        "billed_until": _where(dates.is_billed, _dates(dates.billed_until)),
        "discount_percent": _where(find_flags(rows, offers, lambda offer: offer.takes_discount), discount),
        "agreed_price": _where(find_flags(rows, offers, lambda offer: offer.takes_price), price),
    }


def _codes(letter: str, seed: int, numbers: Keys) -> pl.Series:
    return f"{letter}{seed}-" + pl.Series("", numbers + 1).cast(pl.String).str.zfill(7)


def _of_offer(rows: Rows, values: Sequence[str | None]) -> pl.Series:
    return pl.Series("", values, pl.String).gather(rows.offer)


def _sometimes(chance: Chance, purpose: str, keys: Keys, percent: int, texts: Sequence[str]) -> pl.Series:
    chosen = pl.Series("", texts).gather(chance.pick(f"which {purpose}", keys, len(texts)))
    return _where(chance.is_one_of(purpose, keys, percent), chosen)


def _where(flags: Flags, values: pl.Series) -> pl.Series:
    """Return the values where the flags are set, elsewhere null."""
    return pl.select(pl.when(pl.Series("", flags)).then(values)).to_series()


def _dates(days: Days) -> pl.Series:
    return pl.Series("", days.astype(np.int32)).cast(pl.Date)
