"""The fields of bundles: which one, and what it is to hold."""

from __future__ import annotations

from datetime import date
from typing import Final, cast

from django import forms

from coax.configuration.queries import find_versions
from coax.configuration.types.bundle import ProductBundle
from coax.subscription.rules.machine import LIVE_SERVICE
from coax.subscription.types import SubscriptionRow

_HOLDS: Final = "What it is to hold from that day on. None ticked: the bundle ends, its services go on by themselves."


def find_bundles(today: date) -> dict[int, ProductBundle]:
    """Return the active bundles by their keys."""
    rows = find_versions("product_bundle", today)
    return {row.entity_id: cast("ProductBundle", row.spec) for row in rows if row.spec.is_active}


def make_bundle_fields(subscription: SubscriptionRow, today: date) -> dict[str, forms.Field]:
    """Return the fields of an amendment; what the subscription's bundle holds now is ticked."""
    bundles = find_bundles(today)
    products = {row.entity_id: row for row in find_versions("product", today)}
    live = [service for service in subscription.services if service.state in LIVE_SERVICE and service.bundle_id]
    held = [products[service.product_id].code for service in live if service.product_id in products]
    first = next((bundle.code for bundle in bundles.values()), "")
    chosen = next((bundles[service.bundle_id].code for service in live if service.bundle_id in bundles), first)
    names = {row.code: row.spec.name for row in products.values()}
    codes = dict.fromkeys(code for bundle in bundles.values() for code in bundle.products)
    return {
        "bundle_code": forms.ChoiceField(
            label="Bundle", choices=[(bundle.code, bundle.name) for bundle in bundles.values()], initial=chosen
        ),
        "product_codes": forms.TypedMultipleChoiceField(
            label="Services",
            required=False,
            coerce=str,
            choices=[(code, names.get(code, code)) for code in codes],
            initial=held,
            widget=forms.CheckboxSelectMultiple,
            help_text=_HOLDS,
        ),
    }
