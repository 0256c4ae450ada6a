"""A request of the API while it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.http import HttpRequest

from coax.base.tenancy import Tenant
from coax.party.types import Caller


@dataclass(frozen=True, slots=True)
class Limit:
    """How many requests a minute are allowed, how many are left, and in how many seconds it begins anew."""

    requests_max: int
    remaining: int
    reset_s: int


@dataclass(slots=True)
class Exchange:
    """What is known of a request beside its values; it becomes headers of the answer."""

    id: str = field(default_factory=lambda: str(uuid4()))
    limit: Limit | None = None
    is_repeated: bool = False
    body: Any = None


class ApiRequest(HttpRequest):
    """A request of a program that proved who it is, in the transaction of its operator."""

    exchange: Exchange
    caller: Caller
    tenant: Tenant
    idempotency_key: str | None


def get_exchange(request: HttpRequest) -> Exchange:
    """Return what is known of a request; the first to ask begins it."""
    found: Exchange | None = getattr(request, "exchange", None)
    if found is None:
        found = Exchange()
        request.exchange = found  # type: ignore[attr-defined]
    return found
