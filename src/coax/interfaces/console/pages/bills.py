"""Bills: lists, a bill as a page, as PDF, as JSON, and the arithmetic of its lines."""

from __future__ import annotations

from django.http import HttpResponse

from coax.base.tenancy import tenant_transaction
from coax.billing.queries.bills import PAGE_ROWS, find_bills, find_latest_bills
from coax.billing.queries.runs import get_run_by_number
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.pages.page import page, show
from coax.party.queries.accounts import get_account
from coax.process.bills.compose import compose_document
from coax.process.bills.documents import get_document, get_facts, make_pdf
from coax.process.bills.ledger_reading import find_settlements
from coax.process.bills.numbers import compose_bill_number
from coax.process.bills.publish import to_json
from coax.process.bills.reading import read_operator
from coax.process.explain import explain_bill

PAGE = "bills"
CLASSES = {"exceptional": True, "normal": False}


@page()
def bills(request: StaffRequest) -> HttpResponse:
    """List bills: the latest first, or those of a run or an account in the order of their numbers."""
    tenant, asked = request.tenant, request.GET
    run, code, kind = asked.get("run", "").strip(), asked.get("account", "").strip(), asked.get("class", "")
    place = asked.get("place", "")
    start = int(place) if place.isdecimal() else None
    if run or code:
        rows = find_bills(
            tenant_id=tenant.id,
            run_id=get_run_by_number(tenant_id=tenant.id, number=_number(run)).id if run else None,
            account_id=get_account(tenant.id, code).account_id if code else None,
            is_exceptional=CLASSES.get(kind),
            after=start or 0,
        )
    else:
        rows = find_latest_bills(tenant_id=tenant.id, is_exceptional=CLASSES.get(kind), before=start)
    settlements = find_settlements(tenant_id=tenant.id, keys=[row.key for row in rows])
    prefix = read_operator(tenant.id).bill_number_prefix
    listed = [(compose_bill_number(prefix, row.number), row, settlements.get(row.key)) for row in rows]
    return show(
        request,
        "bills.html",
        page=PAGE,
        title="Bills",
        listed=listed,
        asked={"run": run, "account": code, "class": kind},
        next_place=rows[-1].number if len(rows) == PAGE_ROWS else None,
    )


@page()
def bill(request: StaffRequest, number: str) -> HttpResponse:
    """Show a bill as a document, with the arithmetic of every line on demand."""
    document, settlement = get_document(tenant_id=request.tenant.id, number=number)
    explained = explain_bill(tenant=request.tenant, number=number)
    return show(
        request,
        "bill.html",
        page=PAGE,
        title=f"Bill {document.number_text}",
        d=document,
        settlement=settlement,
        explained=explained,
        by_item={line.item.line: line for line in explained.lines},
    )


@page()
def bill_pdf(request: StaffRequest, number: str) -> HttpResponse:
    """Give a bill as PDF."""
    with tenant_transaction(request.tenant.id):
        content = make_pdf(get_facts(tenant_id=request.tenant.id, number=number))
    return _file(content, "application/pdf", f"{number}.pdf")


@page()
def bill_json(request: StaffRequest, number: str) -> HttpResponse:
    """Give a bill as JSON (docs/bills.md)."""
    document = compose_document(get_facts(tenant_id=request.tenant.id, number=number))
    return _file(to_json(document), "application/json", f"{number}.json")


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    safe = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in name)
    disposition = f'inline; filename="{safe}"'
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
