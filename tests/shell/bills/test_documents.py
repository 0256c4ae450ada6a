"""Bills read back from the database: as composed, never another operator's, a fixed number of statements."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coax.base.tenancy import Tenant, set_tenant
from coax.billing.queries.bills import BillUnknown, find_bill_keys, find_bills, get_bill
from coax.billing.types.document import ItemKind, MovementKind, SettlementStatus
from coax.ledger.types import TransactionKind
from coax.process.bills.compose import compose_document
from coax.process.bills.documents import get_document
from coax.process.bills.ledger_reading import find_settlements
from coax.process.bills.reading import read_facts
from tests.builders.bills import an_item
from tests.shell.bills.stored import Store

ONCE = an_item("Installation", line=3, service_id=9, kind=ItemKind.ONCE, period=(date(2026, 8, 1), date(2026, 8, 1)))
ITEMS = (
    an_item(line=1, service_id=1, parts=(0, 17, 31), period=(date(2026, 7, 15), date(2026, 8, 1))),
    an_item(line=2, service_id=1),
    ONCE,
)


def test_a_bill_is_composed_from_its_rows(tenant: Tenant) -> None:
    store = Store(tenant)
    account_id = store.add_account("A-1", locale="de_DE", name="Zoë Müller")
    first_run, payment = store.add_run(1), store.next_id()
    second_run = store.add_run(2)
    first = store.add_bill(account_id, first_run, 1, ITEMS[:2])
    store.add_transaction(account_id, payment, 2_000, TransactionKind.PAYMENT, "Bank 1")
    bill = store.add_bill(
        account_id,
        second_run,
        2,
        tuple(ITEMS[2:]),
        previous_run_id=first_run,
        brought_forward_minor=first.total_minor - 2_000,
        credited_between_minor=2_000,
    )
    store.settle(account_id, first_run, payment, 2_000)

    document, settled = get_document(tenant_id=tenant.id, number="ZX-00000002")

    assert document.number_text == "ZX-00000002"
    assert (document.operator.name, document.operator.tax_number) == ("Company ZX", "DE123456789")
    assert (document.customer.name, document.locale, document.account_code) == ("Zoë Müller", "de_DE", "A-1")
    assert [line.product_names for line in document.one_time] == [("Installation",)]
    assert [line.service_codes for line in document.one_time] == [("installation",)]
    assert [(step.kind, step.amount_minor, step.reference) for step in document.movements] == [
        (MovementKind.PREVIOUS_BILL, first.total_minor, "ZX-00000001"),
        (MovementKind.PAYMENT, -2_000, "Bank 1"),
    ]
    assert document.total_minor == bill.total_minor
    assert document.rounding is None or document.rounding.adjustment_type == "Rounding Invoice"
    assert settled is not None
    assert (settled.status, settled.unsettled_minor) == (SettlementStatus.UNSETTLED, bill.total_minor)

    former, settled = get_document(tenant_id=tenant.id, number="1")
    line = former.sections[0].lines[0]
    assert (line.items, line.subscription_code) == ((1, 2), "S-A-1")
    assert settled is not None
    assert (settled.status, settled.unsettled_minor) == (
        SettlementStatus.PARTIALLY_SETTLED,
        first.total_minor - 2_000,
    )


def test_many_bills_take_no_more_statements_than_one(tenant: Tenant) -> None:
    store = Store(tenant)
    run_id = store.add_run(1)
    for number in range(1, 9):
        store.add_bill(store.add_account(f"A-{number}"), run_id, number, ITEMS)
    keys = [key for key, _ in find_bill_keys(tenant_id=tenant.id, run_id=run_id)]
    counts = []
    for wanted in (keys[:1], keys):
        with CaptureQueriesContext(connection) as queries:
            facts = read_facts(tenant_id=tenant.id, keys=wanted)
        counts.append(len(queries))
        assert [fact.bill.key for fact in facts] == wanted
    assert counts[0] == counts[1]
    assert [compose_document(fact).number for fact in facts] == list(range(1, 9))


def test_bills_are_listed_by_run_by_account_and_page_by_page(tenant: Tenant) -> None:
    store = Store(tenant)
    runs = [store.add_run(1), store.add_run(2)]
    accounts = [store.add_account("A-1"), store.add_account("A-2")]
    for number, (run_id, account_id) in enumerate([(r, a) for r in runs for a in accounts], start=1):
        items = ITEMS if run_id == runs[0] else (replace(ONCE, service_id=10, service_code="second-visit"),)
        store.add_bill(account_id, run_id, number, items)

    def numbers(**wanted: int) -> list[int]:
        return [row.number for row in find_bills(tenant_id=tenant.id, **wanted)]

    assert numbers() == [1, 2, 3, 4]
    assert numbers(run_id=runs[1]) == [3, 4]
    assert numbers(account_id=accounts[1]) == [2, 4]
    assert numbers(after=1, limit=2) == [2, 3]
    assert get_bill(tenant_id=tenant.id, number=3).account_code == "A-1"


def test_a_bill_that_is_not_there_is_named(tenant: Tenant) -> None:
    Store(tenant)
    with pytest.raises(BillUnknown) as caught:
        get_bill(tenant_id=tenant.id, number=7)
    assert caught.value.message == "There is no bill 7; the latest is none yet."


def test_another_operators_bill_is_not_found(tenant: Tenant) -> None:
    store = Store(tenant)
    account_id = store.add_account("A-1")
    run_id = store.add_run(1)
    bill = store.add_bill(account_id, run_id, 1, ITEMS)
    set_tenant(tenant.id + 1)
    assert find_bills(tenant_id=tenant.id) == []
    assert find_bills(tenant_id=tenant.id + 1) == []
    assert find_settlements(tenant_id=tenant.id, keys=[bill.key]) == {}
