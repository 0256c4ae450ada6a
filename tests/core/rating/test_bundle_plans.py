"""Which rate of a plan holds in a bundle: compiled plans against a rule that looks at each rate in turn."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from coax.configuration.types.price_plan import PricePlan, Rate
from coax.rating.frames.bundle_plans import find_plan_keys, number_bundle_plans

PLAN = 7
KEYS = {("product_bundle", "family"): 31, ("product_bundle", "duo"): 32}
FREQUENCIES = (None, "monthly", "annual")

places = st.tuples(
    st.sampled_from(["tv", "phone"]), st.sampled_from(FREQUENCIES), st.sampled_from([None, "family", "duo"])
)


def choose(rates: list[Rate], product: str, frequency: str, bundle: str | None) -> Rate | None:
    """Return the rate as one would by hand: the bundle's before others, the exact frequency's before any."""
    for owner in dict.fromkeys((bundle, None)):
        own = [rate for rate in rates if rate.product == product and rate.bundle == owner]
        found = [rate for wanted in (frequency, None) for rate in own if rate.frequency == wanted]
        if owner is not None and not [rate for rate in found if rate.frequency == frequency]:
            # One for any frequency stands for all others, one for another frequency for none.
            found = [rate for rate in found if rate.frequency is None]
        if found:
            return found[0]
    return None


@given(st.lists(places, unique=True, max_size=12))
def test_a_plan_with_a_bundle_holds_just_the_rates_that_hold_in_it(given_places: list[tuple[str, str, str]]) -> None:
    rates = [
        Rate(product=product, frequency=frequency, bundle=bundle, price=Decimal(place + 1))
        for place, (product, frequency, bundle) in enumerate(given_places)
    ]
    plan = PricePlan(code="main", name="Main", currency="EUR", rates=tuple(rates))
    bundle_plans = number_bundle_plans([(PLAN, plan)], KEYS)
    compiled: dict[int, list[Rate]] = {}
    for rate in rates:
        for key in find_plan_keys(PLAN, rates, rate, KEYS, bundle_plans):
            compiled.setdefault(key, []).append(rate)
    for bundle in (None, "family", "duo"):
        key = bundle_plans.get((PLAN, KEYS["product_bundle", bundle]), PLAN) if bundle else PLAN
        for product in ("tv", "phone"):
            for frequency in ("monthly", "annual"):
                stands = [rate for rate in compiled.get(key, []) if rate.product == product]
                exact = [rate for rate in stands if rate.frequency == frequency]
                found = exact or [rate for rate in stands if rate.frequency is None]
                assert len(found) <= 1
                assert (found[0] if found else None) == choose(rates, product, frequency, bundle)
