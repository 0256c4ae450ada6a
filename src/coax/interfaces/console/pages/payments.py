"""Money: received of an account, listed, cancelled, moved, approved, given back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from coax.base.errors import DomainError
from coax.base.money import minor_to_decimal
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.forms.payment import PaymentForm, RefundForm, TransferForm
from coax.interfaces.console.pages.page import page, show
from coax.interfaces.console.problems import report_problem
from coax.ledger.queries import get_balance
from coax.party.queries.accounts import get_account
from coax.party.types import AccountRow, Right
from coax.payment.queries.payments import PaymentUnknown, find_payments, get_payment
from coax.payment.queries.refunds import find_refunds, get_refund
from coax.payment.types import PaymentState, RefundState
from coax.process.account_statement import get_account_statement
from coax.process.bills.numbers import compose_bill_number
from coax.process.bills.reading import read_operator
from coax.process.payments.approve import approve_payment, reject_payment
from coax.process.payments.cancel import cancel_payment
from coax.process.payments.context import make_money_context
from coax.process.payments.describe import describe_payment
from coax.process.payments.receive import receive_payment
from coax.process.payments.refund import approve_refund, refund, reject_refund
from coax.process.payments.transfer import transfer_payment

PAGE: Final = "payments"
BILLS_OFFERED: Final = 50
ROWS_SHOWN: Final = 100


@page()
def payments(request: StaffRequest) -> HttpResponse:
    """Show what waits for a second person, then payments and refunds, the latest first."""
    mode, state = request.GET.get("mode", ""), request.GET.get("state", "")
    tenant_id = request.tenant.id
    context = make_money_context(request.tenant, actor=request.staff.username)
    chosen = PaymentState(state) if state in set(PaymentState) else None
    return show(
        request,
        "payments.html",
        page=PAGE,
        title="Payments",
        waiting=find_payments(tenant_id=tenant_id, state=PaymentState.PENDING, limit=ROWS_SHOWN),
        refunds_waiting=find_refunds(tenant_id=tenant_id, state=RefundState.PENDING, limit=ROWS_SHOWN),
        rows=find_payments(tenant_id=tenant_id, mode=mode or None, state=chosen, limit=ROWS_SHOWN),
        refunds=find_refunds(tenant_id=tenant_id, limit=ROWS_SHOWN),
        modes={code: one.name for code, one in context.modes.items()},
        states=[one.value for one in PaymentState],
        mode=mode,
        state=state,
    )


@page(Right.WORK_ACCOUNTS, methods=("GET", "HEAD", "POST"))
def receive(request: StaffRequest, code: str) -> HttpResponse:
    """Receive a payment of an account."""
    account = get_account(request.tenant.id, code)
    context = make_money_context(request.tenant, actor=request.staff.username)
    owed = max(0, get_balance(tenant_id=request.tenant.id, account_id=account.account_id))
    form = PaymentForm(
        request.POST or None,
        modes=context.modes,
        bills=_find_bills(request, account),
        today=context.today,
        owed=str(minor_to_decimal(owed, account.currency)) if owed else "",
    )
    problem: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            answer, _ = receive_payment(
                tenant=request.tenant,
                request=form.to_request(account.code),
                actor=request.staff.username,
                idempotency_key=form.cleaned_data["key"],
            )
        except DomainError as fault:
            problem = fault
        else:
            waits = answer["state"] == PaymentState.PENDING.value
            said = "waits for a second person" if waits else f"is received; the balance is {answer['balance']}"
            messages.success(request, f"{answer['amount']} {answer['currency']} {said}.")
            return redirect("admin:payment", answer["payment"])
    title = f"Payment of {account.name or account.code}"
    return _show_form(request, "payment_form.html", title, form, account, problem)


@page(Right.WORK_ACCOUNTS, methods=("GET", "HEAD", "POST"))
def give_back(request: StaffRequest, code: str) -> HttpResponse:
    """Give back what an account has too much."""
    account = get_account(request.tenant.id, code)
    context = make_money_context(request.tenant, actor=request.staff.username)
    credit = max(0, -get_balance(tenant_id=request.tenant.id, account_id=account.account_id))
    form = RefundForm(
        request.POST or None,
        modes=context.modes,
        today=context.today,
        credit=str(minor_to_decimal(credit, account.currency)) if credit else "",
    )
    problem: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            answer, _ = refund(
                tenant=request.tenant,
                request=form.to_request(account.code),
                actor=request.staff.username,
                idempotency_key=form.cleaned_data["key"],
            )
        except DomainError as fault:
            problem = fault
        else:
            said = "is given back" if answer["state"] == RefundState.POSTED.value else "waits for a second person"
            messages.success(request, f"{answer['amount']} {answer['currency']} {said}.")
            return redirect("admin:account", account.code)
    return _show_form(request, "payment_form.html", f"Refund to {account.name or account.code}", form, account, problem)


@page()
def payment(request: StaffRequest, number: int) -> HttpResponse:
    """Show a payment with what it settles, and what may be done with it."""
    tenant_id = request.tenant.id
    row = get_payment(tenant_id=tenant_id, payment_id=number)
    found = describe_payment(row, read_operator(tenant_id).bill_number_prefix, tenant_id=tenant_id)
    context = make_money_context(request.tenant, actor=request.staff.username)
    mode = context.modes.get(row.mode)
    return show(
        request,
        "payment.html",
        page=PAGE,
        title=f"Payment {number}",
        row=row,
        p=found,
        mode=mode.name if mode else row.mode,
        is_own=row.recorded_by == request.staff.username,
        transfer_form=TransferForm(),
    )


@page(Right.WORK_ACCOUNTS, methods=("POST",))
def do(request: StaffRequest, number: int, deed: str) -> HttpResponse:
    """Cancel, move, approve or reject a payment."""
    reason = request.POST.get("reason", "")
    common: dict[str, Any] = {"tenant": request.tenant, "payment_id": number, "actor": request.staff.username}
    deeds: dict[str, tuple[Callable[[], Any], str]] = {
        "cancel": (lambda: cancel_payment(**common, reason=reason), "is cancelled; what it settled is open again"),
        "approve": (lambda: approve_payment(**common, reason=reason), "is approved and posted"),
        "reject": (lambda: reject_payment(**common, reason=reason), "is rejected"),
        "transfer": (
            lambda: transfer_payment(
                **common,
                to_account=request.POST.get("account", "").strip(),
                amount=request.POST.get("amount", "").strip() or None,
                reason=reason,
                idempotency_key=request.POST.get("key") or None,
            ),
            "is moved",
        ),
    }
    if deed not in deeds:
        raise PaymentUnknown(f"There is nothing called {deed!r} to do with a payment.", deed=deed)
    _try(request, *deeds[deed], f"Payment {number}")
    return redirect("admin:payment", number)


@page(Right.WORK_ACCOUNTS, methods=("POST",))
def decide_refund(request: StaffRequest, number: int, deed: str) -> HttpResponse:
    """Approve or reject a refund."""
    reason = request.POST.get("reason", "")
    common: dict[str, Any] = {"tenant": request.tenant, "refund_id": number, "actor": request.staff.username}
    get_refund(tenant_id=request.tenant.id, refund_id=number)
    if deed == "approve":
        _try(request, lambda: approve_refund(**common, reason=reason), "is given back", f"Refund {number}")
    else:
        _try(request, lambda: reject_refund(**common, reason=reason), "is rejected", f"Refund {number}")
    return redirect("admin:payments")


def _try(request: StaffRequest, act: Callable[[], Any], said: str, what: str) -> None:
    try:
        act()
    except DomainError as fault:
        report_problem(request, fault)
    else:
        messages.success(request, f"{what} {said}.")


def _find_bills(request: StaffRequest, account: AccountRow) -> list[tuple[str, str]]:
    """Return number and description of the account's bills that are not settled."""
    statement = get_account_statement(tenant=request.tenant, account_code=account.code, bills=BILLS_OFFERED, postings=1)
    found = []
    for bill in statement.bills:
        settlement = statement.settlements.get(bill.key)
        if settlement and settlement.unsettled_minor:
            number = compose_bill_number(statement.bill_number_prefix, bill.number)
            left = minor_to_decimal(settlement.unsettled_minor, account.currency)
            found.append((number, f"{number}: {left} open, due {bill.due_date}"))
    return found


def _show_form(
    request: StaffRequest,
    template: str,
    title: str,
    form: PaymentForm | RefundForm,
    account: AccountRow,
    problem: DomainError | None,
) -> HttpResponse:
    return show(
        request,
        template,
        page=PAGE,
        title=title,
        status=409 if problem else 422 if form.errors else 200,
        form=form,
        account_code=account.code,
        problem=problem,
    )
