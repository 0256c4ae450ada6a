"""Bills as data: rated items with their amounts worked out, and facts around them that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from coax.base.money import MICRO, currency_scale
from coax.base.rounding import RoundingMethod, round_div, round_micro_to_minor
from coax.billing.types import BillClassification
from coax.billing.types.document import BillCustomer, BilledItem, BillKey, BillRow, ItemKind
from coax.configuration.types.run_definition import RatingFormatting
from coax.ledger.types import TransactionKind
from coax.process.bills.facts import AccountTransaction, BillFacts, OperatorFacts, RunRules
from coax.process.bills.look import BillLook
from coax.rating.types import PPM

HALF_UP = RoundingMethod.ROUND_HALF_UP
AUGUST = (date(2026, 8, 1), date(2026, 9, 1))


def an_item(
    product: str = "Eurosports 1",
    *,
    line: int = 1,
    price: int = 12_000_000,
    quantity: int = 1,
    parts: tuple[int, int, int] = (1, 0, 1),
    period: tuple[date, date] = AUGUST,
    kind: ItemKind = ItemKind.CHARGE,
    tax_ppm: int = 190_000,
    discount_ppm: int = 0,
    **fields: Any,
) -> BilledItem:
    """A rated item; amounts follow from price (micros), quantity, parts (whole, days, of days) and rates."""
    whole, days, period_days = parts
    sign = -1 if kind is ItemKind.CREDIT else 1
    charge = fields.pop("charge_micro", price * quantity)
    base = sign * round_div(charge * (whole * period_days + days), period_days, HALF_UP)
    discount = round_div(base * discount_ppm, PPM, HALF_UP)
    net = base - discount
    tax = round_div(net * tax_ppm, PPM, HALF_UP)
    if fields.get("is_tax_inclusive"):
        gross, net = net, round_div(net * PPM, PPM + tax_ppm, HALF_UP)
        tax = gross - net
    item = BilledItem(
        line=line,
        subscription_code="S-1001",
        service_id=line,
        service_code=product.lower().replace(" ", "-"),
        product_code=product.lower().replace(" ", "-"),
        product_name=product,
        unit="item",
        price_version_id=7,
        rate_no=0,
        tier_no=0,
        kind=kind,
        period_from=period[0],
        period_to=period[1],
        whole_periods=whole,
        days=days,
        period_days=period_days,
        price_months=1,
        price_days=0,
        quantity=quantity,
        price_micro=price,
        charge_micro=charge,
        base_micro=base,
        discount_ppm=discount_ppm,
        discount_micro=discount,
        tax_ppm=tax_ppm,
        is_tax_inclusive=False,
        net_micro=net,
        tax_micro=tax,
        total_micro=net + tax,
    )
    return replace(item, **fields)


def a_bill(items: tuple[BilledItem, ...], *, currency: str = "EUR", **fields: Any) -> BillRow:
    """A bill whose stored totals are those of its items, rounded up (R102)."""
    scale = currency_scale(currency)
    net, tax = sum(item.net_micro for item in items), sum(item.tax_micro for item in items)
    total_minor = round_micro_to_minor(net + tax, scale, RoundingMethod.ROUND_UP)
    row = BillRow(
        key=BillKey(0, 1024, 50),
        number=12,
        run_number=2,
        account_code="A-1001",
        classification=BillClassification.NORMAL,
        currency=currency,
        period_from=min(item.period_from for item in items),
        period_to=max(item.period_to for item in items),
        transaction_date=date(2026, 7, 21),
        due_date=date(2026, 8, 10),
        previous_run_id=0,
        brought_forward_minor=0,
        debited_between_minor=0,
        credited_between_minor=0,
        net_micro=net,
        tax_micro=tax,
        rounding_micro=total_minor * MICRO // 10**scale - net - tax,
        total_minor=total_minor,
    )
    return replace(row, **fields)


def an_operator(**fields: Any) -> OperatorFacts:
    """Company ZX of Hamburg."""
    facts = OperatorFacts(
        code="company-zx",
        name="Company ZX",
        address=("Company ZX", "Harbour Street 20", "20457 Hamburg"),
        tax_number="DE123456789",
        bill_number_prefix="ZX-",
        locale="en",
        look=BillLook("#12466b"),
    )
    return replace(facts, **fields)


def a_customer(**fields: Any) -> BillCustomer:
    """Somebody with an address."""
    customer = BillCustomer(
        contact_code="C-1001",
        name="Ada Byron",
        street="Long Lane 5",
        postal_code="20095",
        city="Hamburg",
        country="DE",
    )
    return replace(customer, **fields)


def the_facts(
    items: tuple[BilledItem, ...],
    *,
    bill: BillRow | None = None,
    formatting: RatingFormatting = RatingFormatting.GROUP_PER_SERVICE,
    **fields: Any,
) -> BillFacts:
    """The facts of one bill with these items."""
    row = bill or a_bill(items)
    facts = BillFacts(
        bill=row,
        rules=RunRules(
            formatting=formatting,
            rounding_name="Rounding",
            debit_adjustment_name="Rounding Invoice",
            credit_adjustment_name="Rounding Credit",
        ),
        operator=an_operator(),
        customer=a_customer(),
        customer_locale="",
        items=items,
        bills=(row,),
        transactions=(),
    )
    return replace(facts, **fields)


def a_transaction(
    origin_id: int, kind: TransactionKind, amount_minor: int, on: date, reference: str = ""
) -> AccountTransaction:
    """A financial transaction made by hand or by a payment."""
    return AccountTransaction((origin_id, 1), kind, on, reference, amount_minor)
