"""A program that calls the API: a token, requests as it would send them, answers as it would read them.

Every answer is held to what the OpenAPI document declares of its operation: status, media type, schema.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address
from itertools import count
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
from django.test import Client

from coax.base.clock import tenant_now
from coax.base.tenancy import Tenant, tenant_transaction
from coax.interfaces.api.rest.urls import api
from coax.party.operations.save_credentials import add_credential
from coax.party.types import ApiScope, CredentialKind, IssuedSecret

ROOT = "/api/v1"
FIRST_ADDRESS = IPv4Address("10.0.0.0")
_numbers = count(1)


@dataclass(frozen=True)
class Answered:
    """An answer: status, headers, what the body says."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["Content-Type"] == "application/problem+json", self.content
        assert self.json["status"] == self.status
        return self.json["code"]


@dataclass
class AnIntegrator:
    """A program with a secret; None asks without one. Each has an address of its own: others' failures are not its."""

    secret: str | None
    address: str = field(default_factory=lambda: str(FIRST_ADDRESS + next(_numbers)))
    client: Client = field(default_factory=lambda: Client(SERVER_NAME="localhost", raise_request_exception=False))

    def get(self, path: str, /, **query: Any) -> Answered:
        return self.ask("GET", path, query=query)

    def post(self, path: str, body: Any = None, /, *, key: str | None = None, **headers: str) -> Answered:
        return self.ask("POST", path, body={} if body is None else body, key=key, headers=headers)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        key: str | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Answered:
        sent = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        if key is not None:
            sent["Idempotency-Key"] = key
        text = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        address = f"{ROOT}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        answer = self.client.generic(
            method,
            address,
            text,
            content_type=content_type,
            headers={**sent, **(headers or {})},
            REMOTE_ADDR=self.address,
        )
        answered = Answered(answer.status_code, dict(answer.headers), answer.content)
        check_declared(method, f"{ROOT}{path}", answered)
        return answered


@cache
def _document() -> dict[str, Any]:
    return json.loads(json.dumps(api.get_openapi_schema(), default=str))


def check_declared(method: str, path: str, answer: Answered) -> None:
    """Hold an answer to its declaration; an address or a method that there is not is a problem."""
    document = _document()
    fitting = (known for known in document["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "(.+)", known), path))
    operation = document["paths"].get(max(fitting, key=len, default=""), {}).get(method.lower())
    if operation is None:
        assert answer.status in {404, 405}, answer
        assert answer.code in {"not_found", "method_not_allowed"}
        return
    declared = operation["responses"][str(answer.status)]["content"]
    media_type = answer.headers["Content-Type"].partition(";")[0]
    assert media_type in declared, (answer.status, media_type)
    if media_type.endswith("json"):
        schema = {**declared[media_type]["schema"], "components": document["components"]}
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(answer.json)


def a_credential(
    tenant: Tenant, *scopes: str, kind: CredentialKind = CredentialKind.TOKEN, name: str | None = None, **values: Any
) -> IssuedSecret:
    """A token or client with these scopes, or with all; committed."""
    with tenant_transaction(tenant.id):
        return add_credential(
            tenant_id=tenant.id,
            kind=kind,
            name=name or f"program-{next(_numbers)}",
            scopes=[ApiScope(scope) for scope in scopes] or list(ApiScope),
            actor="olga",
            now=tenant_now(tenant.id),
            **values,
        )


def an_integrator(tenant: Tenant, *scopes: str, **values: Any) -> AnIntegrator:
    """A program with a token of these scopes, or of all."""
    return AnIntegrator(a_credential(tenant, *scopes, **values).secret)


def ask_for_token(
    client_id: str, secret: str, *, basic: bool = True, address: str | None = None, **form: str
) -> Answered:
    """What the OAuth2 token endpoint answers to a client."""
    given = {"grant_type": "client_credentials", **form}
    headers = {}
    if basic:
        pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    else:
        given |= {"client_id": client_id, "client_secret": secret}
    body = urlencode({name: value for name, value in given.items() if value})
    client = AnIntegrator(None) if address is None else AnIntegrator(None, address)
    return client.ask(
        "POST", "/oauth/token", body=body, content_type="application/x-www-form-urlencoded", headers=headers
    )
