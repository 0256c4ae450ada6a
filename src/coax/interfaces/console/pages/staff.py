"""Staff: who may do what; and one's own password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpResponse
from django.shortcuts import redirect

from coax.base.errors import DomainError
from coax.configuration.queries import find_versions
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.pages.page import page, show
from coax.party.operations.save_staff import add_staff, change_staff, set_staff_password
from coax.party.queries.staff import find_staff, get_staff
from coax.party.types import RIGHTS_OF_ROLE, Right, StaffRole, StaffRow

PAGE = "staff"
FORM_METHODS = ("GET", "HEAD", "POST")
UNPROCESSABLE = 422
ROLES = [(role.value, role.value.capitalize()) for role in StaffRole]


class StaffForm(forms.Form):
    """A member of staff; the password may stay as it is."""

    username = forms.CharField(label="User name", max_length=64, help_text="Small letters, digits and . _ @ -")
    full_name = forms.CharField(label="Full name", max_length=200, required=False)
    email = forms.EmailField(label="E-mail", required=False)
    role = forms.ChoiceField(label="Role", choices=ROLES)
    organisational_unit = forms.ChoiceField(
        label="Organisational unit", required=False, help_text="Sees and sells what the types of subscriptions let it."
    )
    is_active = forms.BooleanField(label="May log in", required=False, initial=True)
    password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least ten characters, nothing common.",
    )

    def __init__(self, *values: Any, **options: Any) -> None:
        super().__init__(*values, **options)
        units = [(row.code, row.spec.name) for row in find_versions("organisational_unit") if row.spec.is_active]
        field = self.fields["organisational_unit"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", "None: everything"), *units]


class PasswordForm(forms.Form):
    """The present password and the new one, twice."""

    present = forms.CharField(
        label="Present password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="New password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least ten characters, nothing common.",
    )
    again = forms.CharField(
        label="New password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Check that the new password was typed alike."""
        if self.cleaned_data.get("new") != self.cleaned_data.get("again"):
            self.add_error("again", "This is not the same as above.")
        return self.cleaned_data


@page(Right.MANAGE_STAFF)
def staff(request: StaffRequest) -> HttpResponse:
    """List the staff, and what each role allows."""
    rights = [(role, sorted(right.value for right in RIGHTS_OF_ROLE[role])) for role in StaffRole]
    rows = find_staff(tenant_id=request.tenant.id)
    return show(request, "staff.html", page=PAGE, title="Staff", rows=rows, rights=rights)


@page(Right.MANAGE_STAFF, methods=FORM_METHODS)
def new_member(request: StaffRequest) -> HttpResponse:
    """Add a member of staff."""
    form = StaffForm(request.POST if request.method == "POST" else None)
    form.fields["password"].required = True
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            add_staff(
                tenant_id=request.tenant.id,
                username=given["username"],
                role=StaffRole(given["role"]),
                password=given["password"],
                full_name=given["full_name"],
                email=given["email"],
                organisational_unit=given["organisational_unit"],
            )
        except DomainError as problem:
            form.add_error("password" if problem.code == "password_weak" else "username", problem.message)
        else:
            messages.success(request, f"{given['username']} is added.")
            return redirect("admin:staff")
    return _show_form(request, form, "New member of staff")


@page(Right.MANAGE_STAFF, methods=FORM_METHODS)
def member(request: StaffRequest, username: str) -> HttpResponse:
    """Show a member of staff, and change one."""
    row = get_staff(tenant_id=request.tenant.id, username=username)
    if request.method != "POST":
        names = ("username", "full_name", "email", "role", "organisational_unit", "is_active")
        first = {name: getattr(row, name) for name in names}
        return _show_form(request, _fixed(StaffForm(initial=first)), username)
    form = _fixed(StaffForm({**request.POST.dict(), "username": username}))
    if form.is_valid() and _save(request, row, form):
        messages.success(request, f"{username} is saved.")
        return redirect("admin:staff")
    return _show_form(request, form, username)


@page(methods=FORM_METHODS)
def own_password(request: StaffRequest) -> HttpResponse:
    """Let the reader choose another password."""
    form = PasswordForm(request.POST if request.method == "POST" else None)
    user = request.user
    assert isinstance(user, AbstractBaseUser)  # noqa: S101 - nobody else gets here
    if request.method == "POST" and form.is_valid():
        if not user.check_password(form.cleaned_data["present"]):
            form.add_error("present", "This is not your present password.")
        elif _change_own(request, form):
            user.refresh_from_db()
            update_session_auth_hash(request, user)
            messages.success(request, "Your password is changed.")
            return redirect("admin:index")
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "simple_form.html", page="password", title="Change your password", form=form, status=status)


def _fixed(form: StaffForm) -> StaffForm:
    form.fields["username"].widget.attrs["readonly"] = True
    form.fields["password"].help_text = "Empty leaves it as it is. At least ten characters, nothing common."
    return form


def _save(request: StaffRequest, row: StaffRow, form: StaffForm) -> bool:
    given = form.cleaned_data
    try:
        change_staff(
            tenant_id=request.tenant.id,
            username=row.username,
            role=StaffRole(given["role"]),
            is_active=given["is_active"],
            full_name=given["full_name"],
            email=given["email"],
            organisational_unit=given["organisational_unit"],
        )
        if given["password"]:
            set_staff_password(tenant_id=request.tenant.id, username=row.username, password=given["password"])
    except DomainError as problem:
        form.add_error("password" if problem.code == "password_weak" else None, problem.message)
        return False
    return True


def _change_own(request: StaffRequest, form: PasswordForm) -> bool:
    try:
        set_staff_password(
            tenant_id=request.tenant.id, username=request.staff.username, password=form.cleaned_data["new"]
        )
    except DomainError as problem:
        form.add_error("new", problem.message)
        return False
    return True


def _show_form(request: StaffRequest, form: StaffForm, title: str) -> HttpResponse:
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "simple_form.html", page=PAGE, title=title, form=form, status=status)
