"""Problems by RFC 9457: what is refused, why, which field, which value, and what is allowed."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import psycopg
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic import Field

from coax.base.errors import DomainError
from coax.configuration.types.documents import ConfigurationRefused
from coax.interfaces.api.rest.request import get_exchange
from coax.interfaces.api.rest.values import Model
from coax.interfaces.statuses import status_of

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:coax:problem:"
VALUE_CHARS_MAX: Final = 200
ERRORS_MAX: Final = 100
_FIELD: Final = re.compile(r"^([a-z_]+): ")
_ALLOWED: Final = {
    "ge": "from {} on",
    "le": "up to {}",
    "min_length": "at least {} long",
    "max_length": "at most {} long",
    "pattern": "what matches {}",
    "expected": "{}",
}
_LOG: Final = logging.getLogger(__name__)


class FieldProblem(Model):
    """What is wrong with one field."""

    field: str = Field(description="Name of the field, with its place when it is nested.")
    message: str
    value: str | None = Field(default=None, description="The value as given, cut when it is long.")
    allowed: str | None = Field(default=None, description="What is allowed instead.")


class Problem(Model):
    """What is refused and why (RFC 9457). Nothing was changed."""

    type: str = Field(examples=["urn:coax:problem:account_unknown"])
    title: str = Field(description="The words of the status.")
    status: int
    code: str = Field(description="Stable; for programs.", examples=["account_unknown"])
    detail: str = Field(description="For people.")
    instance: str = Field(description="Number of this request, as in the server's log and in `X-Request-Id`.")
    errors: list[FieldProblem] = Field(default_factory=list)


class ApiProblem(Exception):
    """A problem of the request itself: who asks, how, too often."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers = list(errors), dict(headers or {})


def refuse_field(code: str, field: str, value: object, message: str, allowed: str | None = None) -> ApiProblem:
    """Return the problem of one field."""
    found = FieldProblem(field=field, message=message, value=_cut(value), allowed=allowed)
    return ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, code, f"{field}: {message}", errors=[found])


def answer_problem(request: HttpRequest, problem: ApiProblem) -> HttpResponse:
    """Return a problem as an answer."""
    status = problem.status
    body = Problem(
        type=f"{TYPE_PREFIX}{problem.code}",
        title=status.phrase,
        status=status.value,
        code=problem.code,
        detail=problem.detail,
        instance=f"urn:uuid:{get_exchange(request).id}",
        errors=problem.errors[:ERRORS_MAX],
    )
    text = json.dumps(body.model_dump(exclude_none=True), ensure_ascii=False)
    return HttpResponse(text, status=status, content_type=MEDIA_TYPE, headers=problem.headers)


def handle_problems(api: NinjaAPI) -> None:
    """Let `api` answer whatever its operations raise with a problem."""

    def install(kind: type[Exception], translate: Any) -> None:
        api.add_exception_handler(kind, lambda request, fault: answer_problem(request, translate(request, fault)))

    install(ApiProblem, lambda _, fault: fault)
    install(DomainError, _from_domain)
    install(ValidationError, _from_validation)
    install(HttpError, _from_http)
    install(RequestDataTooBig, lambda _, __: describe_status(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
    for kind in (DatabaseError, InterfaceError, psycopg.Error):
        install(kind, _from_database)
    install(Exception, _from_fault)


def describe_status(status: HTTPStatus, *, headers: Mapping[str, str] | None = None) -> ApiProblem:
    """Return a problem that is said by its status alone."""
    return ApiProblem(
        status,
        status.phrase.lower().replace(" ", "_").replace("-", "_"),
        status.description or f"{status.phrase}.",
        headers=headers,
    )


def _from_domain(request: HttpRequest, fault: DomainError) -> ApiProblem:
    status = status_of(fault)
    if status is HTTPStatus.NOT_FOUND and _is_named_by_values(request, fault):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("request %s failed", get_exchange(request).id, exc_info=fault)
    return ApiProblem(status, fault.code, fault.message, errors=_list_fields(fault))


def _is_named_by_values(request: HttpRequest, fault: DomainError) -> bool:
    """Tell whether something unknown was named in body or query, not by the address, which then leads somewhere."""
    wanted = {str(value) for value in fault.data.values() if value is not None}
    match = request.resolver_match
    if match and wanted & {str(value) for value in match.kwargs.values()}:
        return False
    given = [get_exchange(request).body, list(request.GET.values())]
    return bool(wanted & {str(value) for value in _walk(given) if value is not None})


def _walk(value: Any) -> list[Any]:
    """Return the values inside lists and objects."""
    if isinstance(value, dict):
        return [found for part in value.values() for found in _walk(part)]
    if isinstance(value, list):
        return [found for part in value for found in _walk(part)]
    return [value]


def _list_fields(fault: DomainError) -> list[FieldProblem]:
    if isinstance(fault, ConfigurationRefused):
        return [
            FieldProblem(
                field=found.path, message=found.message, value=found.value or None, allowed=found.allowed or None
            )
            for found in fault.problems
        ]
    match = _FIELD.match(fault.message)
    field = fault.data.get("field") or (match.group(1) if match else None) or next(iter(fault.data), None)
    if field is None:
        return []
    value = fault.data.get("value", fault.data.get(field))
    allowed = fault.data.get("allowed")
    return [FieldProblem(field=str(field), message=fault.message, value=_cut(value), allowed=_cut(allowed))]


def _from_validation(request: HttpRequest, fault: ValidationError) -> ApiProblem:  # noqa: ARG001 - the shape of all
    errors = [_describe_error(error) for error in fault.errors]
    first = errors[0]
    return ApiProblem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "request_invalid", f"{first.field}: {first.message}", errors=errors
    )


def _describe_error(error: Mapping[str, Any]) -> FieldProblem:
    """Return one mistake of pydantic's; `loc` begins with where it was given: body, query, header or path."""
    source, *place = error["loc"]
    names = [str(part) for part in (place[1:] if source == "body" else place)]
    context = error.get("ctx") or {}
    allowed = ", ".join(_ALLOWED[name].format(value) for name, value in context.items() if name in _ALLOWED) or None
    value = None if error["type"] == "missing" else _cut(error["input"])
    return FieldProblem(field=".".join(names) or str(source), message=error["msg"], value=value, allowed=allowed)


def _from_http(request: HttpRequest, fault: HttpError) -> ApiProblem:  # noqa: ARG001 - the shape of all
    cause = fault.__cause__
    if isinstance(cause, ApiProblem):
        return cause
    if isinstance(cause, RequestDataTooBig):
        return describe_status(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return ApiProblem(HTTPStatus(fault.status_code), "body_unreadable", str(fault))


def _from_database(request: HttpRequest, fault: Exception) -> ApiProblem:
    if isinstance(fault, DataError):
        return ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, "value_not_storable", "A value cannot be kept as it is.")
    if isinstance(fault, IntegrityError):
        return ApiProblem(HTTPStatus.CONFLICT, "refused_by_database", "The database refused this; nothing was changed.")
    if isinstance(fault, OperationalError | InterfaceError | psycopg.OperationalError):
        _LOG.error("request %s: the database does not answer: %s", get_exchange(request).id, fault)
        return ApiProblem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "database_lost",
            "The database does not answer or gave up; ask again with the same idempotency key.",
            headers={"Retry-After": "5"},
        )
    return _from_fault(request, fault)


def _from_fault(request: HttpRequest, fault: Exception) -> ApiProblem:
    _LOG.error("request %s failed", get_exchange(request).id, exc_info=fault)
    return ApiProblem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something went wrong on our side; nothing was changed. The server's log has this request by its number.",
    )


def _cut(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARS_MAX else f"{text[:VALUE_CHARS_MAX]}..."
