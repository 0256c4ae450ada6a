"""Around every request of the API: its number, its headers, and no answer that is not JSON."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse

from coax.interfaces.api.rest.problems import MEDIA_TYPE, answer_problem, describe_status
from coax.interfaces.api.rest.request import Exchange, get_exchange

ADDRESS: Final = "/api/"
JSON_TYPES: Final = (MEDIA_TYPE, "application/json")


# The page that shows the document styles itself; it loads nothing from elsewhere, and may not.
CONTENT_POLICY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class ApiMiddleware:
    """Stands first, so that it sees whatever any other part answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ADDRESS):
            return self.get_response(request)
        exchange = get_exchange(request)
        response = _as_problem(request, self.get_response(request))
        _add_headers(response, exchange)
        return response


def _as_problem(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return a refusal that is no problem yet as one: a method, an address or a host that there is not."""
    content_type = response.headers.get("Content-Type", "")
    if response.status_code < HTTPStatus.BAD_REQUEST or content_type.startswith(JSON_TYPES):
        return response
    kept = {"Allow": ", ".join(sorted(response.headers["Allow"].split(", ")))} if "Allow" in response.headers else None
    return answer_problem(request, describe_status(HTTPStatus(response.status_code), headers=kept))


def _add_headers(response: HttpResponse, exchange: Exchange) -> None:
    response.headers["X-Request-Id"] = exchange.id
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    if exchange.is_repeated:
        response.headers["Idempotency-Replayed"] = "true"
    if exchange.limit is not None:
        response.headers["RateLimit-Limit"] = str(exchange.limit.requests_max)
        response.headers["RateLimit-Remaining"] = str(max(0, exchange.limit.remaining))
        response.headers["RateLimit-Reset"] = str(exchange.limit.reset_s)
