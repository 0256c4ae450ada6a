"""Actions on subscriptions: a form with preview for each, what was done, what is scheduled."""

from __future__ import annotations

from itertools import groupby

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from coax.base.clock import tenant_today
from coax.base.errors import DomainError
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.forms.action import ActionForm, SaleForm
from coax.interfaces.console.forms.nodes import write_label
from coax.interfaces.console.pages.page import page, show
from coax.interfaces.console.pages.visibility import find_visibility
from coax.interfaces.console.problems import report_problem
from coax.party.queries.accounts import get_account, get_account_code
from coax.party.types import Right
from coax.process.bills.compose import compose_document
from coax.process.subscription_actions.perform import (
    ActionPreview,
    call_off_action,
    describe_effects,
    preview_action,
    submit_action,
)
from coax.process.subscription_actions.replace import replace_subscription
from coax.process.subscription_actions.sell import sell_subscription
from coax.subscription.queries import find_subscriptions
from coax.subscription.queries.codes import SubscriptionUnknown, get_subscription_key
from coax.subscription.queries.due_actions import find_actions
from coax.subscription.types import SubscriptionRow
from coax.subscription.types.actions import ActionState, Behaviour

PAGE = "accounts"
CALENDAR_ROWS_MAX = 500


@page(Right.WORK_ACCOUNTS, methods=("GET", "HEAD", "POST"))
def act(request: StaffRequest, behaviour: str, code: str) -> HttpResponse:
    """Ask for an action, show what it would do, do it."""
    subscription, account_code = _find(request, code)
    if behaviour not in set(Behaviour):
        raise SubscriptionUnknown(f"There is no action {behaviour!r}.", behaviour=behaviour)
    kind = Behaviour(behaviour)
    if kind is Behaviour.REPLACE:
        return redirect("admin:replace", code)
    today = tenant_today(request.tenant.id)
    form = ActionForm(
        request.POST or None,
        behaviour=kind,
        subscription=subscription,
        tenant=request.tenant,
        today=today,
        charge=request.GET.get("charge", ""),
    )
    preview: ActionPreview | None = None
    problem: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            if "preview" not in request.POST:
                return _submit(request, form, account_code)
            preview = preview_action(tenant=request.tenant, request=form.to_request(), actor=request.staff.username)
        except DomainError as fault:
            problem = fault
    bill = preview.bill if preview else None
    return show(
        request,
        "action.html",
        page=PAGE,
        title=f"{write_label(kind.value)}: {code}",
        status=409 if problem else 200,
        form=form,
        sub=subscription,
        account_code=account_code,
        problem=problem,
        is_previewed=preview is not None,
        changes=describe_effects(preview.effects) if preview else [],
        d=compose_document(bill.facts) if bill and bill.facts else None,
    )


@page(Right.WORK_ACCOUNTS, methods=("GET", "HEAD", "POST"))
def sell(request: StaffRequest, code: str) -> HttpResponse:
    """Sell a subscription to an account."""
    account = get_account(request.tenant.id, code)
    form = SaleForm(request.POST or None, today=tenant_today(request.tenant.id))
    problem: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            answer, _ = sell_subscription(
                tenant=request.tenant,
                request=form.to_request(account.code),
                actor=request.staff.username,
                idempotency_key=form.cleaned_data["key"],
            )
        except DomainError as fault:
            problem = fault
        else:
            messages.success(request, f"Subscription {answer['subscription']} is {answer['state']}.")
            return redirect(f"{reverse('admin:account', args=[account.code])}#subs-head")
    return show(
        request,
        "sale.html",
        page=PAGE,
        title=f"Sell to {account.name or account.code}",
        status=409 if problem else 200,
        form=form,
        account_code=account.code,
        problem=problem,
    )


@page(Right.WORK_ACCOUNTS, methods=("GET", "HEAD", "POST"))
def replace(request: StaffRequest, code: str) -> HttpResponse:
    """Sell a subscription in place of another one."""
    _, account_code = _find(request, code)
    form = SaleForm(request.POST or None, today=tenant_today(request.tenant.id))
    problem: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            answer, _ = replace_subscription(
                tenant=request.tenant,
                code=code,
                request=form.to_request(account_code),
                actor=request.staff.username,
                idempotency_key=form.cleaned_data["key"],
            )
        except DomainError as fault:
            problem = fault
        else:
            messages.success(request, f"Subscription {answer['subscription']} goes on in place of {code}.")
            return redirect(f"{reverse('admin:account', args=[account_code])}#subs-head")
    return show(
        request,
        "sale.html",
        page=PAGE,
        title=f"In place of {code}",
        status=409 if problem else 200,
        form=form,
        account_code=account_code,
        problem=problem,
    )


@page()
def calendar(request: StaffRequest) -> HttpResponse:
    """Show the scheduled actions by their day."""
    found = find_actions(tenant_id=request.tenant.id, state=ActionState.SCHEDULED, limit=CALENDAR_ROWS_MAX)
    sight = find_visibility(request)
    rows = [row for row in found if sight.may_see_type(row.type_id)]
    today = tenant_today(request.tenant.id)
    days = [(day, list(found)) for day, found in groupby(rows, key=lambda row: row.performed_on)]
    return show(request, "calendar.html", page="calendar", title="Scheduled actions", days=days, today=today)


@page(Right.WORK_ACCOUNTS, methods=("POST",))
def call_off(request: StaffRequest, action_id: int) -> HttpResponse:
    """Call a scheduled action off."""
    try:
        call_off_action(tenant=request.tenant, action_id=action_id, actor=request.staff.username)
    except DomainError as fault:
        report_problem(request, fault)
    else:
        messages.success(request, f"Action {action_id} is called off.")
    return redirect("admin:calendar")


def _submit(request: StaffRequest, form: ActionForm, account_code: str) -> HttpResponse:
    answer, _ = submit_action(
        tenant=request.tenant,
        request=form.to_request(),
        actor=request.staff.username,
        idempotency_key=form.cleaned_data["key"],
    )
    name = write_label(form.behaviour.value)
    is_scheduled = answer["state"] == ActionState.SCHEDULED
    done = f"is scheduled for {answer['on']}" if is_scheduled else "is done"
    messages.success(request, f"{name} of {form.subscription.code} {done}.")
    return redirect(f"{reverse('admin:account', args=[account_code])}#subs-head")


def _find(request: StaffRequest, code: str) -> tuple[SubscriptionRow, str]:
    """Return a subscription and its account's code. Raises: SubscriptionUnknown."""
    key = get_subscription_key(tenant_id=request.tenant.id, code=code)
    rows = find_subscriptions(tenant_id=request.tenant.id, account_id=key.account_id)
    found = next(row for row in rows if row.subscription_id == key.subscription_id)
    if not find_visibility(request).may_see_type(found.type_id):
        raise SubscriptionUnknown(f"There is no subscription {code!r}.", subscription=code)
    return found, get_account_code(tenant_id=request.tenant.id, account_id=key.account_id)
