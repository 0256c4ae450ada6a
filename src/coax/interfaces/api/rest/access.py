"""Who asks: bearer tokens, the scope that an operation needs, how much a program may ask and how often fail."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, cast

from django.conf import settings
from django.http import HttpRequest

from coax.base.clock import now_utc, tenant_now
from coax.base.tenancy import tenant_transaction
from coax.interfaces.api.rest.problems import ApiProblem
from coax.interfaces.api.rest.request import ApiRequest, Limit, get_exchange
from coax.party.operations.count_failure import count_failure
from coax.party.operations.count_request import count_request
from coax.party.queries.credentials import find_caller, find_tenant_of_secret
from coax.party.rules import find_purpose
from coax.party.types import ApiScope, Caller, SecretPurpose

REALM: Final = 'Bearer realm="coax"'
FAILURES_PER_MINUTE_MAX: Final = 30  # of authentications, per address of a client
OPENS_API: Final = frozenset({SecretPurpose.TOKEN, SecretPurpose.ACCESS})


class Needs:
    """Asks of a request a token that opens a scope; Ninja calls it before it reads anything else."""

    def __init__(self, scope: ApiScope) -> None:
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Caller:
        """Return who asks. Raises: ApiProblem, when nobody known does, too often, or without the scope."""
        caller = cast("ApiRequest", request).caller = _identify(request)
        if self.scope not in caller.scopes:
            raise ApiProblem(
                HTTPStatus.FORBIDDEN,
                "insufficient_scope",
                f"{caller.name!r} has not the scope {self.scope}; it has: {' '.join(sorted(caller.scopes))}.",
                headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{self.scope}"'},
            )
        return caller


def _identify(request: HttpRequest) -> Caller:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        refuse_many_failures(request)
        raise ApiProblem(
            HTTPStatus.UNAUTHORIZED,
            "token_missing",
            "Send a token: Authorization: Bearer coax_token_...",
            headers={"WWW-Authenticate": REALM},
        )
    purpose = find_purpose(secret)
    tenant_id = find_tenant_of_secret(secret) if purpose in OPENS_API else None
    caller = None
    if purpose is not None and tenant_id is not None:
        with tenant_transaction(tenant_id):
            now = tenant_now(tenant_id)
            caller = find_caller(tenant_id=tenant_id, secret=secret, purpose=purpose, now=now)
            if caller is not None:
                count(request, caller)  # kept, whatever becomes of the request
    if caller is None:
        refuse_many_failures(request)
        raise ApiProblem(
            HTTPStatus.UNAUTHORIZED,
            "token_invalid",
            "The token is unknown, expired or revoked.",
            headers={"WWW-Authenticate": f'{REALM}, error="invalid_token"'},
        )
    refuse_too_many(request)
    return caller


def count(request: HttpRequest, caller: Caller) -> None:
    """Count a request of a program; the answer's headers show what is left."""
    requests, reset_s = count_request(caller, now=now_utc())
    most = settings.API_REQUESTS_PER_MINUTE
    get_exchange(request).limit = Limit(most, most - requests, reset_s)


def refuse_too_many(request: HttpRequest) -> None:
    """Refuse a counted request beyond the limit. Raises: ApiProblem."""
    limit = get_exchange(request).limit
    if limit is not None and limit.remaining < 0:
        raise ApiProblem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_requests",
            f"More than {limit.requests_max} requests in a minute; go on in {limit.reset_s} seconds.",
            headers={"Retry-After": str(limit.reset_s)},
        )


def refuse_many_failures(request: HttpRequest) -> None:
    """Count a failed authentication of the client's address, and refuse one too many. Raises: ApiProblem.

    Who sends a good token is never counted here, whatever others at its address do. Behind a proxy that is not
    named to `coax serve` all clients have the proxy's address, and share its failures.
    """
    address = request.META.get("REMOTE_ADDR", "")
    failures, reset_s = count_failure(address, most=FAILURES_PER_MINUTE_MAX, now=now_utc())
    if failures > FAILURES_PER_MINUTE_MAX:
        raise ApiProblem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_failures",
            f"More than {FAILURES_PER_MINUTE_MAX} requests without a valid token in a minute; "
            f"go on in {reset_s} seconds.",
            headers={"Retry-After": str(reset_s)},
        )
