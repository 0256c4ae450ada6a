"""A subscription as it stood on a day, as plain data with codes in place of keys."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any, Final

from coax.base.clock import tenant_today
from coax.base.tenancy import Tenant, tenant_transaction
from coax.configuration.queries import find_versions
from coax.party.queries.accounts import get_account_code
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.states import ServiceOnDay, TermOnDay, get_subscription_on

SCHEME: Final = "billing_term_scheme"


def describe_subscription(*, tenant: Tenant, code: str, on: date | None = None) -> dict[str, Any]:
    """Return state, contract and services at the end of a day, by default the operator's today.

    Raises: SubscriptionUnknown.
    """
    with tenant_transaction(tenant.id):
        key = get_subscription_key(tenant_id=tenant.id, code=code)
        day = on or tenant_today(tenant.id)
        found = get_subscription_on(account_id=key.account_id, subscription_id=key.subscription_id, on=day)
        account = get_account_code(tenant_id=tenant.id, account_id=key.account_id)
        versions = find_versions()
    names = {row.entity_id: row.code for row in versions}
    schemes = {row.version_id: row.code for row in versions if row.kind == SCHEME}
    return {
        "subscription": found.code,
        "account": account,
        "type": names.get(found.type_id) if found.type_id else None,
        "as_of": day,
        "state": found.state,
        "since": found.since,
        "grace_until": found.grace_until,
        "term": _describe_term(found.term, names, schemes) if found.term else None,
        "services": [_describe_service(service, names) for service in found.services],
    }


def _describe_term(term: TermOnDay, names: dict[int, str], schemes: dict[int, str]) -> dict[str, Any]:
    data = asdict(term)
    scheme, plan = data.pop("scheme_version_id"), data.pop("price_plan_id")
    return {"scheme": schemes.get(scheme, ""), "price_plan": names.get(plan, ""), **data}


def _describe_service(service: ServiceOnDay, names: dict[int, str]) -> dict[str, Any]:
    data = asdict(service)
    bundle_id = data.pop("bundle_id")
    head = {"service": data.pop("code"), "product": names.get(data.pop("product_id"), "")}
    return {**head, "bundle": names.get(bundle_id, "") if bundle_id else None, **data}
