"""Programs: which may use the API, with what scopes; a secret is shown once, where it is made."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from coax.base.clock import start_of_day, tenant_now
from coax.base.errors import DomainError
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.pages.page import page, show
from coax.interfaces.console.problems import report_problem
from coax.party.operations.save_credentials import (
    GRACE_HOURS_MAX,
    add_credential,
    revoke_credential,
    rotate_credential,
)
from coax.party.queries.credentials import find_credentials
from coax.party.types import ApiScope, CredentialKind, IssuedSecret, Right

PAGE = "programs"
FORM_METHODS = ("GET", "HEAD", "POST")
UNPROCESSABLE = 422
GRACE_HOURS = 24
KINDS = (
    (CredentialKind.TOKEN.value, "Token: it sends its secret with every request"),
    (CredentialKind.CLIENT.value, "OAuth2 client: it exchanges its secret for tokens of an hour"),
)


class ProgramForm(forms.Form):
    """A program that may use the API."""

    name = forms.CharField(label="Name", max_length=64, help_text="Small letters, digits and . _ -")
    kind = forms.ChoiceField(label="How it proves who it is", choices=KINDS)
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(scope.value, scope.value) for scope in ApiScope],
        widget=forms.CheckboxSelectMultiple,
    )
    expires_on = forms.DateField(
        label="Expires on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="First day on which it is over; empty for never.",
    )


class RotationForm(forms.Form):
    """How long the present secret stays valid beside the new one."""

    grace_hours = forms.IntegerField(
        label="Hours for the present secret", min_value=0, max_value=GRACE_HOURS_MAX, initial=GRACE_HOURS
    )


@page(Right.MANAGE_STAFF)
def programs(request: StaffRequest) -> HttpResponse:
    """List the programs that may use the API."""
    found = [row for kind in CredentialKind for row in find_credentials(tenant_id=request.tenant.id, kind=kind)]
    rows = [(row, ", ".join(sorted(row.scopes))) for row in found]
    now = tenant_now(request.tenant.id)
    return show(request, "programs.html", page=PAGE, title="Programs", rows=rows, now=now)


@page(Right.MANAGE_STAFF, methods=FORM_METHODS)
def new_program(request: StaffRequest) -> HttpResponse:
    """Add a program, and show its secret."""
    form = ProgramForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        ends = given["expires_on"]
        try:
            issued = add_credential(
                tenant_id=request.tenant.id,
                kind=CredentialKind(given["kind"]),
                name=given["name"],
                scopes=[ApiScope(scope) for scope in given["scopes"]],
                actor=request.staff.username,
                now=tenant_now(request.tenant.id),
                expires_at=start_of_day(ends, request.tenant.time_zone) if ends else None,
            )
        except DomainError as problem:
            field = problem.data.get("field")
            form.add_error({"expires_at": "expires_on"}.get(cast("str", field), field), problem.message)
        else:
            return _show_secret(request, issued)
    return _show_form(request, form, "New program")


@page(Right.MANAGE_STAFF, methods=FORM_METHODS)
def rotate(request: StaffRequest, kind: str, name: str) -> HttpResponse:
    """Give a program a new secret, and show it."""
    form = RotationForm(request.POST or None, initial={"grace_hours": GRACE_HOURS})
    if request.method == "POST" and form.is_valid():
        issued = rotate_credential(
            tenant_id=request.tenant.id,
            kind=_get_kind(kind),
            name=name,
            grace_hours=form.cleaned_data["grace_hours"],
            now=tenant_now(request.tenant.id),
        )
        return _show_secret(request, issued)
    return _show_form(request, form, f"New secret for {name}")


@page(Right.MANAGE_STAFF, methods=("POST",))
def revoke(request: StaffRequest, kind: str, name: str) -> HttpResponse:
    """Revoke a program."""
    now = tenant_now(request.tenant.id)
    try:
        revoke_credential(tenant_id=request.tenant.id, kind=_get_kind(kind), name=name, now=now)
    except DomainError as problem:
        report_problem(request, problem)
    else:
        messages.success(request, f"{name} is revoked.")
    return redirect("admin:programs")


def _get_kind(text: str) -> CredentialKind:
    """Return a kind by its name. Raises: Http404."""
    if text not in set(CredentialKind):
        raise Http404(text)
    return CredentialKind(text)


def _show_secret(request: StaffRequest, issued: IssuedSecret) -> HttpResponse:
    return show(request, "program_secret.html", page=PAGE, title=f"Secret of {issued.name}", issued=issued)


def _show_form(request: StaffRequest, form: forms.Form, title: str) -> HttpResponse:
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "simple_form.html", page=PAGE, title=title, form=form, status=status)
