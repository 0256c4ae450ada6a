"""The frames give item for item what the slow scalar rating gives, whatever the configuration."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.rating.builders import Row, rate_rows
from tests.core.rating.strategies import AS_OF, batches, configurations
from tests.oracle import rating as oracle

CASES = AS_OF.flatmap(lambda as_of: st.tuples(st.just(as_of), batches(as_of), configurations()))
SLOW = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def rate_by_oracle(
    services: list[Row], configuration: dict[str, list[Row]], as_of: date
) -> tuple[list[Row], dict[int, str]]:
    items, refused = [], {}
    for service in services:
        try:
            rated = oracle.rate_service(service, **configuration, as_of=as_of)
        except oracle.Refused as reason:
            refused[service["service_key"]] = str(reason)
        else:
            items += [{"service_key": service["service_key"], **item} for item in rated]
    return items, refused


def columns_of(items: list[Row], like: Row) -> list[Row]:
    return [{name: item[name] for name in like} for item in items]


@SLOW
@given(CASES)
def test_frames_rate_like_the_oracle(case: tuple[date, list[Row], dict[str, list[Row]]]):
    as_of, services, configuration = case
    expected, refused = rate_by_oracle(services, configuration, as_of)
    rated = rate_rows(services, **configuration, as_of=as_of)
    assert dict(zip(rated.refused["service_key"], rated.refused["reason"], strict=True)) == refused
    given_items = rated.items.to_dicts()
    assert columns_of(given_items, expected[0] if expected else {}) == (expected or [{} for _ in given_items])
    assert len(given_items) == len(expected)


@SLOW
@given(CASES, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(case: tuple[date, list[Row], dict[str, list[Row]]], random: Any):
    as_of, services, configuration = case
    before = rate_rows(services, **configuration, as_of=as_of)
    for rows in (services, *configuration.values()):
        random.shuffle(rows)
    after = rate_rows(services, **configuration, as_of=as_of)
    order = ["service_key", "period_from"]
    assert before.items.sort(order).equals(after.items.sort(order))
    assert before.advances.sort("service_key").equals(after.advances.sort("service_key"))
    assert before.refused.sort("service_key").equals(after.refused.sort("service_key"))


@SLOW
@given(CASES)
def test_items_tile_the_advance_and_add_up(case: tuple[date, list[Row], dict[str, list[Row]]]):
    as_of, services, configuration = case
    rated = rate_rows(services, **configuration, as_of=as_of)
    for advance in rated.advances.to_dicts():
        items = [each for each in rated.items.to_dicts() if each["service_key"] == advance["service_key"]]
        ends = [advance["rated_from"], *(item["period_to"] for item in items)]
        assert [item["period_from"] for item in items] == ends[:-1]
        assert ends[-1] == advance["rated_to"]
    for item in rated.items.to_dicts():
        assert item["net_micro"] + item["tax_micro"] == item["total_micro"]
        assert min(item["base_micro"], item["discount_micro"], item["net_micro"], item["tax_micro"]) >= 0
        assert item["discount_micro"] <= item["base_micro"]
