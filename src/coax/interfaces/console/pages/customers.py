"""Change what is known of a customer: the contact of an account, and the account's terms."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from coax.base.errors import DomainError
from coax.configuration.queries import find_versions
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.forms.customer import ContactForm, SeenForm, TermsForm
from coax.interfaces.console.pages.page import page, show
from coax.party.operations.update_account import AccountTermsChanged
from coax.party.operations.update_contact import ContactChanged
from coax.party.queries.accounts import get_account
from coax.party.queries.contacts import get_contact
from coax.party.queries.stored import CONTACT_TEXTS
from coax.party.types import AccountRow, Right
from coax.process.change_account import CLASSIFICATION, TERMS, change_account, find_allowed_terms
from coax.process.change_contact import change_contact
from coax.process.describe_account import describe_account_row

PAGE = "accounts"
FORM_METHODS = ("GET", "HEAD", "POST")
UNPROCESSABLE = 422


@page(Right.WORK_ACCOUNTS, methods=FORM_METHODS)
def contact(request: StaffRequest, code: str) -> HttpResponse:
    """Change the contact of an account."""
    row = get_account(request.tenant.id, code)
    form = ContactForm(request.POST if request.method == "POST" else None, present=_read_texts(row))
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_contact(
                tenant=request.tenant,
                contact_code=row.contact_code,
                wanted=form.wanted,
                expected=form.expected,
                actor=request.staff.username,
            )
        except ContactChanged as problem:
            form.take(_read_texts(get_account(request.tenant.id, code)), problem.data["fields"])
        except DomainError as problem:
            _report(form, problem)
        else:
            return _finish(request, row, "The contact", changed)
    accounts = get_contact(tenant_id=request.tenant.id, code=row.contact_code).accounts
    others = [other for other in accounts if other != row.code]
    title = f"Contact of {row.name or row.code}"
    return _show(request, row, form, title=title, others=others, changes=("party_contact", row.contact_id))


@page(Right.WORK_ACCOUNTS, methods=FORM_METHODS)
def terms(request: StaffRequest, code: str) -> HttpResponse:
    """Change the terms of an account."""
    row = get_account(request.tenant.id, code)
    form = TermsForm(
        request.POST if request.method == "POST" else None,
        present=_read_terms(row),
        allowed=find_allowed_terms(request.tenant),
        currency=row.currency,
    )
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_account(
                tenant=request.tenant,
                account_code=code,
                wanted=form.wanted,
                expected=form.expected,
                actor=request.staff.username,
            )
        except AccountTermsChanged as problem:
            form.take(_read_terms(get_account(request.tenant.id, code)), problem.data["fields"])
        except DomainError as problem:
            _report(form, problem)
        else:
            return _finish(request, row, "The account", changed)
    title = f"Terms of {row.name or row.code}"
    return _show(request, row, form, title=title, others=[], changes=("party_account", row.account_id))


def _read_texts(row: AccountRow) -> dict[str, str]:
    return {name: getattr(row, name) for name in CONTACT_TEXTS}


def _read_terms(row: AccountRow) -> dict[str, Any]:
    described = describe_account_row(row, {found.entity_id: found.code for found in find_versions(CLASSIFICATION)})
    return {name: described[name] for name in TERMS}


def _report(form: SeenForm, problem: DomainError) -> None:
    """Say at its field what is refused."""
    field, allowed = problem.data.get("field"), problem.data.get("allowed")
    form.add_error(field, f"Allowed is: {allowed}." if field in form.fields and allowed else problem.message)


def _show(
    request: StaffRequest,
    row: AccountRow,
    form: SeenForm,
    *,
    title: str,
    others: list[str],
    changes: tuple[str, int],
) -> HttpResponse:
    return show(
        request,
        "customer_form.html",
        page=PAGE,
        title=title,
        status=UNPROCESSABLE if form.errors else 200,
        form=form,
        a=row,
        others=others,
        changes=changes,
    )


def _finish(request: StaffRequest, row: AccountRow, what: str, changed: tuple[str, ...]) -> HttpResponse:
    if changed:
        words = ", ".join(name.replace("_", " ") for name in changed)
        messages.success(request, f"{what} is changed: {words}.")
    else:
        messages.info(request, f"{what} stays as it was.")
    return redirect("admin:account", row.code)
