"""Prices of bundles: each plan that has some is compiled once more for each bundle, with them in place of others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from coax.configuration.types.price_plan import PricePlan, Rate

# The key of such a plan by those of the plan and of the bundle; counted down from far above the keys of entities.
BundlePlans = dict[tuple[int, int], int]
KEY_MAX: Final = 2**31 - 1
Keys = Mapping[tuple[str, str], int]


def number_bundle_plans(plans: Iterable[tuple[int, PricePlan]], keys: Keys) -> BundlePlans:
    """Give each plan, by its key, a further one for each bundle that it prices; `keys` are those of entities."""
    pairs = {(plan_id, _bundle_of(rate, keys)) for plan_id, plan in plans for rate in plan.rates if rate.bundle}
    return {pair: KEY_MAX - place for place, pair in enumerate(sorted(pairs))}


def find_plan_keys(
    plan_id: int, rates: Sequence[Rate], rate: Rate, keys: Keys, bundle_plans: BundlePlans
) -> Iterator[int]:
    """Yield the keys of the plans that a rate stands in: its own, and those of bundles that price it no other way."""
    if rate.bundle:
        yield bundle_plans[plan_id, _bundle_of(rate, keys)]
        return
    yield plan_id
    for (owner, bundle_id), key in bundle_plans.items():
        if owner == plan_id and not _is_priced_by(bundle_id, rates, rate, keys):
            yield key


def _is_priced_by(bundle_id: int, rates: Sequence[Rate], rate: Rate, keys: Keys) -> bool:
    return any(
        other.bundle is not None
        and _bundle_of(other, keys) == bundle_id
        and other.product == rate.product
        and other.frequency in {None, rate.frequency}
        for other in rates
    )


def _bundle_of(rate: Rate, keys: Keys) -> int:
    return keys["product_bundle", rate.bundle or ""]
