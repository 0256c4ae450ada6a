"""Who works in the console: log-in by operator, user name and password, and what a page asks of its reader."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

from django import forms
from django.apps import apps
from django.contrib.auth import authenticate
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.http import HttpRequest

from coax.base.tenancy import Tenant, TenantUnknown, get_tenant, list_tenant_codes, set_tenant
from coax.party.types import Right

TENANT_KEY = "coax_tenant_id"
ATTEMPTS_MAX = 8
ATTEMPTS_WINDOW_S = 300


class Staff(Protocol):
    """A member of staff as pages know one."""

    pk: int
    tenant_id: int
    username: str
    full_name: str
    role: str
    is_authenticated: bool

    def has_right(self, right: Right) -> bool: ...


class StaffRequest(HttpRequest):
    """A request of somebody who has logged in, in the transaction of their operator."""

    tenant: Tenant
    staff: Staff


class OperatorBackend(BaseBackend):
    """Looks people up among the staff of one operator."""

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002 - Django passes it
        **credentials: Any,
    ) -> Any:
        """Return the member of staff with this password, in a transaction that now sees the operator."""
        username, password, operator = (credentials.get(name) for name in ("username", "password", "operator"))
        if not (username and password and operator):
            return None
        model = _staff_model()
        try:
            set_tenant(get_tenant(operator).id)
            user = model.objects.get(username=username)
        except (TenantUnknown, model.DoesNotExist):
            model().set_password(password)  # as slow as for somebody who exists
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> Any:
        """Return the active member of staff with this key; the open transaction sees one operator only."""
        model = _staff_model()
        return model.objects.filter(pk=user_id, is_active=True).first()


def _staff_model() -> Any:
    return apps.get_model("party", "StaffMember")


class LoginForm(AuthenticationForm):
    """Operator, user name and password; the operator is not asked for where there is only one."""

    operator = forms.CharField(max_length=64, strip=True, required=False)
    error_messages = {
        "invalid_login": "Operator, user name or password is wrong.",
        "too_many": "Too many attempts. Wait five minutes and try again.",
        "inactive": "Operator, user name or password is wrong.",
    }

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        codes = list_tenant_codes()
        self.only_operator = codes[0] if len(codes) == 1 else None

    def clean(self) -> dict[str, Any]:
        """Check who it is. Raises: ValidationError."""
        username = self.cleaned_data.get("username", "")
        operator = self.cleaned_data.get("operator") or self.only_operator or ""
        counter = f"log-in-{hashlib.sha256(f'{operator} {username}'.encode()).hexdigest()}"
        cache.add(counter, 0, ATTEMPTS_WINDOW_S)
        if cache.incr(counter) > ATTEMPTS_MAX:
            raise forms.ValidationError(self.error_messages["too_many"], code="too_many")
        self.user_cache = authenticate(
            self.request, username=username, password=self.cleaned_data.get("password", ""), operator=operator
        )
        if self.user_cache is None:
            raise self.get_invalid_login_error()
        cache.delete(counter)
        return self.cleaned_data
