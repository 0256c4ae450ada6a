"""What every page does alike: ask for a right, name who acts, fill the frame around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from coax.base.audit import set_actor
from coax.base.tenancy import get_tenant_by_id
from coax.interfaces.console.access import Staff, StaffRequest
from coax.party.types import Right

P = ParamSpec("P")
Page = Callable[Concatenate[StaffRequest, P], HttpResponse]
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation; `page` is what its pages call themselves."""

    page: str
    title: str
    address: str
    right: Right = Right.READ


NAVIGATION: Final = (
    Link("dashboard", "Overview", "admin:index"),
    Link("accounts", "Accounts", "admin:accounts"),
    Link("payments", "Payments", "admin:payments"),
    Link("jobs", "Jobs", "admin:jobs"),
    Link("calendar", "Scheduled", "admin:calendar"),
    Link("processes", "Processes", "admin:processes"),
    Link("runs", "Billing runs", "admin:runs"),
    Link("bills", "Bills", "admin:bills"),
    Link("configuration", "Configuration", "admin:configuration"),
    Link("staff", "Staff", "admin:staff", Right.MANAGE_STAFF),
    Link("programs", "Programs", "admin:programs", Right.MANAGE_STAFF),
    Link("audit", "Audit trail", "admin:audit"),
)


def page(right: Right = Right.READ, *, methods: tuple[str, ...] = ("GET", "HEAD")) -> Callable[[Page[P]], View[P]]:
    """Make a view of a page that a reader with `right` may open, or write to with `methods`."""

    def decorate(function: Page[P]) -> View[P]:
        @wraps(function)
        def view(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method not in methods:
                return HttpResponse(status=405, headers={"Allow": ", ".join(methods)})
            own = cast("StaffRequest", request)
            own.staff = cast("Staff", request.user)
            own.tenant = get_tenant_by_id(own.staff.tenant_id)
            require_right(own, right)
            if request.method not in SAFE_METHODS:
                set_actor(own.staff.username)
            return function(own, *args, **kwargs)

        return cast("View[P]", view)

    return decorate


def require_right(request: StaffRequest, right: Right) -> None:
    """Refuse a reader whose role does not allow `right`."""
    if not request.staff.has_right(right):
        words = right.value.replace("_", " ")
        raise PermissionDenied(f"You work as {request.staff.role}; this needs the right to {words}.")


def show(
    request: StaffRequest, template: str, *, page: str, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    """Return a page in the console's frame."""
    return render(request, f"console/{template}", {"page": page, "title": title, **context}, status=status)


def frame_context(request: HttpRequest) -> dict[str, Any]:
    """Give templates what the frame needs: the operator, the reader's rights and the navigation."""
    staff = getattr(request, "staff", None)
    if staff is None:
        return {}
    rights = {right.value: staff.has_right(right) for right in Right}
    links = [link for link in NAVIGATION if staff.has_right(link.right)]
    return {"tenant": request.tenant, "staff": staff, "rights": rights, "navigation": links}  # type: ignore[attr-defined]
