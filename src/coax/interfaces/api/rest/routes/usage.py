"""Usage records: listed, and recorded as many as a source tells at once."""

from __future__ import annotations

from datetime import date
from typing import Any

from ninja import Query

from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.resource import Key, Resource
from coax.interfaces.api.rest.routes.usage_bodies import (
    RecordedUsages,
    UsageFilter,
    UsageRecord,
    UsagesToRecord,
    make_usage_request,
)
from coax.party.queries.accounts import get_account
from coax.party.types import ApiScope
from coax.process.describe_charges import describe_usage
from coax.process.import_usage import record_usages
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.usages import find_usages

resource = Resource("Usage")


class UsagePage(Page[UsageRecord]):
    """A page of usage records, the latest day first."""


@resource.read("", scope=ApiScope.SUBSCRIPTIONS_READ, answer=UsagePage)
def list_usage(request: ApiRequest, wanted: Query[UsageFilter], page: Query[PageRequest]) -> dict[str, Any]:
    """List usage records."""
    tenant_id = request.tenant.id
    account_id = get_account(tenant_id, wanted.account).account_id if wanted.account else None
    key = get_subscription_key(tenant_id=tenant_id, code=wanted.subscription) if wanted.subscription else None
    if key and account_id not in {None, key.account_id}:
        return make_page(request, page, [], place=str, describe=str)
    place = read_place(request, page)
    rows = find_usages(
        tenant_id=tenant_id,
        account_id=key.account_id if key else account_id,
        subscription_id=key.subscription_id if key else None,
        product=wanted.product,
        performed_from=wanted.performed_from,
        performed_to=wanted.performed_to,
        source_system=wanted.source_system,
        reference=wanted.reference,
        after=(date.fromisoformat(place[0]), place[1]) if place else None,
        limit=page.limit + 1,
    )
    return make_page(
        request,
        page,
        rows,
        place=lambda row: [row.performed_on.isoformat(), row.usage_id],
        describe=describe_usage,
    )


@resource.write("", scope=ApiScope.SUBSCRIPTIONS_WRITE, answer=RecordedUsages, key=Key.REQUIRED)
def add_usage(request: ApiRequest, body: UsagesToRecord) -> dict[str, Any]:
    """Record what was used; one that is refused keeps no other back.

    What its source told before, by `source_system` and `reference`, is known and not recorded again. The same key
    answers what was answered first: to tell again what was refused, take a new key.
    """
    done = record_usages(
        [make_usage_request(one) for one in body.usages], tenant=request.tenant, actor=request.caller.actor
    )
    refused = [
        {"index": one.place, "subscription": one.subscription, "rule": one.rule, "reason": one.reason}
        for one in done.refused
    ]
    return {"recorded": done.recorded, "known": done.known, "refused": refused}
