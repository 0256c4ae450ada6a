"""Which services each subscriber has: how many, in which subscription, by which offer, of which product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from coax.process.generate.draws import Chance, Keys
from coax.process.generate.offers import Offer

SERVICES_MAX: Final = 4
TWO_SUBSCRIPTIONS_PERCENT: Final = 12

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """One row per service: its account, subscription, place in the subscription, offer, and product of the offer.

    `is_repeated`: the offer has fewer products than the subscription has services.
    """

    account: Keys
    subscription: Keys
    place: Keys
    offer: Keys
    product: Keys
    is_repeated: Flags

    @property
    def service(self) -> Keys:
        """Return a number of its own for each service."""
        return self.subscription * SERVICES_MAX + self.place


def lay_out(chance: Chance, accounts: Keys, offers: Sequence[Offer]) -> Rows:
    """Return the rows of the accounts with these numbers, in their order."""
    services = 1 + chance.pick("services", accounts, SERVICES_MAX)
    has_two = (services > 1) & chance.is_one_of("two subscriptions", accounts, TWO_SUBSCRIPTIONS_PERCENT)
    account = np.repeat(accounts, services)
    place = np.arange(len(account)) - np.repeat(np.cumsum(services) - services, services)
    split = np.repeat(np.where(has_two, (services + 1) // 2, services), services)
    is_second = place >= split
    subscription = account * 2 + is_second
    weights = np.array([offer.weight for offer in offers], dtype=np.int64)
    offer = chance.choose("offer", subscription, weights)
    own_place = np.where(is_second, place - split, place)
    product, is_repeated = _pick_products(chance, subscription, own_place, offer, offers)
    return Rows(account, subscription, own_place, offer, product, is_repeated)


def _pick_products(
    chance: Chance, subscription: Keys, place: Keys, offer: Keys, offers: Sequence[Offer]
) -> tuple[Keys, Flags]:
    """Return each row's product: a mandatory one first, if there are any; the optional ones follow in a circle."""
    mandatory = np.array([found.mandatory for found in offers], dtype=np.int64)[offer]
    optional = np.array([len(found.products) for found in offers], dtype=np.int64)[offer] - mandatory
    first = chance.pick("first product", subscription, mandatory)
    follows = chance.pick("next product", subscription, optional)
    has_first = mandatory > 0
    later = np.where(has_first, place - 1, place)
    following = mandatory + (follows + later) % np.maximum(optional, 1)
    is_first = has_first & ((place == 0) | (optional == 0))
    return np.where(is_first, first, following), np.where(optional > 0, later >= optional, place > 0)


def name_products(rows: Rows, offers: Sequence[Offer]) -> pl.Series:
    """Return the code of each row's product."""
    widest = max(len(offer.products) for offer in offers)
    products = [offer.products[i % len(offer.products)] for offer in offers for i in range(widest)]
    return pl.Series("", products).gather(rows.offer * widest + rows.product)


def find_flags(rows: Rows, offers: Sequence[Offer], has: Callable[[Offer], bool]) -> Flags:
    """Tell for each row whether its offer has something."""
    flags: Flags = np.array([has(offer) for offer in offers])[rows.offer]
    return flags
