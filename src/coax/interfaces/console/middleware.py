"""One transaction around a request, in which the operator of its session is visible and no other."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from coax.base.errors import DomainError
from coax.base.tenancy import set_tenant
from coax.interfaces.console.access import TENANT_KEY
from coax.interfaces.console.problems import show_problem

FAULT = 500
ADDRESS = "/console/"
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class SecureCookieMiddleware:
    """Lets cookies that were set over TLS travel over TLS only; without it, on one machine say, they are plain."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class OperatorMiddleware:
    """Opens the transaction, takes it back on a fault, and shows expected problems as pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ADDRESS):
            return self.get_response(request)
        with transaction.atomic():
            tenant_id = request.session.get(TENANT_KEY)
            if tenant_id is not None:
                set_tenant(tenant_id)
            response = self.get_response(request)
            if response.status_code >= FAULT:
                transaction.set_rollback(True)
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Take back what the request did; show an expected problem with its words."""
        if not request.path.startswith(ADDRESS):
            return None
        transaction.set_rollback(True)
        return show_problem(request, exception) if isinstance(exception, DomainError) else None
