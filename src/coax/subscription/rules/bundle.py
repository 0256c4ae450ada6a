"""Product bundles of a subscription: what an amendment changes, and what must stay together (reference 2.7, 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coax.configuration.types.bundle import ProductBundle
from coax.subscription.rules.machine import LIVE_SERVICE
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, Effects, ServiceFacts, ServiceState, SubscriptionFacts
from coax.subscription.types.contracts import SubscriptionState


@dataclass(frozen=True, slots=True)
class BundlePlan:
    """What an amendment of a bundle does: services that end, that go over into it (or out of it), products that come.

    `bundle_id` is None where the bundle is dissolved.
    """

    bundle_id: int | None
    leaving: tuple[ServiceFacts, ...] = ()
    moving: tuple[ServiceFacts, ...] = ()
    added: tuple[str, ...] = ()


def plan_bundle(request: ActionRequest, facts: SubscriptionFacts, policy: Policy) -> BundlePlan:
    """Return what makes the bundle of a subscription hold the services that are wanted. Raises: ActionRefused."""
    bundle_id, bundle = _find_bundle(request, policy)
    members = [s for s in facts.services if s.bundle_id == bundle_id and s.state in LIVE_SERVICE]
    wanted = request.product_codes
    if not wanted:
        if not members:
            raise ActionRefused("bundle", f"bundle: subscription {facts.code} does not hold {bundle.code!r}.")
        return BundlePlan(None, moving=tuple(members))
    _check_wanted(bundle, wanted)
    held = {policy.products[member.product_id].code for member in members}
    others = {code: _find_outside(code, facts, policy) for code in wanted if code not in held}
    plan = BundlePlan(
        bundle_id,
        leaving=tuple(m for m in members if policy.products[m.product_id].code not in wanted),
        moving=tuple(service for service in others.values() if service),
        added=tuple(code for code, service in others.items() if service is None),
    )
    if plan == BundlePlan(bundle_id):
        raise ActionRefused("products", f"products: bundle {bundle.code!r} of {facts.code} holds just these.")
    return plan


def _find_bundle(request: ActionRequest, policy: Policy) -> tuple[int, ProductBundle]:
    for key, bundle in policy.bundles.items():
        if bundle.code == request.bundle_code and (bundle.is_active or not request.product_codes):
            return key, bundle
    listed = ", ".join(sorted(bundle.code for bundle in policy.bundles.values() if bundle.is_active)) or "none"
    raise ActionRefused("bundle", f"bundle: {request.bundle_code!r} is not known; allowed: {listed}.")


def _check_wanted(bundle: ProductBundle, wanted: Sequence[str]) -> None:
    unknown = [code for code in wanted if code not in bundle.products]
    if unknown or len(set(wanted)) < len(wanted):
        text = f"products: {', '.join(unknown or wanted)}: of bundle {bundle.code!r} each of these may be named once: "
        raise ActionRefused("products", f"{text}{', '.join(bundle.products)}.")
    _check_whole(bundle, wanted, f"bundle {bundle.code!r}")


def _check_whole(bundle: ProductBundle, held: Sequence[str], what: str) -> None:
    missing = [one.product for one in bundle.components if one.mandatory and one.product not in held]
    if missing:
        raise ActionRefused("product_bundles", f"products: {what} always holds {', '.join(missing)}.")
    chosen = sum(not one.mandatory and one.product in held for one in bundle.components)
    most = bundle.max_optional
    if chosen < bundle.min_optional or (most is not None and chosen > most):
        allowed = f"{bundle.min_optional} to {'all' if most is None else most}"
        raise ActionRefused(
            "product_bundles", f"products: {what} would hold {chosen} chosen services; allowed: {allowed}."
        )


def _find_outside(code: str, facts: SubscriptionFacts, policy: Policy) -> ServiceFacts | None:
    """Return the live service of a product that is to go over into the bundle, or None where there is none yet."""
    found = [s for s in facts.services if s.product_id == policy.product_ids[code] and s.state in LIVE_SERVICE]
    wanted = ServiceState.DRAFT if facts.state is SubscriptionState.DRAFT else ServiceState.EFFECTIVE
    free = [s for s in found if s.state is wanted and s.bundle_id is None]
    if found and not free:
        state = "in another bundle" if found[0].bundle_id else f"{found[0].state}, not {wanted}"
        raise ActionRefused("products", f"products: service {found[0].code} of {facts.code} is {state}.")
    return free[0] if free else None


def check_bundles(facts: SubscriptionFacts, effects: Effects, policy: Policy) -> None:
    """Refuse what would leave a bundle without what it always holds. Raises: ActionRefused."""
    changed = {change.service.service_id: change for change in effects.services}
    held: dict[int, list[str]] = {}
    for service in facts.services:
        change = changed.get(service.service_id)
        bundle_id = change.bundle_id if change else service.bundle_id
        if bundle_id is not None and (change.state if change else service.state) in LIVE_SERVICE:
            held.setdefault(bundle_id, []).append(policy.products[service.product_id].code)
    for new in effects.new_services:
        if new.bundle_id is not None:
            held.setdefault(new.bundle_id, []).append(policy.products[new.product_id].code)
    for bundle_id, products in held.items():
        bundle = policy.bundles[bundle_id]
        _check_whole(bundle, products, f"bundle {bundle.code!r} of {facts.code} (amend or dissolve it)")
