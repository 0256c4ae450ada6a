"""Sell a subscription: to an account that exists, at once or as a draft, by the rules of its type and definition."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from coax.base.clock import tenant_now, tenant_today
from coax.base.db import fetch_rows
from coax.base.idempotency import perform_once
from coax.base.ids import bucket_of
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.types.billing_term_definition import BillingTermRuleKind
from coax.configuration.types.billing_term_scheme import PaymentModel
from coax.party.queries.accounts import get_account
from coax.party.queries.staff import find_unit
from coax.party.types import AccountRow
from coax.process.import_subscribers import import_subscribers
from coax.process.subscription_actions.perform import perform_request
from coax.process.subscription_actions.standing import find_over_limit
from coax.subscription.operations.record_sale import record_sale
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.facts import find_subscription_keys
from coax.subscription.queries.policy import load_policy
from coax.subscription.queries.sold import find_sold
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.rules.structure import check_new_subscription
from coax.subscription.types.actions import ActionRequest, Behaviour

PRODUCTS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleRequest:
    """What is sold to whom; what is left out follows from type (a package has terms of its own), scheme and account.

    The products that a `bundle` has are sold as part of it, from the first day on.
    """

    account_code: str
    subscription_type: str
    products: tuple[str, ...]
    performed_on: date
    scheme: str | None = None
    subscription_code: str | None = None
    price_plan: str | None = None
    frequency: str | None = None
    cycle_day: int | None = None
    agreement_date: date | None = None
    binding_period: str | None = None
    binding_start_date: date | None = None
    is_draft: bool = False
    bundle: str | None = None
    reason: str = ""


def sell_subscription(
    *,
    tenant: Tenant,
    request: SaleRequest,
    actor: str,
    idempotency_key: str | None = None,
    asked: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], bool]:
    """Create a subscription with its contract and services; return its code and action, and if it was repeated.

    `asked` is what two requests with the same key have in common, by default the request itself. All of it is
    stored, or nothing.

    Raises: AccountUnknown, ActionRefused, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        return perform_once(
            tenant_id=tenant.id,
            operation="sell_subscription",
            key=idempotency_key,
            request=asked or asdict(request),
            action=lambda: _sell(tenant, request, actor),
            using=RUN_ALIAS,
        )


def _sell(tenant: Tenant, request: SaleRequest, actor: str) -> dict[str, Any]:
    account = get_account(tenant.id, request.account_code)
    _lock(account.account_id)
    today = tenant_today(tenant.id, using=RUN_ALIAS)
    if request.performed_on > today:
        raise ActionRefused("performed_on", f"performed_on: {request.performed_on} is to come; sell a draft today.")
    unit = find_unit(tenant_id=tenant.id, username=actor, using=RUN_ALIAS)
    policy = load_policy(today, unit=unit, using=RUN_ALIAS)
    request = check_sale(tenant, request, account, policy, using=RUN_ALIAS)
    code = request.subscription_code or _next_code(account)
    _store(tenant, request, code, today)
    key = get_subscription_key(tenant_id=tenant.id, code=code, using=RUN_ALIAS)
    action_id = record_sale(
        ActionRequest(
            subscription_code=code,
            behaviour=Behaviour.CREATE_DRAFT if request.is_draft else Behaviour.CREATE_ACTIVATE,
            performed_on=request.performed_on,
            reason=request.reason,
        ),
        tenant_id=tenant.id,
        account_id=key.account_id,
        subscription_id=key.subscription_id,
        actor=actor,
        now=tenant_now(tenant.id, using=RUN_ALIAS),
        using=RUN_ALIAS,
    )
    if request.bundle:
        _take_up_bundle(tenant, request, code, policy, actor)
    return {"subscription": code, "action": action_id, "state": "draft" if request.is_draft else "effective"}


def _take_up_bundle(tenant: Tenant, request: SaleRequest, code: str, policy: Policy, actor: str) -> None:
    """Let what was sold go over into its bundle on the first day; nothing of it was billed before."""
    bundle = next((one for one in policy.bundles.values() if one.code == request.bundle), None)
    chosen = tuple(product for product in request.products if bundle and product in bundle.products)
    taken = ActionRequest(
        subscription_code=code,
        behaviour=Behaviour.AMEND_BUNDLE,
        performed_on=request.performed_on,
        bundle_code=request.bundle,
        product_codes=chosen or request.products,
        reason=request.reason,
    )
    perform_request(tenant=tenant, request=taken, actor=actor, using=RUN_ALIAS)


def _lock(account_id: int) -> None:
    """Keep the account to this sale: what it has is counted, and may not change meanwhile.

    Whoever only refers to the account is not kept out: an import that holds the lock we ask for next may do so.
    """
    fetch_rows(
        "SELECT 1 FROM party_account WHERE bucket = %s AND account_id = %s FOR NO KEY UPDATE",
        [bucket_of(account_id), account_id],
        using=RUN_ALIAS,
    )


def check_sale(tenant: Tenant, request: SaleRequest, account: AccountRow, policy: Policy, *, using: str) -> SaleRequest:
    """Check that as things stand an account may be sold a subscription; return the sale with its type's terms.

    Raises: ActionRefused.
    """
    request = _take_terms(request, policy)
    if account.state != "active":
        raise ActionRefused("account_active", f"account: {account.code} is {account.state}; allowed is: active.")
    if not 1 <= len(request.products) <= PRODUCTS_MAX:
        text = f"products: {len(request.products)} are not allowed; allowed is 1 to {PRODUCTS_MAX}."
        raise ActionRefused("products", text)
    code = request.subscription_code
    if code and find_subscription_keys(tenant_id=tenant.id, codes={code}, using=using):
        raise ActionRefused("subscription_code", f"subscription_code: there is a subscription {code!r} already.")
    twice = [code for code, times in Counter(request.products).items() if times > 1]
    if twice:
        raise ActionRefused("products", f"products: {twice[0]!r} is named twice; say a quantity by its own action.")
    if not request.is_draft and find_over_limit([account.account_id], using=using):
        raise ActionRefused("credit_limit", f"account: {account.code} owes more than its credit limit (R115).")
    scheme = policy.schemes.get(policy.scheme_versions.get(request.scheme or "", -1))
    if scheme and scheme.payment_model is PaymentModel.PAY_BEFORE_BILL and not request.is_draft:
        text = f"scheme: {request.scheme!r} wants payment before activation (R52); sell a draft."
        raise ActionRefused("payment_model", text)
    if not request.is_draft and policy.asks_for_items:
        _check_conditions(request, policy)
    unknown = [code for code in request.products if code not in policy.product_ids]
    if unknown:
        raise ActionRefused("products", f"products: there is no product {unknown[0]!r}.")
    sold = find_sold(account_id=account.account_id, using=using)
    kinds = {kind.code: kind for kind in policy.types.values()}
    if not policy.may_see(kinds.get(request.subscription_type)):
        allowed = ", ".join(kinds[request.subscription_type].organisational_units)
        text = f"subscription_type: {request.subscription_type!r} is not for {policy.unit}; allowed units: {allowed}."
        raise ActionRefused("organisational_unit", text)
    check_new_subscription(
        policy,
        account_code=account.code,
        type_code=request.subscription_type,
        scheme_code=request.scheme or "",
        products=[policy.product_ids[code] for code in request.products],
        sold=sold,
    )
    return request


def _take_terms(request: SaleRequest, policy: Policy) -> SaleRequest:
    """Return a sale with the terms of its type: those of a package, or the only scheme there is (reference 2.4)."""
    kind = next((kind for kind in policy.types.values() if kind.code == request.subscription_type), None)
    if kind is None or kind.package is None:
        only = kind.schemes[0] if kind and len(kind.schemes) == 1 else None
        return replace(request, scheme=request.scheme or only)
    package = kind.package
    terms = {"scheme": package.scheme, "price_plan": package.price_plan, "binding_period": package.binding_period}
    for name, fixed in terms.items():
        given = getattr(request, name)
        if given and fixed and given != fixed:
            text = f"{name}: {given!r} is not allowed; package {kind.code!r} has {fixed!r}."
            raise ActionRefused("package", text)
    fixed_terms: dict[str, Any] = {name: value for name, value in terms.items() if value}
    begins = request.binding_start_date or (request.performed_on if package.binding_period else None)
    own = tuple(service.product for service in kind.services if service.mandatory and service.product)
    products = request.products or own
    return replace(request, **fixed_terms, binding_start_date=begins, products=products)


def _check_conditions(request: SaleRequest, policy: Policy) -> None:
    """Refuse to begin at once what needs an item first: nothing is installed on what does not exist yet."""
    for least in policy.definition.installed_item_rules if policy.definition else ():
        is_of_type = not least.subscription_types or request.subscription_type in least.subscription_types
        if least.minimum and is_of_type:
            named = ", ".join(least.physical_goods) or "items"
            text = f"products: needs {least.minimum} of {named} installed first; sell a draft, install, activate."
            raise ActionRefused("installed_item_rules", text)
    for rule in policy.rules:
        if rule.rule is not BillingTermRuleKind.ACTIVATION_CONDITION:
            continue
        is_spared = request.subscription_type in rule.exceptions.subscription_types
        is_of_scheme = not rule.schemes or request.scheme in rule.schemes
        is_about = not rule.products or set(rule.products) & set(request.products)
        if is_of_scheme and is_about and not is_spared:
            needed = ", ".join(rule.require_installed)
            text = f"products: needs one of these installed first: {needed}; sell a draft, install, activate."
            raise ActionRefused("activation_condition", text)


def _next_code(account: AccountRow) -> str:
    """Return a code that no subscription has: the account's, and the next number."""
    taken = {row.code for row in find_sold(account_id=account.account_id, using=RUN_ALIAS)}
    number = len(taken) + 1
    while f"{account.code}-{number}" in taken:
        number += 1
    return f"{account.code}-{number}"


def _store(tenant: Tenant, request: SaleRequest, code: str, today: date) -> None:
    """Store it the way an import does, so that everything is checked and dated alike."""
    common = {
        "account_code": request.account_code,
        "subscription_code": code,
        "subscription_type": request.subscription_type,
        "scheme": request.scheme,
        "price_plan": request.price_plan,
        "frequency": request.frequency,
        "cycle_day": request.cycle_day,
        "agreement_date": request.agreement_date or request.performed_on,
        "binding_period": request.binding_period,
        "binding_start_date": request.binding_start_date,
        "effective_from": request.performed_on,
    }
    rows = [{**common, "product": product, "service_code": product} for product in request.products]
    present = [{name: value for name, value in row.items() if value is not None} for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sale.ndjson"
        path.write_text("\n".join(json.dumps(row, default=str) for row in present), encoding="utf-8")
        outcome = import_subscribers(tenant=tenant, path=path, as_of=today)
    if outcome.is_refused or not outcome.subscriptions:
        problems = outcome.problems.to_dicts()
        said = [f"{p['field']}: {p['value']} {p['reason']}; allowed: {p['allowed']}" for p in problems[:1]]
        text = said[0] if said else f"subscription_code: there is a subscription {code!r} already."
        raise ActionRefused("sale", text)
