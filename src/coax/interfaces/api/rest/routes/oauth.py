"""The OAuth2 token endpoint: client credentials for a short-lived bearer token (RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote_plus

from django.http import HttpRequest, HttpResponse
from ninja import Router

from coax.base.clock import tenant_now
from coax.base.tenancy import tenant_transaction
from coax.interfaces.api.rest.access import count, refuse_many_failures, refuse_too_many
from coax.interfaces.api.rest.problems import Problem
from coax.interfaces.api.rest.values import Model
from coax.party.operations.save_credentials import ACCESS_TOKEN_S, issue_access_token
from coax.party.queries.credentials import find_caller, find_tenant_of_secret
from coax.party.rules import find_purpose
from coax.party.types import ApiScope, Caller, SecretPurpose

resource = Router(tags=["OAuth2"])
GRANT: Final = "client_credentials"
FORM: Final = "application/x-www-form-urlencoded"
# Those that stand twice are refused (RFC 6749 section 3.2); others than these are ignored.
READ: Final = ("grant_type", "client_id", "client_secret", "scope")
REQUEST_BODY: Final = {
    "required": True,
    "content": {
        FORM: {
            "schema": {
                "type": "object",
                "required": ["grant_type"],
                "properties": {
                    "grant_type": {"type": "string", "enum": [GRANT]},
                    "client_id": {"type": "string", "description": "Unless it is sent by HTTP Basic."},
                    "client_secret": {"type": "string", "description": "Unless it is sent by HTTP Basic."},
                    "scope": {"type": "string", "description": "Separated by spaces; by default all of the client's."},
                },
            }
        }
    },
}


class AccessToken(Model):
    """A bearer token, with what it opens and how long."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class OAuthProblem(Model):
    """A refusal as RFC 6749 section 5.2 wants it; this address alone does not answer with problems."""

    error: str
    error_description: str


class TokenRefused(Exception):
    """The token endpoint refuses; `error` is one of RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


@resource.post(
    "/token",
    response={200: AccessToken, 400: OAuthProblem, 401: OAuthProblem, **dict.fromkeys((413, 429, 500, 503), Problem)},
    operation_id="issue_token",
    openapi_extra={"requestBody": REQUEST_BODY},
)
def issue_token(request: HttpRequest) -> HttpResponse:
    """Exchange a client's id and secret for a bearer token."""
    try:
        answer = _issue(request)
    except TokenRefused as refusal:
        if refusal.error == "invalid_client":
            refuse_many_failures(request)
        return _refuse(refusal)
    return _answer(HTTPStatus.OK, answer)


def _issue(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != FORM:
        raise TokenRefused("invalid_request", f"Send the parameters as {FORM}.")
    twice = [name for name in READ if len(request.POST.getlist(name)) > 1]
    if twice:
        raise TokenRefused("invalid_request", f"{twice[0]} stands twice.")
    grant = request.POST.get("grant_type", "")
    if not grant:
        raise TokenRefused("invalid_request", f"grant_type is missing; allowed is: {GRANT}.")
    client_id, secret = _read_client(request)
    client = _find_client(request, client_id, secret)
    if grant != GRANT:
        raise TokenRefused("unsupported_grant_type", f"grant_type: {grant[:50]!r}; allowed is: {GRANT}.")
    scopes = _read_scopes(request.POST.get("scope", ""), client)
    with tenant_transaction(client.tenant_id):
        token = issue_access_token(client, scopes=scopes, now=tenant_now(client.tenant_id))
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_S,
        "scope": " ".join(sorted(scopes)),
    }


def _find_client(request: HttpRequest, client_id: str, secret: str) -> Caller:
    """Return the client and count its request. Raises: TokenRefused, ApiProblem."""
    tenant_id = find_tenant_of_secret(secret) if find_purpose(secret) is SecretPurpose.CLIENT else None
    client = None
    if tenant_id is not None:
        with tenant_transaction(tenant_id):
            now = tenant_now(tenant_id)
            client = find_caller(tenant_id=tenant_id, secret=secret, purpose=SecretPurpose.CLIENT, now=now)
            if client is not None:
                count(request, client)
    if client is None or not hmac.compare_digest(client.client_id or "", client_id):
        raise TokenRefused("invalid_client", "The client is unknown, or its secret is wrong.")
    refuse_too_many(request)
    return client


def _read_client(request: HttpRequest) -> tuple[str, str]:
    """Return id and secret, from HTTP Basic or from the body, never both (RFC 6749 section 2.3)."""
    header = request.headers.get("Authorization", "")
    given = (request.POST.get("client_id", ""), request.POST.get("client_secret", ""))
    if not header:
        if not all(given):
            raise TokenRefused("invalid_client", "Send client_id and client_secret.")
        return _ascii(given)
    if given[1]:
        raise TokenRefused("invalid_request", "Send the secret by HTTP Basic or in the body, not both.")
    scheme, _, encoded = header.partition(" ")
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        raise TokenRefused("invalid_client", "The Authorization header cannot be read.") from None
    if scheme.lower() != "basic" or not colon:
        raise TokenRefused("invalid_client", "The Authorization header is not HTTP Basic.")
    return _ascii((unquote_plus(name), unquote_plus(secret)))


def _ascii(given: tuple[str, str]) -> tuple[str, str]:
    """Return id and secret; ours are ASCII, and nothing else is compared."""
    if not all(text.isascii() for text in given):
        raise TokenRefused("invalid_client", "The client is unknown, or its secret is wrong.")
    return given


def _read_scopes(text: str, client: Caller) -> frozenset[ApiScope]:
    """Return the scopes asked for. Raises: TokenRefused, unless all are the client's."""
    asked = text.split()
    allowed = " ".join(sorted(client.scopes))
    unknown = [word for word in asked if word not in client.scopes]
    if unknown:
        raise TokenRefused("invalid_scope", f"scope: {unknown[0][:50]!r}; allowed are: {allowed}.")
    return frozenset(ApiScope(word) for word in asked) or client.scopes


def _refuse(refusal: TokenRefused) -> HttpResponse:
    is_client = refusal.error == "invalid_client"
    status = HTTPStatus.UNAUTHORIZED if is_client else HTTPStatus.BAD_REQUEST
    words = "".join(sign if " " <= sign <= "~" and sign not in '"\\' else "?" for sign in refusal.description)
    response = _answer(status, {"error": refusal.error, "error_description": words})
    if is_client:
        response.headers["WWW-Authenticate"] = 'Basic realm="coax"'
    return response


def _answer(status: HTTPStatus, body: dict[str, Any]) -> HttpResponse:
    """Return an answer that nobody keeps (RFC 6749 section 5.1)."""
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return HttpResponse(json.dumps(body), status=status, content_type="application/json", headers=headers)
