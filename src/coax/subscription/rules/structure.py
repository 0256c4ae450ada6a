"""Structural rules of a subscription: what its type allows, and what the subscription definition asks (R62-R73).

They are checked on what the subscription would be after an action, and only where the action makes it so: an action
that does not add anything is never refused for what was there before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from coax.configuration.types.subscription_definition import CountScope, Dependency, ServiceKind
from coax.subscription.rules.bundle import check_bundles
from coax.subscription.rules.machine import LIVE_SERVICE
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, Effects, SubscriptionFacts
from coax.subscription.types.contracts import ENDED, SubscriptionState


def check_structure(request: ActionRequest, facts: SubscriptionFacts, effects: Effects, policy: Policy) -> None:
    """Refuse what would leave the subscription outside its type or the active definition. Raises: ActionRefused."""
    if effects.state is not None and effects.state in ENDED:
        return
    changed = {change.service.service_id: change.state for change in effects.services}
    before = [service.product_id for service in facts.services if service.state in LIVE_SERVICE]
    after = [s.product_id for s in facts.services if changed.get(s.service_id, s.state) in LIVE_SERVICE]
    after += [service.product_id for service in effects.new_services]
    if sorted(before) == sorted(after) and not any(change.is_first for change in effects.services):
        return
    if policy.definition is None:
        raise ActionRefused(
            "subscription_definition",
            f"{request.behaviour}: there is no active subscription definition; without one nothing is changed (R67).",
        )
    _check_type(facts, effects, policy)
    _check_counts(facts, after, policy)
    for dependency in policy.definition.service_dependencies:
        _check_dependency(dependency, facts, after, policy)
    _check_tiers(facts, after, policy)
    check_bundles(facts, effects, policy)


@dataclass(frozen=True, slots=True)
class Sold:
    """A subscription that an account has or had, with the products that are live."""

    code: str
    type_id: int | None
    is_live: bool
    products: tuple[int, ...]


def check_new_subscription(
    policy: Policy, *, account_code: str, type_code: str, scheme_code: str, products: list[int], sold: list[Sold]
) -> None:
    """Refuse a sale that type or definition do not allow: scheme, services, their numbers, dependencies, how many.

    Raises: ActionRefused.
    """
    if policy.definition is None:
        raise ActionRefused(
            "subscription_definition", "There is no active subscription definition; nothing is sold (R67)."
        )
    types = {kind.code: (key, kind) for key, kind in policy.types.items() if kind.is_active}
    if type_code not in types:
        listed = ", ".join(sorted(types)) or "none"
        raise ActionRefused("subscription_type", f"subscription_type: {type_code!r} is not known; allowed: {listed}.")
    type_id, kind = types[type_code]
    if scheme_code not in kind.schemes:
        raise ActionRefused("scheme", f"scheme: {scheme_code!r} is not allowed; allowed: {', '.join(kind.schemes)}.")
    _check_number(policy, account_code, type_code, sold)
    live = [one for one in sold if one.is_live]
    facts = SubscriptionFacts(
        subscription_id=0,
        account_id=0,
        code="(new)",
        type_id=type_id,
        state=SubscriptionState.DRAFT,
        created_on=date.max,
        changed_on=date.max,
        has_no_history=True,
        state_ends_on=None,
        grace_until=None,
        revision=0,
        account_state="active",
        classification_id=None,
        term=None,
        services=(),
        products_elsewhere=tuple(product for one in live for product in one.products),
    )
    _check_allowed(facts, products, policy)
    _check_counts(facts, products, policy)
    for dependency in policy.definition.service_dependencies:
        _check_dependency(dependency, facts, products, policy)
    _check_tiers(facts, products, policy)


def check_moved_subscription(policy: Policy, facts: SubscriptionFacts, *, account_code: str, sold: list[Sold]) -> None:
    """Refuse a move to an account that may not have another such subscription. Raises: ActionRefused."""
    kind = policy.type_of(facts)
    if kind is not None:
        _check_number(policy, account_code, kind.code, sold)
    elsewhere = tuple(product for one in sold if one.is_live for product in one.products)
    products = [service.product_id for service in facts.services if service.state in LIVE_SERVICE]
    _check_counts(replace(facts, products_elsewhere=elsewhere), products, policy)


def _check_number(policy: Policy, account_code: str, type_code: str, sold: list[Sold]) -> None:
    for rule in policy.definition.subscription_rules if policy.definition else ():
        if rule.subscription_types and type_code not in rule.subscription_types:
            continue
        counted = [
            one
            for one in sold
            if one.is_live and (not rule.subscription_types or _code_of(one, policy) in rule.subscription_types)
        ]
        if len(counted) >= rule.max_subscriptions:
            raise ActionRefused(
                "subscription_rules",
                f"Account {account_code} has {len(counted)} subscriptions; "
                f"the subscription definition allows {rule.max_subscriptions}.",
            )


def _code_of(one: Sold, policy: Policy) -> str | None:
    kind = policy.types.get(one.type_id) if one.type_id is not None else None
    return kind.code if kind else None


def _check_type(facts: SubscriptionFacts, effects: Effects, policy: Policy) -> None:
    _check_allowed(facts, [new.product_id for new in effects.new_services], policy)


def _check_allowed(facts: SubscriptionFacts, products: list[int], policy: Policy) -> None:
    kind = policy.type_of(facts)
    if kind is None or not kind.services:
        return
    for product_id in products:
        product = policy.products[product_id]
        allowed = [s.product or s.product_type for s in kind.services]
        if product.code not in allowed and (product.type is None or product.type not in allowed):
            listed = ", ".join(str(code) for code in allowed)
            raise ActionRefused(
                "subscription_type",
                f"product: {product.code!r} is not allowed by subscription type {kind.code!r}; allowed: {listed}.",
            )
        if kind.provisioning_distributors and product.distributor not in {None, *kind.provisioning_distributors}:
            listed = ", ".join(kind.provisioning_distributors)
            raise ActionRefused(
                "provisioning_distributors",
                f"product: {product.code!r} is switched by {product.distributor}; "
                f"subscription type {kind.code!r} allows: {listed}.",
            )


def _check_counts(facts: SubscriptionFacts, after: list[int], policy: Policy) -> None:
    kind = policy.type_of(facts)
    for rule in policy.definition.service_rules if policy.definition else ():
        if rule.subscription_types and (kind is None or kind.code not in rule.subscription_types):
            continue
        others = facts.products_elsewhere if rule.scope is CountScope.ACCOUNT else ()
        products = [product for product in (*after, *others) if _is_of(rule.distributor, product, policy)]
        counted = sum(_is_counted(rule.services, facts, product, policy) for product in products)
        most = "any number" if rule.maximum is None else str(rule.maximum)
        if counted < rule.minimum or (rule.maximum is not None and counted > rule.maximum):
            what = "services" if rule.services is ServiceKind.ANY else f"{rule.services} services"
            what += f" of {rule.distributor}" if rule.distributor else ""
            raise ActionRefused(
                "service_rules",
                f"Subscription {facts.code} would have {counted} {what} (counted over the {rule.scope}); "
                f"the subscription definition allows {rule.minimum} to {most}.",
            )


def _is_of(distributor: str | None, product_id: int, policy: Policy) -> bool:
    """Tell whether a rule of a distributor is about a product; a rule without one is about all."""
    product = policy.products.get(product_id)
    return distributor is None or (product is not None and product.distributor == distributor)


def _is_counted(kind: ServiceKind, facts: SubscriptionFacts, product_id: int, policy: Policy) -> bool:
    if kind is ServiceKind.ANY:
        return True
    return policy.is_mandatory(facts, product_id) == (kind is ServiceKind.MANDATORY)


def _check_dependency(dependency: Dependency, facts: SubscriptionFacts, after: list[int], policy: Policy) -> None:
    names = list(_names([product for product in after if _is_of(dependency.distributor, product, policy)], policy))
    dependent = [code for code, kind in names if code in dependency.products or kind in dependency.product_types]
    has_needed = any(
        code in dependency.require_products or kind in dependency.require_product_types for code, kind in names
    )
    if dependent and not has_needed:
        needed = ", ".join((*dependency.require_products, *dependency.require_product_types))
        raise ActionRefused(
            "service_dependencies",
            f"Subscription {facts.code} would have {dependent[0]!r} without one of: {needed} (R71).",
        )


def _check_tiers(facts: SubscriptionFacts, after: list[int], policy: Policy) -> None:
    """Refuse a service of a following tier without one of a leading tier of the same level."""
    tiers = policy.definition.service_tiers if policy.definition else ()
    held = {policy.products[product_id].code for product_id in after}
    leading = {tier.level for tier in tiers if tier.leading and tier.product in held}
    for tier in tiers:
        if not tier.leading and tier.product in held and tier.level not in leading:
            allowed = [other.product for other in tiers if other.leading and other.level == tier.level]
            raise ActionRefused(
                "service_tiers",
                f"Subscription {facts.code} would have {tier.product!r} of tier {tier.level} without one of: "
                f"{', '.join(allowed) or 'none'}.",
            )


def _names(products: list[int], policy: Policy) -> Iterator[tuple[str, str | None]]:
    for product_id in products:
        product = policy.products[product_id]
        yield product.code, product.type
