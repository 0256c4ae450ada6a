"""What the API says of itself: an OpenAPI 3.1 document with problems, scopes and headers, and a page to read it."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from ninja import NinjaAPI, Swagger
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema

from coax import __version__
from coax.interfaces.api.rest.parser import BodyParser
from coax.interfaces.api.rest.problems import MEDIA_TYPE, handle_problems
from coax.party.types import ApiScope

ROOT: Final = "/api/v1/"
TOKEN_ADDRESS: Final = "/api/v1/oauth/token"  # noqa: S105 - the address of it
DESCRIPTION: Final = """\
Everything that the command line and the console do with accounts, subscriptions, items, runs and bills.
Amounts are exact decimals in text, days are ISO dates in the operator's time zone, instants are in UTC.
"""
HEADERS: Final = {
    "X-Request-Id": ("Number of the request, as in the server's log.", "string"),
    "RateLimit-Limit": ("Requests allowed in a minute.", "integer"),
    "RateLimit-Remaining": ("Requests left in this minute.", "integer"),
    "RateLimit-Reset": ("Seconds until the next minute begins.", "integer"),
    "Retry-After": ("Seconds to wait.", "integer"),
    "Idempotency-Replayed": ("`true` when it was done before.", "string"),
}
OF_EVERY_ANSWER: Final = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
PROBLEM: Final = "#/components/schemas/Problem"
METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})


class RestApi(NinjaAPI):
    """Ninja's API with problems in place of its errors."""

    def __init__(self) -> None:
        super().__init__(
            title="Coax",
            version=__version__,
            description=DESCRIPTION,
            docs=Swagger({"validatorUrl": None}),
            docs_url="/docs",
            urls_namespace="rest",
            parser=BodyParser(),
        )
        handle_problems(self)
        self._document: OpenAPISchema | None = None

    def get_openapi_schema(
        self,
        *,
        path_prefix: str | None = None,
        path_params: dict[str, Any] | None = None,  # noqa: ARG002 - Ninja's signature
    ) -> OpenAPISchema:
        """Return the document, made once: the operations do not change while a server runs."""
        if self._document is None:
            document = super().get_openapi_schema(path_prefix=path_prefix or ROOT.strip("/"))
            document["components"] |= {"securitySchemes": _describe_security(), "headers": _describe_headers()}
            for operation in _operations(document):
                _describe_answers(operation)
            self._document = document
        return self._document

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        """Return what is wrong with parameters and body, with the values as given, which Ninja would leave out."""
        return ValidationError(
            [
                {**error, "loc": (context.model.__ninja_param_source__, *_place(context.model, error["loc"]))}
                for context in error_contexts
                for error in context.pydantic_validation_error.errors(include_url=False)
            ]
        )


def _place(model: Any, place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return where a value was given: a parameter's own name, not that of the model it is read into."""
    found: tuple[int | str, ...] = model.__ninja_flatten_map_reverse__.get(place, place)
    return found


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from (operation for method, operation in path.items() if method in METHODS)


def _describe_answers(operation: dict[str, Any]) -> None:
    """Say that refusals are problems, and which headers answers have."""
    is_keyed = any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
    for status, answer in operation["responses"].items():
        names = [*OF_EVERY_ANSWER, *_find_headers(HTTPStatus(status), is_keyed=is_keyed)]
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        content = answer["content"]
        if content.get("application/json", {}).get("schema", {}).get("$ref") == PROBLEM:
            content[MEDIA_TYPE] = content.pop("application/json")


def _find_headers(status: HTTPStatus, *, is_keyed: bool) -> tuple[str, ...]:
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return ("Retry-After",)
    return ("Idempotency-Replayed",) if is_keyed and status < HTTPStatus.BAD_REQUEST else ()


def _describe_headers() -> dict[str, Any]:
    return {name: {"description": words, "schema": {"type": kind}} for name, (words, kind) in HEADERS.items()}


def _describe_security() -> dict[str, Any]:
    scopes = {scope.value: _describe_scope(scope) for scope in ApiScope}
    flow = {"tokenUrl": TOKEN_ADDRESS, "scopes": scopes}
    return {
        "token": {"type": "http", "scheme": "bearer", "description": "A token made with `coax token add`."},
        "oauth2": {"type": "oauth2", "flows": {"clientCredentials": flow}},
    }


def _describe_scope(scope: ApiScope) -> str:
    what, _, verb = scope.partition(":")
    return f"{verb.capitalize()} {what}."
