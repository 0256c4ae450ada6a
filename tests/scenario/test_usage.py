"""Films, calls and roaming: what a subscriber uses is recorded, billed by its catalog, taken back.

Company ZX bills on the 20th for the following month; silver costs 31.00 a month and carries what is used.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from coax.base.money import parse_micro
from coax.process.explain import explain_bill
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour, UsageDetail
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.usage import USAGE


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    zx = a_broadcaster(**USAGE)
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    zx.on("2026-06-20")
    zx.bill("2026-06-20")
    return zx


def use(zx: ABroadcaster, product: str, day: str, quantity: int = 1, service: str | None = None, **told: Any) -> str:
    """Record a usage and return its code."""
    if "amount" in told:
        told["amount_micro"] = parse_micro(told.pop("amount"))
    told.setdefault("usage_type", "film" if product == "film" else "call")
    told.setdefault("source_system" if product == "film" else "destination", "vod" if product == "film" else "+49")
    values: dict[str, Any] = {"product_code": product, "quantity": quantity, "service_code": service}
    zx.act(Behaviour.ADD_SERVICE_USAGE, "S-A", day, usage=UsageDetail(**told), **values)
    return zx.rows("SELECT code FROM subscription_usage WHERE tenant_id = %s ORDER BY id DESC LIMIT 1")[0]["code"]


def used(zx: ABroadcaster) -> list[tuple[str, str, str, str]]:
    """Return product, kind, net and total of what was billed of usage."""
    rows = zx.rows(
        """SELECT e.code, i.kind, i.net_micro, i.total_micro FROM rating_rated_item i
           JOIN configuration_version v ON v.id = i.product_version_id JOIN configuration_entity e ON e.id = v.entity_id
           WHERE i.tenant_id = %s AND i.kind IN ('once', 'return') ORDER BY i.run_id, i.line"""
    )
    return [
        (row["code"], row["kind"], *(str(Decimal(row[f"{name}_micro"]) / 10**6) for name in ("net", "total")))
        for row in rows
    ]


def test_what_is_used_is_billed_by_its_catalog(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    use(zx, "film", "2026-07-09", method="stream", used_from=datetime(2026, 7, 9, 18, tzinfo=UTC))
    use(zx, "call", "2026-07-10", quantity=1200)
    use(zx, "call", "2026-07-10", quantity=100)
    use(zx, "roaming", "2026-07-10", quantity=250, amount="7.123456")
    use(zx, "film", "2026-07-10", is_billed=False)  # a trailer
    zx.bill("2026-07-20")
    assert used(zx) == [
        ("film", "once", "4.193277", "4.99"),  # 19 % within the price
        ("call", "once", "34.5", "41.055"),  # 100 x 0.05 + 900 x 0.03 + 200 x 0.0125
        ("call", "once", "5", "5.95"),
        ("roaming", "once", "7.123456", "8.476913"),
    ]
    explained = explain_bill(tenant=zx.tenant, number=f"ZX-{zx.bills(2)[0]['number']:08}")
    assert explained.all_differences == ()
    sources = [line.price_source for line in explained.lines if line.item.kind == "once"]
    assert sources == [
        "usage service catalog films version 1, rate 1",
        "usage service catalog calls version 1, rate 1, tier 3",
        "usage service catalog calls version 1, rate 1, tier 1",
        "amount that came with the usage; usage service catalog calls version 1, rate 2",
    ]
    assert zx.broken_promises() == []


def test_usage_is_taken_back_before_and_after_it_was_billed(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    early, late, free = (use(zx, "film", "2026-07-10", is_billed=n < 2) for n in range(3))
    zx.act(Behaviour.CANCEL_SERVICE_USAGE, "S-A", "2026-07-10", charge_code=early)
    zx.bill("2026-07-20")
    for code in (late, free):
        zx.act(Behaviour.CANCEL_SERVICE_USAGE, "S-A", "2026-07-10", charge_code=code)
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=f"usage: '{late}' is not one of S-A .*: none"):
        zx.act(Behaviour.CANCEL_SERVICE_USAGE, "S-A", "2026-07-10", charge_code=late)
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=f"charge: '{late}' is not one of S-A"):
        zx.act(Behaviour.CANCEL_EXPENSE, "S-A", "2026-07-10", charge_code=late)
    zx.bill("2026-08-20")
    assert used(zx) == [("film", "once", "4.193277", "4.99"), ("film", "return", "-4.193277", "-4.99")]
    assert zx.broken_promises() == []


def test_usage_told_late_needs_a_service_that_served_on_its_day(zx: ABroadcaster) -> None:
    zx.on("2026-07-05")
    zx.act(Behaviour.STOP_SERVICE, "S-A", "2026-07-05", service_code="silver")
    zx.on("2026-07-08")
    zx.act(Behaviour.START_SERVICE, "S-A", "2026-07-08", service_code="silver")
    zx.on("2026-07-12")
    zx.act(Behaviour.CANCEL, "S-A", "2026-07-12")
    zx.on("2026-07-15")
    use(zx, "film", "2026-07-04")
    use(zx, "film", "2026-07-11")
    for day in ("2026-07-06", "2026-07-12"):
        with zx.nothing_changes(), pytest.raises(ActionRefused, match="termed services of S-A that did: none"):
            use(zx, "film", day)
    zx.bill("2026-07-20")
    assert [row[0] for row in used(zx)] == ["film", "film"]
    assert zx.broken_promises() == []


def test_a_regretted_service_takes_its_usage_along(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-10", product_code="football")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=r"name the one that carries it .*: silver, football"):
        use(zx, "film", "2026-07-10")
    use(zx, "film", "2026-07-10", service="silver")
    use(zx, "call", "2026-07-10", service="football")
    zx.bill("2026-07-20")
    zx.act(Behaviour.REGRET_SERVICE, "S-A", "2026-07-10", service_code="football")
    zx.bill("2026-08-20")
    assert [row[:2] for row in used(zx)] == [("film", "once"), ("call", "once"), ("call", "return")]
    assert zx.broken_promises() == []


def test_what_a_source_system_tells_twice_is_billed_once(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    code = use(zx, "film", "2026-07-10", reference="r-1")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=f"'r-1' of 'vod' is recorded already, as {code}"):
        use(zx, "film", "2026-07-10", reference="r-1")
    use(zx, "film", "2026-07-10", reference="r-1", source_system="other")


def test_two_subscriptions_of_an_account_tell_the_same_usage(zx: ABroadcaster, tmp_path: Path) -> None:
    zx.subscribe(tmp_path, [{"account_code": "A", "subscription_code": "S-2", "product": "silver"}])
    zx.on("2026-07-10")
    told = UsageDetail(usage_type="film", source_system="vod", reference="r-1")
    for subscription in ("S-A", "S-2"):
        values = {"usage": told, "product_code": "film"}
        zx.act(Behaviour.ADD_SERVICE_USAGE, subscription, "2026-07-12", **values)
    zx.on("2026-07-12")
    done = zx.execute_scheduled()
    assert (done.performed, [refused[1] for refused in done.refused]) == (
        1,
        ["reference: 'r-1' of 'vod' is recorded already, as usage of S-A."],
    )
    assert len(zx.rows("SELECT 1 FROM subscription_usage WHERE tenant_id = %s")) == 1


def test_usage_of_a_day_to_come_waits(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    told = UsageDetail(usage_type="film", source_system="vod", used_from=datetime(2026, 7, 12, 18, tzinfo=UTC))
    zx.act(Behaviour.ADD_SERVICE_USAGE, "S-A", "2026-07-12", usage=told, product_code="film")
    zx.on("2026-07-12")
    assert zx.execute_scheduled().performed == 1
    row = zx.rows("SELECT used_from, quantity FROM subscription_usage WHERE tenant_id = %s")[0]
    assert (row["used_from"], row["quantity"]) == (told.used_from, 1)


@pytest.mark.parametrize(
    ("values", "told", "said"),
    [
        ({"product_code": "silver"}, {}, "'silver' is not a usage service of this operator; there are: call, film"),
        ({"product_code": "film", "quantity": 0}, {}, "quantity: 0 is not allowed"),
        ({"product_code": "film"}, {"catalog": "calls"}, "'calls' has no 'film'; those that have it: films"),
        ({"product_code": "film"}, {"usage_type": ""}, "usage_type: '' is not allowed; allowed: call, film"),
        ({"product_code": "film"}, {"source_system": ""}, "usage of type 'film' has to tell it"),
        ({"product_code": "film"}, {"method": "tape"}, "'tape' is not allowed by usage type 'film'; allowed: stream"),
        ({"product_code": "film"}, {"amount_micro": 1}, "'film' is priced by its catalog; leave it out"),
        ({"product_code": "roaming"}, {"usage_type": "call", "destination": "x"}, "comes rated; say its amount"),
        ({"product_code": "film"}, {"reference": "r", "source_system": ""}, "a reference is of a source system"),
        ({"product_code": "film", "service_code": "gold"}, {}, "'gold' did not serve on 2026-07-10"),
    ],
)
def test_what_is_refused(zx: ABroadcaster, values: dict[str, Any], told: dict[str, Any], said: str) -> None:
    zx.on("2026-07-10")
    detail = UsageDetail(**{"usage_type": "film", "source_system": "vod", **told})
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=said):
        zx.act(Behaviour.ADD_SERVICE_USAGE, "S-A", "2026-07-10", usage=detail, **values)


def test_a_film_can_be_used_in_its_window_only(zx: ABroadcaster) -> None:
    zx.on("2026-09-01")
    use(zx, "film", "2026-08-31")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="from 2026-06-01 until 2026-09-01"):
        use(zx, "film", "2026-09-01")
