"""Accounts: find them, see how one stands, preview its next bill, bill it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from coax.base.clock import tenant_today
from coax.base.errors import DomainError
from coax.billing.queries.bills import BillUnknown, get_bill
from coax.billing.types import RunCriteria
from coax.configuration.queries import find_versions
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.pages.charged import find_charged
from coax.interfaces.console.pages.page import page, show
from coax.interfaces.console.pages.visibility import find_visibility
from coax.interfaces.console.problems import report_problem
from coax.ledger.queries import STATEMENT_ROWS_MAX, find_entries
from coax.party.queries.accounts import PAGE_ROWS, find_accounts, get_account
from coax.party.types import AccountRow, Right
from coax.process.account_on_day import get_account_on
from coax.process.account_statement import BILLS_SHOWN, POSTINGS_SHOWN, get_account_statement
from coax.process.billing_run.bill_one import bill_individually
from coax.process.billing_run.plan import RunRequest
from coax.process.billing_run.preview import preview_bill
from coax.process.bills.compose import compose_document
from coax.process.bills.numbers import compose_bill_number, parse_bill_number
from coax.process.bills.reading import read_operator
from coax.rating.types import PPM
from coax.subscription.queries.due_actions import find_actions
from coax.subscription.queries.items import find_installed_items
from coax.subscription.queries.jobs import find_jobs
from coax.subscription.rules.machine import FOR_A_TIME, LIVE_SERVICE, TRANSITIONS
from coax.subscription.types import BillingTermRow, ServiceRow, SubscriptionRow
from coax.subscription.types.actions import Behaviour

PAGE = "accounts"
# What clerks do all day stands first; the rest is one click away.
COMMON = (
    Behaviour.ACTIVATE,
    Behaviour.END_RESTING,
    Behaviour.END_SHORT_TERM_ACTIVATION,
    Behaviour.END_SHORT_TERM_DEACTIVATION,
    Behaviour.SWAP_SERVICE,
    Behaviour.ADD_SERVICE,
    Behaviour.CANCEL_SERVICE,
    Behaviour.REST,
    Behaviour.DEACTIVATE,
    Behaviour.CANCEL,
)
# What an action is of no use without.
NEEDED = {
    Behaviour.AMEND_BUNDLE: "product_bundle",
    Behaviour.ADD_SERVICE_USAGE: "usage_service_catalog",
    Behaviour.CANCEL_SERVICE_USAGE: "usage_service_catalog",
}
WRITE = ("POST",)


class DayForm(forms.Form):
    """The day of the time machine."""

    on = forms.DateField()


class BillForm(forms.Form):
    """What Bill Account and its preview ask; what is left out follows from the run definition."""

    bill_as_of = forms.DateField(required=False, label="Bill as of")


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """A subscription with the names of what it holds."""

    row: SubscriptionRow
    type: str
    term: BillingTermRow | None
    scheme: str
    price_plan: str
    services: list[tuple[ServiceRow, str, bool]]
    actions: list[str]
    rare_actions: list[str]


@page()
def accounts(request: StaffRequest) -> HttpResponse:
    """Find accounts; a text that is one account's or bill's own number leads there at once."""
    text, after = request.GET.get("q", "").strip(), request.GET.get("after", "")
    found = find_accounts(tenant_id=request.tenant.id, text=text, after=after)
    if text and not after:
        exact = [row for row in found if row.code.lower() == text.lower()]
        if len(exact) == 1:
            return redirect("admin:account", exact[0].code)
        number = None if found else _find_bill(request, text)
        if number:
            return redirect("admin:bill", number)
    return show(
        request,
        "accounts.html",
        page=PAGE,
        title="Accounts",
        q=text,
        rows=found,
        next_after=found[-1].code if len(found) == PAGE_ROWS else "",
    )


@page()
def account(request: StaffRequest, code: str) -> HttpResponse:
    """Show an account: whose it is, what it has, what it owes."""
    is_whole = "all" in request.GET
    statement = get_account_statement(
        tenant=request.tenant,
        account_code=code,
        bills=STATEMENT_ROWS_MAX if is_whole else BILLS_SHOWN,
        postings=STATEMENT_ROWS_MAX if is_whole else POSTINGS_SHOWN,
    )
    names, sight = _Names(), find_visibility(request)
    found = find_jobs(tenant_id=request.tenant.id, account_id=statement.account.account_id)
    jobs = [row for row in found if sight.may_see_job(row)]
    subscriptions = [row for row in statement.subscriptions if sight.may_see_type(row.type_id)]
    charged = find_charged(
        tenant=request.tenant,
        account_id=statement.account.account_id,
        subscriptions=subscriptions,
        jobs={row.code for row in jobs},
        limit=STATEMENT_ROWS_MAX if is_whole else POSTINGS_SHOWN,
    )
    bills = [
        (compose_bill_number(statement.bill_number_prefix, bill.number), bill, statement.settlements.get(bill.key))
        for bill in statement.bills
    ]
    postings = [
        (row, compose_bill_number(statement.bill_number_prefix, row.bill_number) if row.bill_number else "")
        for row in statement.postings
    ]
    return show(
        request,
        "account.html",
        page=PAGE,
        title=statement.account.name or code,
        s=statement,
        a=statement.account,
        classification=names.entity(statement.account.classification_id),
        subscriptions=[names.view(row) for row in subscriptions],
        charged=charged,
        deeds=[
            row
            for row in find_actions(
                tenant_id=request.tenant.id,
                account_id=statement.account.account_id,
                limit=STATEMENT_ROWS_MAX if is_whole else POSTINGS_SHOWN,
            )
            if sight.may_see_type(row.type_id)
        ],
        jobs=jobs,
        job_types={row.code: row.spec.name for row in find_versions("job_type")},
        items=find_installed_items(tenant_id=request.tenant.id, account_id=statement.account.account_id),
        bills=bills,
        postings=postings,
        is_whole=is_whole or (len(bills) < BILLS_SHOWN and max(len(postings), len(charged)) < POSTINGS_SHOWN),
    )


@page()
def then(request: StaffRequest, code: str) -> HttpResponse:
    """Show how an account stood at the end of a day, and what had happened until then."""
    today = tenant_today(request.tenant.id)
    form = DayForm(request.GET or None)
    on = form.cleaned_data["on"] if form.is_valid() else today
    on = min(on or today, today)
    found = get_account_on(tenant=request.tenant, account_code=code, on=on)
    names, sight = _Names(), find_visibility(request)
    return show(
        request,
        "account_then.html",
        page=PAGE,
        title=found.account.name or code,
        then=found,
        a=found.account,
        subscriptions=[
            (
                one,
                names.version(one.term.scheme_version_id) if one.term else "",
                names.entity(one.term.price_plan_id) if one.term else "",
            )
            for one in found.subscriptions
            if sight.may_see_type(one.type_id)
        ],
        earlier=on - timedelta(days=1),
        later=on + timedelta(days=1) if on < today else None,
    )


@page()
def journal(request: StaffRequest, code: str) -> HttpResponse:
    """Show the journal of an account leg by leg, as it goes to the general ledger."""
    row = get_account(request.tenant.id, code)
    entries = find_entries(tenant_id=request.tenant.id, account_id=row.account_id, limit=STATEMENT_ROWS_MAX)
    prefix = read_operator(request.tenant.id).bill_number_prefix
    return show(
        request,
        "journal.html",
        page=PAGE,
        title=f"Journal of {row.name or code}",
        a=row,
        entries=[(e, compose_bill_number(prefix, e.bill_number) if e.bill_number else "") for e in entries],
        debit_minor=sum(entry.amount_minor for entry in entries if entry.amount_minor > 0),
        credit_minor=sum(-entry.amount_minor for entry in entries if entry.amount_minor < 0),
    )


@page(Right.WORK_ACCOUNTS)
def preview(request: StaffRequest, code: str) -> HttpResponse:
    """Show what a bill made now would hold; nothing is kept."""
    row = get_account(request.tenant.id, code)
    form = BillForm(request.GET)
    found, problem = None, None
    if form.is_valid():
        try:
            found = preview_bill(tenant=request.tenant, account_id=row.account_id, request=_request(request, form))
        except DomainError as fault:
            problem = fault
    return show(
        request,
        "preview.html",
        page=PAGE,
        title=f"Next bill of {row.name or code}",
        a=row,
        form=form,
        problem=problem,
        is_computed=found is not None,
        d=compose_document(found.facts) if found and found.facts else None,
        not_billed=found.not_billed if found else [],
    )


@page(Right.RUN_BILLING, methods=WRITE)
def bill_account(request: StaffRequest, code: str) -> HttpResponse:
    """Bill an account at once (R87)."""
    row = get_account(request.tenant.id, code)
    form = BillForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Bill as of: a date is wanted, such as 2026-09-01.")
        return redirect("admin:account", code)
    try:
        criteria = RunCriteria(account_ids=(row.account_id,))
        done = bill_individually(tenant=request.tenant, request=_request(request, form), criteria=criteria)
    except DomainError as problem:
        report_problem(request, problem)
        return redirect("admin:account", code)
    _tell(request, row, bills=done.sums["bills"], pending=done.sums["pending"], refused=done.sums["refused"])
    return redirect(f"{reverse('admin:account', args=[code])}#bills")


def _request(request: StaffRequest, form: BillForm) -> RunRequest:
    bill_as_of: date | None = form.cleaned_data["bill_as_of"]
    today = tenant_today(request.tenant.id)
    return RunRequest(execution_date=today, bill_as_of=bill_as_of, actor=request.staff.username)


def _tell(request: StaffRequest, row: AccountRow, *, bills: int, pending: int, refused: int) -> None:
    if bills:
        messages.success(request, f"{row.code} is billed.")
    elif pending:
        messages.info(
            request, f"{row.code} stays under the smallest debit: {pending} services wait, nothing is posted."
        )
    elif not refused:
        messages.info(request, f"Nothing of {row.code} is due.")
    if refused:
        messages.warning(request, f"{refused} services were refused; the run shows why.")


def _find_bill(request: StaffRequest, text: str) -> str:
    """Return the number of the bill that a text names, as people write it; empty for none."""
    prefix = read_operator(request.tenant.id).bill_number_prefix
    try:
        bill = get_bill(tenant_id=request.tenant.id, number=parse_bill_number(prefix, text))
    except (BillUnknown, DomainError):
        return ""
    return compose_bill_number(prefix, bill.number)


class _Names:
    """Names of configuration by key; read once per page."""

    def __init__(self) -> None:
        rows = find_versions()
        self._entities = {row.entity_id: row.spec.name for row in rows}
        self._versions = {row.version_id: f"{row.spec.name}, version {row.number}" for row in rows}
        kinds = {row.kind for row in rows if row.spec.is_active}
        self._useless = {behaviour for behaviour, kind in NEEDED.items() if kind not in kinds}

    def entity(self, entity_id: int | None) -> str:
        """Return the name of an entity; empty for none."""
        return "" if entity_id is None else self._entities.get(entity_id, f"({entity_id})")

    def version(self, version_id: int) -> str:
        """Return the name of a version, with its number."""
        return self._versions.get(version_id, "")

    def _name_service(self, service: ServiceRow) -> str:
        product = self.entity(service.product_id)
        is_bundled = service.bundle_id is not None and service.state in LIVE_SERVICE
        return f"{product} in {self.entity(service.bundle_id)}" if is_bundled else product

    def view(self, row: SubscriptionRow) -> SubscriptionView:
        """Return a subscription with its names; services ordered as stored, with whether they have ended."""
        term = row.billing_term or (row.billing_terms[-1] if row.billing_terms else None)
        allowed = [
            kind
            for kind, rule in TRANSITIONS.items()
            if row.state in rule.begins_from
            and not (kind is Behaviour.DEACTIVATE and row.state in FOR_A_TIME)
            and kind not in self._useless
        ]
        return SubscriptionView(
            row=row,
            type=self.entity(row.type_id),
            term=term,
            scheme=self._versions.get(term.scheme_version_id, "") if term else "",
            price_plan=self.entity(term.price_plan_id) if term else "",
            services=[
                (service, self._name_service(service), service.extra_discount_ppm == PPM) for service in row.services
            ],
            actions=[kind.value for kind in COMMON if kind in allowed],
            rare_actions=[kind.value for kind in allowed if kind not in COMMON],
        )
