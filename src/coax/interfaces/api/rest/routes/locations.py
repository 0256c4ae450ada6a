"""Locations of stock."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from ninja import Query
from pydantic import Field

from coax.interfaces.api.rest.paging import Page, PageRequest, cut_page, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.resource import Resource
from coax.interfaces.api.rest.values import Code, Flag, Model
from coax.party.types import ApiScope
from coax.subscription.operations.location_add import add_location
from coax.subscription.queries.locations import find_locations

resource = Resource("Items")


class Location(Model):
    """A warehouse or shop."""

    location: str
    name: str
    is_consigned: bool
    organisational_unit: str | None


class LocationPage(Page[Location]):
    """A page of locations in the order of their codes."""


class NewLocation(Model):
    """A warehouse or shop to be added."""

    location: Code
    name: Code
    organisational_unit: Code | None = None
    is_consigned: Annotated[Flag, Field(description="What is there belongs to somebody else.")] = False


@resource.read("", scope=ApiScope.ITEMS_READ, answer=LocationPage)
def list_locations(request: ApiRequest, page: Query[PageRequest]) -> dict[str, Any]:
    """List the locations of stock."""
    after = read_place(request, page)
    rows = [_describe(row) for row in find_locations(tenant_id=request.tenant.id)]
    cut = cut_page(rows, page, after, place=_place)
    return make_page(request, page, cut, place=_place, describe=lambda row: row)


@resource.write("", scope=ApiScope.ITEMS_WRITE, answer=Location, status=HTTPStatus.CREATED)
def create_location(request: ApiRequest, body: NewLocation) -> dict[str, Any]:
    """Add a location of stock."""
    add_location(
        tenant_id=request.tenant.id,
        code=body.location,
        name=body.name,
        unit=body.organisational_unit,
        is_consigned=body.is_consigned,
    )
    return body.model_dump()


def _place(row: dict[str, Any]) -> str:
    return str(row["location"])


def _describe(row: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "is_consigned", "organisational_unit")
    return {"location": row["code"], **{name: row[name] for name in names}}
