"""The bills that are compared with files: name -> facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from coax.billing.types.document import BilledItem, BillKey, ItemKind
from coax.configuration.types.run_definition import RatingFormatting
from coax.ledger.types import TransactionKind
from coax.process.bills.facts import BillFacts
from tests.builders.bills import a_bill, a_customer, a_transaction, an_item, an_operator, the_facts

JULY_15: Final = date(2026, 7, 15)
AUGUST_1: Final = date(2026, 8, 1)
JULY_STUB: Final = (JULY_15, AUGUST_1)
HALF_YEAR: Final = (AUGUST_1, date(2027, 2, 1))
LONG_NAME: Final = "Premium Family Sports & Documentary Channel Package with Multi-Room Recording and Replay"
HOSTILE_NAME: Final = r'#strong[Installation] $x^2$ \ <b>"quoted"</b> */ @ref = # _a_'

SERVICES: Final[tuple[BilledItem, ...]] = (
    an_item(line=1, service_id=1, parts=(0, 17, 31), period=JULY_STUB),
    an_item(line=2, service_id=1),
    an_item("Movies", line=3, service_id=2, price=7_990_000, quantity=2, discount_ppm=100_000),
    an_item("Decoder rent", line=4, service_id=3, price=2_500_000),
    an_item("Decoder rent", line=5, service_id=4, service_code="decoder-bedroom", price=2_500_000),
    an_item(LONG_NAME, line=6, service_id=5, price=3_333_333, parts=(6, 0, 1), period=HALF_YEAR),
    an_item("Kids", line=7, service_id=6, kind=ItemKind.CREDIT, price=4_990_000, period=JULY_STUB, parts=(0, 17, 31)),
    an_item("Internet 100", line=8, service_id=7, subscription_code="S-1002", price=24_900_000, tax_ppm=70_000),
    an_item(
        HOSTILE_NAME,
        line=9,
        service_id=8,
        service_code="installation",
        subscription_code="S-1002",
        kind=ItemKind.ONCE,
        price=49_000_000,
        period=(JULY_15, JULY_15),
    ),
)


def company_zx_first_bill() -> BillFacts:
    """Case D of the worked example: joined on 15 July; 12.00 a month net; rounded up (R103, R104)."""
    return the_facts(SERVICES[:2])


def with_movements() -> BillFacts:
    """A second bill: the first was paid in part, with a credit note and a fee between, and one payment later."""
    first = a_bill(SERVICES[:2], key=BillKey(0, 1024, 40), number=5, transaction_date=date(2026, 6, 21))
    debited, credited = 250, 1_500 + 120
    second = a_bill(
        SERVICES,
        previous_run_id=40,
        brought_forward_minor=first.to_pay_minor + debited - credited,
        debited_between_minor=debited,
        credited_between_minor=credited,
    )
    transactions = (
        a_transaction(41, TransactionKind.PAYMENT, 1_500, date(2026, 7, 3), "Bank 4711"),
        a_transaction(42, TransactionKind.CREDIT_NOTE, 120, date(2026, 7, 8)),
        a_transaction(43, TransactionKind.INVOICE, 250, date(2026, 7, 9), "Reminder fee"),
        a_transaction(60, TransactionKind.PAYMENT, 999, date(2026, 8, 9)),
    )
    return the_facts(SERVICES, bill=second, bills=(second, first), transactions=transactions)


def in_german() -> BillFacts:
    """The same, for a customer who reads German; the operator's own language is English."""
    customer = a_customer(name="Zoë Müller-Österreich geb. Ångström", street="Große Bleichen 1")
    return replace(with_movements(), customer_locale="de_DE", customer=customer)


def credit_bill() -> BillFacts:
    """A bill that gives money back, in German: the rounding has the credit type, and there is no slip."""
    items = (
        an_item(line=1, service_id=1, kind=ItemKind.CREDIT, price=19_990_000, parts=(0, 17, 31), period=JULY_STUB),
    )
    return the_facts(items, customer_locale="de")


def in_yen() -> BillFacts:
    """A currency without decimals; tax in the prices; a customer without an address in Japan."""
    items = (
        an_item(line=1, service_id=1, price=1_980_000_000, is_tax_inclusive=True, tax_ppm=100_000),
        an_item(
            line=2,
            service_id=1,
            price=1_980_000_000,
            is_tax_inclusive=True,
            tax_ppm=100_000,
            parts=(0, 17, 31),
            period=JULY_STUB,
        ),
    )
    operator = an_operator(code="tokyo", name="Tokyo Cable", address=("Chiyoda 1-1", "Tokyo"), bill_number_prefix="")
    customer = a_customer(name="Hanako Yamada", street="", postal_code="", city="Tokyo", country="JP")
    return the_facts(items, bill=a_bill(items, currency="JPY"), operator=operator, customer=customer)


def in_dinar() -> BillFacts:
    """A currency of three decimals, in German."""
    items = (an_item(line=1, price=12_345_678, quantity=1_000, discount_ppm=125_000, tax_ppm=50_000),)
    return the_facts(items, bill=a_bill(items, currency="KWD"), customer_locale="de_AT")


def many_pages() -> BillFacts:
    """Ninety services of three subscriptions."""
    items = tuple(
        an_item(
            LONG_NAME if number % 5 == 0 else f"Channel {number}",
            line=number,
            price=1_234_567 * number,
            subscription_code=f"S-{2000 + number // 31}",
        )
        for number in range(1, 91)
    )
    return the_facts(items, formatting=RatingFormatting.NONE)


def formatted(formatting: RatingFormatting) -> BillFacts:
    """All services under another way of grouping them."""
    facts = with_movements()
    return replace(facts, rules=replace(facts.rules, formatting=formatting))


CASES: Final[dict[str, BillFacts]] = {
    "company-zx-first-bill": company_zx_first_bill(),
    "with-movements": with_movements(),
    "in-german": in_german(),
    "credit-bill": credit_bill(),
    "in-yen": in_yen(),
    "in-dinar": in_dinar(),
    "not-grouped": formatted(RatingFormatting.NONE),
    "per-subscription": formatted(RatingFormatting.GROUP_PER_SUBSCRIPTION),
    "per-rate": formatted(RatingFormatting.GROUP_PER_RATE),
}
