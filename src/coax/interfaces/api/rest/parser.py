"""Reading bodies: JSON without floats, and only what is said to be JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from coax.interfaces.api.rest.problems import ApiProblem
from coax.interfaces.api.rest.request import get_exchange

JSON_TYPES: Final = frozenset({"application/json"})


class BodyParser(Parser):
    """Ninja's parser, strict."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body of a request. Raises: ApiProblem."""
        if request.content_type not in JSON_TYPES:
            raise ApiProblem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "media_type_unsupported",
                f"Content-Type: {request.content_type or 'none'} is not allowed; allowed is: application/json.",
                headers={"Accept": "application/json"},
            )
        try:
            text = request.body.decode("utf-8")
            body = json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_make_object)
        except (ValueError, RecursionError) as fault:
            raise ApiProblem(HTTPStatus.BAD_REQUEST, "body_unreadable", f"The body is no JSON: {fault}.") from fault
        get_exchange(request).body = body
        return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Raises: ValueError, when a name stands twice in it."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return made
