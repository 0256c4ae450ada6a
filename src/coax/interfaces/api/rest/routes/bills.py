"""Bills: lists, one as data, one as PDF."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

from django.http import HttpResponse
from ninja import Query
from pydantic import Field

from coax.billing.queries.bills import find_bills
from coax.billing.queries.runs import get_run_by_number
from coax.billing.types import BillClassification, Outcome
from coax.billing.types.document import ItemKind, MovementKind, SettlementStatus
from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.resource import Resource
from coax.interfaces.api.rest.values import Code, Currency, Model, Money
from coax.party.queries.accounts import get_account
from coax.party.types import ApiScope
from coax.process.bills.compose import compose_document
from coax.process.bills.describe import describe_bills
from coax.process.bills.documents import get_facts, make_pdf
from coax.process.bills.publish import to_data

resource = Resource("Bills")
PDF: Final = "application/pdf"
PDF_ANSWER: Final = {"responses": {200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}}}
NUMBER_MAX: Final = 2**63 - 1


class Bill(Model):
    """A bill in a list, with how far it is settled now."""

    number: str
    run: int
    account: str
    bill_date: date
    due_date: date
    currency: Currency
    total: Money
    total_to_be_paid: Money
    classification: BillClassification
    status: SettlementStatus | None
    unsettled: Money


class BillPage(Page[Bill]):
    """A page of bills in the order of their numbers."""


class BillOperator(Model):
    """Who bills."""

    code: str
    name: str
    address: list[str]
    tax_number: str


class BillCustomer(Model):
    """Who is billed."""

    code: str
    name: str
    street: str
    postal_code: str
    city: str
    country: str


class BillPeriod(Model):
    """Days from `from` to before `to`; `last_day` is the one before `to`."""

    from_: date = Field(alias="from")
    to: date
    last_day: date


class BillMovement(Model):
    """What moved the balance since the bill before."""

    kind: MovementKind
    date: date | None
    reference: str
    amount: Money


class BillLine(Model):
    """Rated items grouped for the reader."""

    kind: ItemKind
    subscription: str | None
    services: list[str]
    products: list[str]
    period: BillPeriod | None
    date: date | None
    quantity: int
    unit: str | None
    periods: str | None
    price_period: dict[str, int] | None = Field(description="`months` or `days` that the price is for.")
    unit_price: Money | None
    price_for_all_units: Money | None
    amount: Money
    discount_percent: str | None
    discount: Money
    tax_inclusive: bool
    net: Money
    tax_percent: str
    tax: Money
    total: Money
    rated_items: list[int]


class BillSection(Model):
    """The lines of one subscription."""

    code: str | None
    lines: list[BillLine]
    net: Money
    tax: Money
    total: Money


class BillTax(Model):
    """What is taxed at one rate."""

    percent: str
    net: Money
    tax: Money
    total: Money


class BillRounding(Model):
    """The line that rounds a bill."""

    name: str
    adjustment_type: str
    amount: Money


class BillDocument(Model):
    """A bill as it was sent, `coax.bill/1`."""

    shape: str = Field(alias="schema")
    number: str
    run: int
    operator: BillOperator
    customer: BillCustomer
    account: str
    currency: Currency
    locale: str
    bill_date: date
    due_date: date
    period: BillPeriod
    rating_formatting: str
    movements: list[BillMovement]
    subscriptions: list[BillSection]
    one_time: list[BillLine]
    taxes: list[BillTax]
    rounding: BillRounding | None
    net: Money
    tax: Money
    total: Money
    balance_brought_forward: Money
    total_to_be_paid: Money


class NotBilled(Model):
    """A service that was due and is on no bill, and why."""

    account: str
    subscription: str | None
    service: str | None
    outcome: Outcome
    reason: str
    detail: str
    amount: Money


class BillPreview(Model):
    """The next bill, null when there would be none, and what waits."""

    bill: BillDocument | None
    not_billed: list[NotBilled]


class BillFilter(Model):
    """Which bills are wanted."""

    run: Annotated[int | None, Field(ge=1, le=NUMBER_MAX, description="Only of this run.")] = None
    account: Annotated[Code | None, Field(description="Only of this account.")] = None
    exceptional: Annotated[bool | None, Field(description="Only those to look into, or only the others.")] = None


@resource.read("", scope=ApiScope.BILLS_READ, answer=BillPage)
def list_bills(request: ApiRequest, wanted: Query[BillFilter], page: Query[PageRequest]) -> dict[str, Any]:
    """List bills."""
    tenant_id = request.tenant.id
    rows = find_bills(
        tenant_id=tenant_id,
        run_id=get_run_by_number(tenant_id=tenant_id, number=wanted.run).id if wanted.run else None,
        account_id=get_account(tenant_id, wanted.account).account_id if wanted.account else None,
        is_exceptional=wanted.exceptional,
        after=read_place(request, page) or 0,
        limit=page.limit + 1,
    )
    described = dict(zip((row.number for row in rows), describe_bills(tenant_id=tenant_id, rows=rows), strict=True))
    return make_page(request, page, rows, place=lambda row: row.number, describe=lambda row: described[row.number])


@resource.read("/{path:bill}/pdf", scope=ApiScope.BILLS_READ, answer=None, extra=PDF_ANSWER)
def get_bill_as_pdf(request: ApiRequest, bill: Code) -> HttpResponse:
    """Show a bill as PDF."""
    facts = get_facts(tenant_id=request.tenant.id, number=bill)
    return HttpResponse(make_pdf(facts), content_type=PDF)


@resource.read("/{path:bill}", scope=ApiScope.BILLS_READ, answer=BillDocument)
def get_bill_as_document(request: ApiRequest, bill: Code) -> dict[str, Any]:
    """Show a bill as data, by its number with the prefix or without."""
    return to_data(compose_document(get_facts(tenant_id=request.tenant.id, number=bill)))
