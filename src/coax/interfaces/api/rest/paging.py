"""Pages of lists by key: an opaque, signed cursor says after which row the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

from django.core import signing
from django.http import HttpRequest
from pydantic import Field

from coax.interfaces.api.rest.problems import refuse_field
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.values import Model

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500
CURSOR_CHARS_MAX: Final = 2000
PAGING: Final = frozenset({"cursor", "limit"})
Row = TypeVar("Row")
Item = TypeVar("Item")


class PageRequest(Model):
    """Which page of a list is wanted."""

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX, description="How many at most.")] = LIMIT_DEFAULT
    cursor: Annotated[
        str | None, Field(max_length=CURSOR_CHARS_MAX, description="`next` of the page before, unchanged.")
    ] = None


class Page(Model, Generic[Item]):
    """A page of a list in a fixed order."""

    data: list[Item]
    next: str | None = Field(description="Cursor of the next page; null on the last one.")


def read_place(request: ApiRequest, page: PageRequest) -> Any:
    """Return the place after which a page begins, as `make_page` kept it; None for the first one.

    Raises: ApiProblem.
    """
    if page.cursor is None:
        return None
    try:
        return signing.loads(page.cursor, salt=_salt(request))
    except signing.BadSignature:
        message = "it is not a cursor of this list and these filters"
        raise refuse_field("cursor_invalid", "cursor", page.cursor, message, "`next` of the page before") from None


def make_page(
    request: ApiRequest,
    page: PageRequest,
    rows: Sequence[Row],
    *,
    place: Callable[[Row], Any],
    describe: Callable[[Row], Any],
) -> dict[str, Any]:
    """Return a page of `rows`, of which one more than the limit was read; `place` is a row's place in the order."""
    shown = rows[: page.limit]
    is_last = len(rows) <= page.limit
    return {
        "data": [describe(row) for row in shown],
        "next": None if is_last else signing.dumps(place(shown[-1]), salt=_salt(request)),
    }


def cut_page(rows: Sequence[Row], page: PageRequest, after: Any, *, place: Callable[[Row], Any]) -> list[Row]:
    """Return what a query would of a list that is small enough to be read whole: what comes after, one too many."""
    later = [row for row in rows if after is None or place(row) > after]
    return later[: page.limit + 1]


def _salt(request: HttpRequest) -> str:
    """Return what binds a cursor to its list: the operator, the address and the filters."""
    filters = sorted((name, value) for name, value in request.GET.items() if name not in PAGING)
    return f"coax.api.cursor {request.caller.tenant_id} {request.path} {filters}"  # type: ignore[attr-defined]
