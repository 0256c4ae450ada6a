"""The parts of an action's form that are about what is used, and about what is taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, cast

from django import forms
from django.core.exceptions import ValidationError

from coax.base.instants import InstantInvalid, parse_instant
from coax.base.money import MICRO_SCALE, parse_micro
from coax.base.tenancy import Tenant
from coax.configuration.queries import find_versions
from coax.configuration.types.catalogue import Product, ProductClass
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.fields import PRICE_MAX
from coax.configuration.types.usage import UsageAttribute, UsageServiceCatalog, UsageType
from coax.interfaces.console.forms.nodes import write_label
from coax.subscription.queries.charges import find_charges
from coax.subscription.queries.usages import find_usages
from coax.subscription.rules.usage import DETAIL_CHARS_MAX, UNITS_MAX
from coax.subscription.types import SubscriptionRow
from coax.subscription.types.actions import Behaviour, UsageDetail
from coax.subscription.types.charges import ChargeRow, ChargeState, UsageRow

CHOICES_MAX: Final = 200
Choices = list[tuple[str, str]]
_INSTANTS: Final = (UsageAttribute.USED_FROM, UsageAttribute.USED_TO)
_LABELS: Final[Mapping[UsageAttribute, str]] = {
    UsageAttribute.USED_FROM: "Began at",
    UsageAttribute.USED_TO: "Ended at",
}
_HELP: Final[Mapping[UsageAttribute, str]] = {
    UsageAttribute.SOURCE_SYSTEM: "The system that tells of it.",
    UsageAttribute.REFERENCE: "What that system calls it: recorded once.",
    UsageAttribute.SOURCE: "Such as the calling number.",
    UsageAttribute.DESTINATION: "Such as the called number.",
}


class InstantField(forms.CharField):
    """An instant, typed as the operator's clocks show it."""

    def __init__(self, *, time_zone: str, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **options)
        self.time_zone = time_zone

    def clean(self, value: Any) -> datetime | None:
        """Return the instant in UTC."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_instant(text, time_zone=self.time_zone)
        except InstantInvalid as fault:
            raise ValidationError(fault.message) from fault


@dataclass(frozen=True, slots=True)
class _Usable:
    """What the configuration of a day lets be used."""

    products: dict[int, ConfigurationRow]
    catalogs: list[UsageServiceCatalog]
    types: list[UsageType]


def make_usage_fields(
    *, tenant: Tenant, subscription: SubscriptionRow, today: date
) -> tuple[dict[str, forms.Field], dict[str, forms.Field]]:
    """Return the fields of a usage: those that are always asked, and those that may be told."""
    usable = _find_usable(today)
    told = _make_told(usable, tenant.time_zone)
    asked = {attribute.value for kind in usable.types for attribute in kind.required}
    main = _make_main(usable, subscription) | {name: field for name, field in told.items() if name in asked}
    return main, {name: field for name, field in told.items() if name not in asked}


def take_usage(values: dict[str, Any]) -> UsageDetail:
    """Take what is told of a usage out of a form's values."""
    names = {field.name for field in fields(UsageDetail)} - {"amount_micro"}
    told = {name: values.pop(name) for name in names & values.keys()}
    amount: Decimal | None = values.pop("amount", None)
    return UsageDetail(**told, amount_micro=None if amount is None else parse_micro(amount))


def make_taken_back(
    behaviour: Behaviour, *, tenant: Tenant, subscription: SubscriptionRow, chosen: str
) -> forms.ChoiceField:
    """Return the choice of what is not taken back yet; `chosen` stands there from the beginning."""
    key: dict[str, Any] = {"tenant_id": tenant.id, "account_id": subscription.account_id}
    of = {**key, "subscription_id": subscription.subscription_id, "is_open": True, "limit": CHOICES_MAX}
    rows: Sequence[ChargeRow | UsageRow]
    is_usage = behaviour is Behaviour.CANCEL_SERVICE_USAGE
    rows = find_usages(**of) if is_usage else find_charges(**of)
    choices = [(row.code, _describe(row)) for row in rows]
    if chosen and chosen not in dict(choices):
        choices.append((chosen, chosen))
    label = "Usage" if is_usage else "Charge"
    help_text = "What is billed already is credited by the next run." if choices else "There is none to be taken back."
    initial = chosen or (choices[0][0] if choices else "")
    return forms.ChoiceField(label=label, choices=choices, initial=initial, help_text=help_text)


def _describe(row: ChargeRow | UsageRow) -> str:
    state = ", billed" if row.state is ChargeState.BILLED else ""
    return f"{row.performed_on}: {row.quantity:,} {row.product_name}{state} ({row.code})"


def _find_usable(today: date) -> _Usable:
    active = {
        kind: [row.spec for row in find_versions(kind, today) if row.spec.is_active]
        for kind in ("usage_service_catalog", "usage_type")
    }
    return _Usable(
        products={row.entity_id: row for row in find_versions("product", today)},
        catalogs=[cast("UsageServiceCatalog", spec) for spec in active["usage_service_catalog"]],
        types=[cast("UsageType", spec) for spec in active["usage_type"]],
    )


def _make_main(usable: _Usable, subscription: SubscriptionRow) -> dict[str, forms.Field]:
    entries = [entry for catalog in usable.catalogs for entry in catalog.entries]
    names = {row.code: row.spec.name for row in usable.products.values() if row.spec.is_active}
    products = [(code, names[code]) for code in dict.fromkeys(entry.product for entry in entries) if code in names]
    carriers = [
        (service.code, f"{service.code} ({write_label(service.state).lower()})")
        for service in subscription.services
        if service.product_id in usable.products
        and cast("Product", usable.products[service.product_id].spec).class_ is ProductClass.TERMED
    ]
    main: dict[str, forms.Field] = {
        "product_code": forms.ChoiceField(
            label="Service used",
            choices=products,
            initial=products[0][0] if products else "",
            help_text="" if products else "No active usage service catalog has a service.",
        ),
        "quantity": forms.IntegerField(label="Quantity", min_value=1, max_value=UNITS_MAX, initial=1),
        "service_code": _make_choice("Carried by", carriers, "The one that served on that day"),
    }
    if usable.types:
        kinds = [(kind.code, kind.name) for kind in usable.types]
        main["usage_type"] = forms.ChoiceField(label="Usage type", choices=kinds, initial=kinds[0][0])
    if len(products) < len(entries):
        catalogs = [(catalog.code, catalog.name) for catalog in usable.catalogs]
        main["catalog"] = _make_choice("Catalog", catalogs, "The only one that has it")
    if any(entry.pre_rated for entry in entries):
        main["amount"] = forms.DecimalField(
            label="Amount",
            required=False,
            min_value=0,
            max_value=PRICE_MAX,
            decimal_places=MICRO_SCALE,
            help_text="Only of what comes rated.",
        )
    main["is_billed"] = forms.BooleanField(label="Bill it", required=False, initial=True)
    return main


def _make_told(usable: _Usable, time_zone: str) -> dict[str, forms.Field]:
    told: dict[str, forms.Field] = {}
    for attribute in UsageAttribute:
        label = _LABELS.get(attribute, write_label(attribute.value))
        if attribute in _INSTANTS:
            told[attribute.value] = InstantField(label=label, required=False, time_zone=time_zone)
            continue
        help_text = _describe_allowed(usable.types, attribute) or _HELP.get(attribute, "")
        told[attribute.value] = forms.CharField(
            label=label, required=False, max_length=DETAIL_CHARS_MAX, help_text=help_text
        )
    return told


def _describe_allowed(types: Collection[UsageType], attribute: UsageAttribute) -> str:
    """Return which values the usage types allow of an attribute; those that allow all are left out."""
    plural = "categories" if attribute is UsageAttribute.CATEGORY else f"{attribute.value}s"
    listed = [(kind.name, getattr(kind, plural, ())) for kind in types]
    return " ".join(f"{name}: {', '.join(values)}." for name, values in listed if values)


def _make_choice(label: str, choices: Choices, empty: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[("", empty), *choices])
