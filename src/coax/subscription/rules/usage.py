"""Recording that a service was used: of which catalog, on which carrying service, with what is to be told of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from coax.base.money import MICRO, micro_to_decimal
from coax.configuration.types.catalogue import ProductClass
from coax.configuration.types.fields import PRICE_MAX
from coax.configuration.types.usage import UsageAttribute, UsageEntry, UsageServiceCatalog
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, NewUsage, ServiceFacts, SubscriptionFacts, UsageDetail

UNITS_MAX: Final = 1_000_000_000
DETAIL_CHARS_MAX: Final = 200
_TOLD: Final = ("source_system", "reference", "source", "destination", "device", "method", "category")


def decide_usage(request: ActionRequest, facts: SubscriptionFacts, policy: Policy) -> NewUsage:
    """Return the usage that is recorded (R57, R107, reference 2.8). Raises: ActionRefused."""
    detail = request.usage or UsageDetail()
    product_id = policy.product_ids.get(request.product_code or "", -1)
    product = policy.products.get(product_id)
    if product is None or product.class_ is not ProductClass.USAGE:
        listed = ", ".join(sorted(p.code for p in policy.products.values() if p.class_ is ProductClass.USAGE)) or "none"
        text = f"product: {request.product_code!r} is not a usage service of this operator; there are: {listed}."
        raise ActionRefused("product", text)
    if not 1 <= request.quantity <= UNITS_MAX:
        text = f"quantity: {request.quantity} is not allowed; allowed is 1 to {UNITS_MAX}."
        raise ActionRefused("quantity", text)
    catalog_id, entry = _choose_catalog(request, detail, product.code, policy)
    _check_window(request, entry)
    _check_amount(detail, entry)
    _check_detail(detail)
    return NewUsage(
        service_id=_choose_carrier(request, facts, policy).service_id,
        product_id=product_id,
        catalog_id=catalog_id,
        usage_type_id=_check_type(detail, policy),
        on=request.performed_on,
        quantity=request.quantity,
        detail=detail,
    )


def _choose_catalog(
    request: ActionRequest, detail: UsageDetail, product: str, policy: Policy
) -> tuple[int, UsageEntry]:
    """Return the catalog that is named, or the only one that has the service."""
    found = [
        (key, catalog.code, entry)
        for key, catalog in policy.catalogs.items()
        if detail.catalog in {"", catalog.code} and (entry := catalog.find_entry(product))
    ]
    if len(found) == 1:
        return found[0][0], found[0][2]
    listed = ", ".join(sorted(_list_catalogs(product, policy))) or "none"
    what = f"{detail.catalog!r} has no" if detail.catalog else "name one;" if found else "no active one has"
    text = f"catalog: {what} {request.product_code!r}; those that have it: {listed}."
    raise ActionRefused("catalog", text)


def _list_catalogs(product: str, policy: Policy) -> Iterator[str]:
    catalog: UsageServiceCatalog
    for catalog in policy.catalogs.values():
        if catalog.find_entry(product):
            yield catalog.code


def _check_window(request: ActionRequest, entry: UsageEntry) -> None:
    on = request.performed_on
    is_early = entry.available_from is not None and on < entry.available_from
    is_late = entry.available_to is not None and on >= entry.available_to
    if is_early or is_late:
        until = f" until {entry.available_to}, which is no longer in it" if entry.available_to else ""
        text = f"performed_on: {entry.product!r} can be used from {entry.available_from or 'the beginning'}{until}."
        raise ActionRefused("performed_on", text)


def _check_amount(detail: UsageDetail, entry: UsageEntry) -> None:
    if entry.pre_rated and detail.is_billed and detail.amount_micro is None:
        raise ActionRefused("amount", f"amount: {entry.product!r} comes rated; say its amount.")
    if not entry.pre_rated and detail.amount_micro is not None:
        raise ActionRefused("amount", f"amount: {entry.product!r} is priced by its catalog; leave it out.")
    if detail.amount_micro is not None and not 0 <= detail.amount_micro <= int(PRICE_MAX) * MICRO:
        text = f"amount: {micro_to_decimal(detail.amount_micro)} is not allowed; allowed is 0 to {PRICE_MAX}."
        raise ActionRefused("amount", text)


def _check_detail(detail: UsageDetail) -> None:
    for name in _TOLD:
        if len(getattr(detail, name)) > DETAIL_CHARS_MAX:
            raise ActionRefused("length", f"{name}: allowed are up to {DETAIL_CHARS_MAX} characters.")
    if detail.reference and not detail.source_system:
        raise ActionRefused("source_system", "source_system: a reference is of a source system; name it.")
    if detail.used_from and detail.used_to and detail.used_to < detail.used_from:
        text = f"used_to: {detail.used_to} is before used_from, {detail.used_from}."
        raise ActionRefused("used_to", text)


def _check_type(detail: UsageDetail, policy: Policy) -> int | None:
    """Return the key of the usage type, and check what it asks; where there are none, none is named."""
    found = next((pair for pair in policy.usage_types.items() if pair[1].code == detail.usage_type), None)
    if found is None:
        listed = ", ".join(sorted(kind.code for kind in policy.usage_types.values())) or "none, leave it empty"
        if detail.usage_type or policy.usage_types:
            raise ActionRefused("usage_type", f"usage_type: {detail.usage_type!r} is not allowed; allowed: {listed}.")
        return None
    key, kind = found
    for attribute in kind.required:
        if not getattr(detail, attribute.value):
            raise ActionRefused(attribute.value, f"{attribute}: usage of type {kind.code!r} has to tell it.")
    allowed = {
        UsageAttribute.SOURCE_SYSTEM: kind.source_systems,
        UsageAttribute.METHOD: kind.methods,
        UsageAttribute.DEVICE: kind.devices,
        UsageAttribute.CATEGORY: kind.categories,
    }
    for attribute, values in allowed.items():
        told = getattr(detail, attribute.value)
        if told and values and told not in values:
            text = f"{attribute}: {told!r} is not allowed by usage type {kind.code!r}; allowed: {', '.join(values)}."
            raise ActionRefused(attribute.value, text)
    return key


def _choose_carrier(request: ActionRequest, facts: SubscriptionFacts, policy: Policy) -> ServiceFacts:
    """Return the termed service that carries the usage: the one named, or the only one that served on that day."""
    on = request.performed_on
    serving = [service for service in facts.services if _is_termed(service, policy) and _served_on(service, request)]
    named = [service for service in serving if request.service_code in {None, service.code}]
    if len(named) == 1:
        return named[0]
    listed = ", ".join(service.code for service in serving) or "none"
    asked = "name the one that carries it" if serving else "none served"
    what = f"{request.service_code!r} did not serve" if request.service_code else asked
    text = f"service: {what} on {on}; termed services of {facts.code} that did: {listed}."
    raise ActionRefused("service", text, subscription=facts.code)


def _is_termed(service: ServiceFacts, policy: Policy) -> bool:
    product = policy.products.get(service.product_id)
    return product is not None and product.class_ is ProductClass.TERMED


def _served_on(service: ServiceFacts, request: ActionRequest) -> bool:
    on = request.performed_on
    return any(start <= on and (end is None or on < end) for start, end in service.served)
