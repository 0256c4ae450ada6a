"""What every operation does alike: scope, declared answers, known parameters, one transaction, done once per key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from django.http import HttpRequest
from ninja import Router
from ninja.operation import Operation
from ninja.params.models import Header
from ninja.responses import Status
from pydantic import StringConstraints

from coax.base.audit import set_actor
from coax.base.idempotency import KEY_CHARS_MAX, perform_once
from coax.base.tenancy import get_tenant_by_id, tenant_transaction
from coax.interfaces.api.rest.access import Needs
from coax.interfaces.api.rest.problems import ApiProblem, FieldProblem, Problem
from coax.interfaces.api.rest.request import ApiRequest, get_exchange
from coax.interfaces.api.rest.values import Model
from coax.party.types import ApiScope

View = Callable[..., Any]
KEY_HEADER: Final = "Idempotency-Key"
KEY_ARGUMENT: Final = "idempotency_key"
KeyText = Annotated[str, StringConstraints(min_length=1, max_length=KEY_CHARS_MAX, pattern=r"^[\u0021-\u007e]+$")]
ALWAYS: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
OF_WRITES: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)


class Key(StrEnum):
    """What an operation does with an idempotency key.

    It is required where money or subscriptions are made. `..._BELOW`: the operation itself keeps it, in its own
    transaction, and says whether it was a repetition.
    """

    REQUIRED = "required"
    ACCEPTED = "accepted"
    REQUIRED_BELOW = "required_below"
    ACCEPTED_BELOW = "accepted_below"
    NONE = "none"

    @property
    def is_required(self) -> bool:
        """Whether a request without a key is refused."""
        return self in {Key.REQUIRED, Key.REQUIRED_BELOW}

    @property
    def is_kept_here(self) -> bool:
        """Whether the key is kept around the operation, in the transaction of the request."""
        return self in {Key.REQUIRED, Key.ACCEPTED}


class Resource(Router):
    """The operations of one resource; each is declared with its scope and its answer."""

    def __init__(self, name: str) -> None:
        super().__init__(tags=[name])

    def read(
        self, path: str, *, scope: ApiScope, answer: type[Model] | None, extra: Mapping[str, Any] | None = None
    ) -> Callable[[View], View]:
        """Declare an operation that changes nothing."""

        def decorate(view: View) -> View:
            responses = {HTTPStatus.OK.value: answer, **_problems(path)}
            self.get(path, **_declare(view, scope, extra), response=responses)(view)
            _take(view).view_func = _guard(view, _take(view))
            return view

        return decorate

    def write(
        self,
        path: str,
        *,
        scope: ApiScope,
        answer: type[Model],
        status: HTTPStatus = HTTPStatus.OK,
        key: Key = Key.ACCEPTED,
        method: str = "POST",
    ) -> Callable[[View], View]:
        """Declare an operation that changes something, or shows what it would change (`Key.NONE`)."""

        def decorate(view: View) -> View:
            if key is not Key.NONE:
                _add_key(view, is_required=key.is_required)
            responses = {status.value: answer, **_problems(path, *OF_WRITES)}
            self.api_operation([method], path, **_declare(view, scope, None), response=responses)(view)
            inner = _once(view, answer) if key.is_kept_here else view
            _take(view).view_func = _guard(inner, _take(view), is_write=True, status=status)
            return view

        return decorate


def _take(view: View) -> Operation:
    return cast("Operation", view._ninja_operation)  # type: ignore[attr-defined]  # noqa: SLF001 - where Ninja keeps it


def _declare(view: View, scope: ApiScope, extra: Mapping[str, Any] | None) -> dict[str, Any]:
    head, _, rest = (view.__doc__ or "").partition("\n")
    security = [{"token": [scope.value]}, {"oauth2": [scope.value]}]
    return {
        "auth": Needs(scope),
        "by_alias": True,
        "operation_id": view.__name__,
        "summary": head.rstrip("."),
        "description": " ".join(rest.split()) or None,
        "openapi_extra": {"security": security, **(extra or {})},
    }


def _problems(path: str, *more: HTTPStatus) -> dict[int, type[Problem]]:
    not_found = (HTTPStatus.NOT_FOUND,) if "{" in path else ()
    return {status.value: Problem for status in sorted({*ALWAYS, *not_found, *more})}


def _add_key(view: View, *, is_required: bool) -> None:
    words = "The same key does it only once, however often it is asked."
    source = Header(... if is_required else None, alias=KEY_HEADER, description=words)
    kind = KeyText if is_required else KeyText | None
    view._ninja_contribute_args = [(KEY_ARGUMENT, kind, source)]  # type: ignore[attr-defined]  # noqa: SLF001


def _guard(view: View, operation: Operation, *, is_write: bool = False, status: HTTPStatus = HTTPStatus.OK) -> View:
    """Put around a view what every one needs."""
    known = {
        name
        for model in operation.models
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    }

    @wraps(view)
    def guarded(request: ApiRequest, **values: Any) -> Any:
        _refuse_unknown(request, known)
        request.idempotency_key = values.pop(KEY_ARGUMENT, None)
        with tenant_transaction(request.caller.tenant_id):
            request.tenant = get_tenant_by_id(request.caller.tenant_id)
            if is_write:
                set_actor(request.caller.actor)
            answer = view(request, **values)
        return Status(status.value, answer) if is_write else answer

    return guarded


def _once(view: View, answer: type[Model]) -> View:
    """Keep the key of a write together with what it did."""

    def perform(request: ApiRequest, **values: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            return answer.model_validate(view(request, **values)).model_dump(mode="json", by_alias=True)

        done, is_repeated = perform_once(
            tenant_id=request.tenant.id,
            operation=f"api.{view.__name__}",
            key=request.idempotency_key,
            request=describe_request(request),
            action=act,
        )
        get_exchange(request).is_repeated = is_repeated
        return done

    return perform


def describe_request(request: ApiRequest) -> dict[str, Any]:
    """Return what was asked, as given: what makes two requests with one key the same."""
    return {"path": request.path, "body": get_exchange(request).body}


def _refuse_unknown(request: HttpRequest, known: set[str]) -> None:
    """Refuse parameters of the address that there are not, and those given twice. Raises: ApiProblem."""
    allowed = ", ".join(sorted(known)) or "none"
    wrong = [name for name, given in request.GET.lists() if name not in known or len(given) > 1]
    if not wrong:
        return
    errors = [
        FieldProblem(
            field=name[:KEY_CHARS_MAX],
            message="is given twice" if name in known else "is no parameter of this operation",
            allowed=allowed,
        )
        for name in wrong
    ]
    detail = f"{errors[0].field} {errors[0].message}; allowed are: {allowed}."
    raise ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, "parameter_unknown", detail, errors=errors)
