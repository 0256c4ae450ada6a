"""Random operators: any configuration, any actions on any subscriptions, items and jobs; what is promised always holds.

What an action does is told elsewhere; here only that whatever is allowed leaves everything in order, and that whatever
is refused leaves everything as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from coax.base.errors import DomainError
from coax.base.tenancy import tenant_transaction
from coax.process.jobs.complete import perform_completion
from coax.process.jobs.order import change_job, order_job
from coax.process.subscription_actions.sell import SaleRequest, sell_subscription
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_pair import pair_items
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.operations.item_return import return_item
from coax.subscription.operations.item_swap import swap_item
from coax.subscription.operations.item_test import record_item_test
from coax.subscription.operations.job_change import equip_job_line, move_job
from coax.subscription.operations.location_add import add_location
from coax.subscription.rules.machine import TRANSITIONS
from coax.subscription.types.actions import Behaviour, UsageDetail
from coax.subscription.types.items import ItemCondition
from coax.subscription.types.jobs import JobOrder, JobRequest, JobVerb, LineRequest, SaleOrder
from tests.builders.broadcasters import RULES, ABroadcaster, a_broadcaster
from tests.builders.bundles import BUNDLE
from tests.builders.usage import USAGE

PRODUCTS = ("silver", "gold", "football", "news", "eurosports-1")
BUNDLED = ("football", "news", "gold")  # of which one or two go with silver
MANDATORY = {"silver", "gold", "eurosports-1"}  # of type Basic Plan, or named as mandatory
ITEMS = ("D1", "D2", "C1")
LIVE = "s.state NOT IN ('cancelled', 'regretted', 'swapped', 'removed', 'replaced')"
FIRST_DAY = date(2026, 7, 1)
BEHAVIOURS = [kind for kind in Behaviour if kind in TRANSITIONS]


@dataclass(frozen=True)
class Rules:
    """What a random operator allows."""

    mandatory_max: int
    optional_max: int
    subscriptions_max: int
    items_max: int
    needs_basic: bool
    billing_types: tuple[str, ...]
    regret_days: int
    rest_days_max: int
    credits_debt: bool
    is_bound: bool


rules = st.builds(
    Rules,
    mandatory_max=st.integers(1, 3),
    optional_max=st.integers(0, 3),
    subscriptions_max=st.integers(1, 3),
    items_max=st.integers(0, 3),
    needs_basic=st.booleans(),
    billing_types=st.tuples(*[st.sampled_from(["pre_bill", "post_bill"])] * 3),
    regret_days=st.integers(0, 20),
    rest_days_max=st.integers(7, 40),
    credits_debt=st.booleans(),
    is_bound=st.booleans(),
)
numbers = (st.integers(0, 30), st.integers(0, 999))
times = st.tuples(st.sampled_from(["wait", "run", "pay", "debt", "settled"]), *numbers)
actions = st.tuples(st.sampled_from(BEHAVIOURS), *numbers)
others = st.tuples(st.sampled_from(["sell", "order", "job", "install", "return", "swap", "pair", "test"]), *numbers)
deeds = st.lists(st.one_of(actions, actions, actions, times, others), min_size=10, max_size=20)


@dataclass(frozen=True)
class Draw:
    """The numbers by which a deed chooses."""

    days: int
    number: int


@dataclass
class World:
    """An operator in the middle of its life; `pick` chooses by number among what there is."""

    zx: ABroadcaster
    today: date = FIRST_DAY
    as_of: date = date(2026, 6, 1)

    def pick(self, table: str, number: int) -> str:
        rows = self.zx.rows(f"SELECT DISTINCT code FROM subscription_{table} WHERE tenant_id = %s ORDER BY code")
        return rows[number % len(rows)]["code"] if rows else "none"

    def perform(self, what: str, days: int, number: int) -> None:
        deed: Callable[[Draw], None] | None = getattr(self, f"do_{what}", None)
        if deed:
            deed(Draw(days, number))
        else:
            self.act(Behaviour(what), days, number)

    def do_wait(self, draw: Draw) -> None:
        self.today += timedelta(days=draw.days)
        self.zx.on(str(self.today))
        self.zx.execute_scheduled()

    def do_run(self, _draw: Draw) -> None:
        self.as_of = max(self.as_of + timedelta(days=31), self.today).replace(day=1)
        self.zx.bill(str(self.today), str(self.as_of))

    def do_pay(self, draw: Draw) -> None:
        self.zx.pay("AB"[draw.number % 2], f"{draw.days * 5}.00", str(self.today))

    def do_debt(self, _draw: Draw) -> None:
        self.zx.deactivate()

    def do_settled(self, _draw: Draw) -> None:
        self.zx.activate()

    def act(self, behaviour: Behaviour, days: int, number: int) -> None:
        """Perform it today, or (one time in five) schedule it."""
        transition = TRANSITIONS[behaviour]
        product = PRODUCTS[number % len(PRODUCTS)]
        values: dict[str, Any] = {}
        if transition.needs_end:
            values["ends_on"] = str(self.today + timedelta(days=days))
        if transition.is_of_service:
            values["service_code"] = PRODUCTS[number // 7 % len(PRODUCTS)]
        if transition.adds_service or behaviour is Behaviour.ADD_EXPENSE:
            values["product_code"] = "installation" if behaviour is Behaviour.ADD_EXPENSE else product
        if behaviour is Behaviour.AMEND_BILLING_TERM:
            values |= {"amendment": "new", "binding_period": "annual"} if number % 2 else {"amendment": "cancelled"}
        if behaviour in {Behaviour.CANCEL_EXPENSE, Behaviour.CANCEL_SERVICE_USAGE}:
            table = "charge" if behaviour is Behaviour.CANCEL_EXPENSE else "usage"
            values["charge_code"] = self.pick(table, number)
        if behaviour is Behaviour.ADD_SERVICE_USAGE:
            told = UsageDetail(
                usage_type="film", source_system="vod", reference=str(number % 5), is_billed=number % 4 > 0
            )
            values |= {"product_code": "film", "usage": told, "service_code": PRODUCTS[number % len(PRODUCTS)]}
        if behaviour is Behaviour.AMEND_BUNDLE:
            chosen = [code for place, code in enumerate(BUNDLED) if number >> place & 1]
            values |= {"bundle_code": "family", "product_codes": ("silver", *chosen) if number % 5 else ()}
        if behaviour is Behaviour.CHANGE_LOCATION:
            values["location"] = f"Street {number}"
        if behaviour is Behaviour.CHANGE_ACCOUNT:
            values["account_code"] = "AB"[number % 2]
        day = self.today + timedelta(days=days if number % 5 == 0 else 0)
        self.zx.act(behaviour, self.pick("subscription_code", number // 3), str(day), **values)

    def do_sell(self, draw: Draw) -> None:
        sell_subscription(
            tenant=self.zx.tenant,
            request=SaleRequest(
                account_code="AB"[draw.number % 2],
                subscription_type="normal",
                scheme="normal-bt",
                products=tuple(code for place, code in enumerate(PRODUCTS) if draw.number >> place & 1),
                performed_on=self.today,
                frequency="monthly",
                is_draft=draw.number % 3 == 0,
            ),
            actor="anna",
        )

    def do_order(self, draw: Draw) -> None:
        is_new = draw.number % 2 == 0
        sale = SaleOrder(
            subscription_type="normal", scheme="normal-bt", products=("eurosports-1",), frequency="monthly"
        )
        request = JobRequest(
            account_code="AB"[draw.number % 2],
            job_type="new-connection" if is_new else "visit",
            lines=(LineRequest(product="decoder", quantity=1 + draw.number % 2),),
            order=JobOrder(sale=sale if is_new else None),
        )
        order_job(tenant=self.zx.tenant, request=request, actor="anna")

    def do_job(self, draw: Draw) -> None:
        code = self.pick("job_code", draw.number)
        if draw.number % 4 == 0:
            perform_completion(tenant=self.zx.tenant, code=code, actor="tom")
        elif draw.number % 4 == 1:
            self.change_job(JobVerb.EQUIP, lambda c: equip_job_line(code, 2, [ITEMS[draw.number % 2]], c))
        else:
            verb = (JobVerb.START, JobVerb.CANCEL)[draw.number % 2]
            self.change_job(verb, lambda c: move_job(code, verb, c))

    def change_job(self, verb: JobVerb, change: Any) -> None:
        change_job(tenant=self.zx.tenant, actor="anna", change=change, verb=verb)

    def item(self, operation: Any, **values: Any) -> None:
        deed = {"actor": "ann", "performed_on": self.today, "reason": "order"}
        with tenant_transaction(self.zx.tenant.id):
            operation(tenant_id=self.zx.tenant.id, **values, **deed)

    def do_install(self, draw: Draw) -> None:
        subscription = self.pick("subscription_code", draw.number // 3)
        self.item(install_item, serial=ITEMS[draw.number % 3], subscription=subscription)

    def do_return(self, draw: Draw) -> None:
        self.item(return_item, serial=ITEMS[draw.number % 3], location="main")

    def do_swap(self, draw: Draw) -> None:
        old, new = ITEMS[draw.number % 2], ITEMS[1 - draw.number % 2]
        self.item(swap_item, old=old, new=new, location="main", condition=ItemCondition.USED)

    def do_pair(self, draw: Draw) -> None:
        self.item(pair_items, serial=ITEMS[draw.number % 2], other="C1")

    def do_test(self, draw: Draw) -> None:
        self.item(record_item_test, serial=ITEMS[draw.number % 3], condition=ItemCondition.USED)

    def everything(self) -> list[Any]:
        tables = ("stock_item", "installed_item", "item_movement", "job", "job_line", "job_event", "billing_term")
        rows = [
            self.zx.rows(f"SELECT * FROM subscription_{t} WHERE tenant_id = %s ORDER BY 1, 2, 3, 4") for t in tables
        ]
        charges = self.zx.rows("SELECT * FROM subscription_charge WHERE tenant_id = %s ORDER BY id")
        return [*self.zx.everything(), *rows, charges]


def build(rules: Rules, path: Path) -> World:
    """Return an operator with these rules, two accounts and some stock."""
    debt = "to_be_credited" if rules.credits_debt else "not_to_be_billed"
    written = RULES.replace("max_days_since_activation: 14", f"max_days_since_activation: {rules.regret_days}")
    written = written.replace("max_days: 30", f"max_days: {rules.rest_days_max}")
    written += f"\n      - {{ rule: additional_billing_direction, states: [not_effective], directive: {debt} }}"
    changes = {
        "definition": "    name: Main Billing Term Definition\n    classification: subscriptions -> " + written,
        "mandatory": f"minimum: 1, maximum: 3 -> minimum: 1, maximum: {rules.mandatory_max}",
        "optional": f"minimum: 0, maximum: 5 -> minimum: 0, maximum: {rules.optional_max}",
        "number": f"max_subscriptions: 10 -> max_subscriptions: {rules.subscriptions_max}",
        "items": f"decoder], minimum: 0, maximum: 3 -> decoder], minimum: 0, maximum: {rules.items_max}",
    }
    if not rules.needs_basic:
        changes["dependency"] = "    installed_item_rules: ->     installed_item_rules:"
    for product, kind in zip(("silver", "gold", "football"), rules.billing_types, strict=True):
        changes[f"of {product}"] = (
            f"product: {product}, billing_type: pre_bill -> product: {product}, billing_type: {kind}"
        )
    zx = a_broadcaster(**changes, **BUNDLE, **USAGE)
    bound = {"binding_period": "annual", "binding_start_date": "2026-07-01"} if rules.is_bound else {}
    rows = [
        {"account_code": "A", "product": "silver", "billed_until": "2026-07-01", "credit_limit": "100", **bound},
        {"account_code": "B", "product": "gold", "billed_until": "2026-07-01"},
    ]
    zx.on(str(FIRST_DAY))
    zx.subscribe(path, rows)
    world = World(zx)
    with tenant_transaction(zx.tenant.id):
        add_location(tenant_id=zx.tenant.id, code="main", name="Warehouse")
    for serial in ITEMS:
        world.item(receive_item, serial=serial, good="smartcard" if serial == "C1" else "decoder", location="main")
    return world


def check(world: World, rules: Rules) -> None:
    """Ask, by statements of its own, what is promised of every subscription; the books prove the rest."""
    live = world.zx.rows(
        f"""SELECT u.id, u.account_id, array_agg(e.code ORDER BY e.code) FILTER (WHERE {LIVE}) AS products,
               array_agg(e.code ORDER BY e.code) FILTER (WHERE s.bundle_id IS NOT NULL AND {LIVE}) AS bundled,
               (SELECT count(*) FROM subscription_billing_term t
                 WHERE t.subscription_id = u.id AND t.effective_to IS NULL) AS contracts,
               (SELECT count(*) FROM subscription_installed_item n
                 WHERE n.subscription_id = u.id AND n.installed_to IS NULL) AS items
           FROM subscription_subscription u
           LEFT JOIN subscription_service s ON s.bucket = u.bucket AND s.subscription_id = u.id
           LEFT JOIN configuration_entity e ON e.id = s.product_id
           WHERE u.tenant_id = %s AND u.state NOT IN ('cancelled', 'regretted', 'replaced')
           GROUP BY u.id, u.account_id"""
    )
    for row in live:
        products = row["products"] or []
        mandatory = sum(product in MANDATORY for product in products)
        assert 1 <= mandatory <= rules.mandatory_max, row
        assert len(products) - mandatory <= rules.optional_max, row
        assert not rules.needs_basic or "football" not in products or {"silver", "gold"} & set(products), row
        bundled = row["bundled"] or ["silver", "news"]
        assert "silver" in bundled, row
        assert 1 <= len(set(bundled) & set(BUNDLED)) <= 2, row
        assert row["contracts"] == 1, row
        assert row["items"] <= rules.items_max, row
    owners = Counter(row["account_id"] for row in live)
    assert max(owners.values(), default=0) <= rules.subscriptions_max
    assert world.zx.broken_promises() == []


@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=rules, deeds=deeds)
def test_whatever_happens_what_is_promised_holds(
    database: str, tmp_path: Path, rules: Rules, deeds: list[tuple[str, int, int]]
) -> None:
    world = build(rules, tmp_path)
    check(world, rules)
    for what, days, number in [*deeds, ("wait", 30, 0), ("run", 0, 0)]:
        note(f"{world.today} {what} {days} {number}")
        before = world.everything()
        try:
            world.perform(what, days, number)
        except DomainError as refusal:
            note(f"    refused: {refusal.message}")
            assert world.everything() == before
            event(f"{what}: refused")
            continue
        event(f"{what}: done")
        check(world, rules)
