"""The forms of jobs: an order as its type asks for it, its plan, a line, the items of a line, its completion."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any, Final, cast

from django import forms

from coax.base.calendar import NAMED_FREQUENCIES
from coax.base.money import parse_micro
from coax.configuration.queries import find_versions
from coax.configuration.types.catalogue import Product, ProductClass
from coax.configuration.types.job_type import FulfilmentScope, JobType
from coax.interfaces.console.forms.action import find_products, find_schemes, make_choice, make_day
from coax.interfaces.console.forms.nodes import write_label
from coax.subscription.queries.locations import find_locations
from coax.subscription.rules.jobs import FULFILMENTS, ORDERED
from coax.subscription.types import SubscriptionRow
from coax.subscription.types.actions import Behaviour
from coax.subscription.types.jobs import (
    TEXT_CHARS_MAX,
    ItemOrder,
    JobOrder,
    JobRequest,
    JobRow,
    LineRequest,
    Plan,
    SaleOrder,
    ServiceOrder,
)

SERVICE_SCOPES: Final[dict[Behaviour, tuple[str, ...]]] = {
    Behaviour.ADD_SERVICE: ("product",),
    Behaviour.CANCEL_SERVICE: ("service",),
    Behaviour.SWAP_SERVICE: ("service", "product"),
}
GOOD: Final = "good-"
PLAN_FIELDS: Final = ("start_date", "expected_on", "location", "assigned_to", "contact_phone", "contact_email")


class OrderForm(forms.Form):
    """What a job of one type orders for one account."""

    def __init__(
        self,
        data: Any = None,
        *,
        job_type: JobType,
        subscriptions: Sequence[SubscriptionRow],
        tenant_id: int,
        today: date,
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        self.job_type = job_type
        self._fulfilment = FULFILMENTS[job_type.fulfilment]
        self._add_subscription(subscriptions)
        if "sale" in self._fulfilment.parts:
            self._add_sale(today)
        self._add_services(subscriptions, today)
        if "items" in self._fulfilment.parts:
            places = [(row["code"], row["name"]) for row in find_locations(tenant_id=tenant_id)]
            self._add("old_serial", forms.CharField(label="Serial number of the item taken back", max_length=200))
            self._add("return_to", _required("It goes to", places))
        if "location" in self._fulfilment.parts:
            self._add("move_to", forms.CharField(label="New location", max_length=TEXT_CHARS_MAX))
        self.goods = _goods(job_type, today)
        for code, name in self.goods:
            self._add(GOOD + code, forms.IntegerField(label=name, required=False, min_value=0, help_text="How many."))
        if len(job_type.schemes) > 1:
            named = [(code, code) for code in job_type.schemes]
            self._add("scheme", _required("Scheme", named))
        _add_plan(self.fields)
        self._add("is_draft", forms.BooleanField(label="Only keep a draft", required=False))
        self._add("reason", forms.CharField(label="Note", required=False, max_length=TEXT_CHARS_MAX))
        key = forms.CharField(widget=forms.HiddenInput, initial=lambda: uuid.uuid4().hex, max_length=64)
        self._add("key", key)

    def to_request(self, account_code: str) -> JobRequest:
        """Return the valid form as a request."""
        given = self.cleaned_data
        lines = [LineRequest(product=code, quantity=given[GOOD + code]) for code, _ in self.goods if given[GOOD + code]]
        return JobRequest(
            account_code=account_code,
            job_type=self.job_type.code,
            subscription_code=given.get("subscription") or None,
            scheme=given.get("scheme") or None,
            lines=tuple(lines),
            order=self._to_order(),
            plan=to_plan(given),
            is_draft=given["is_draft"],
            reason=given["reason"],
        )

    def _to_order(self) -> JobOrder:
        given = self.cleaned_data
        sale = None
        if "sale" in self._fulfilment.parts:
            sale = SaleOrder(
                subscription_type=given["subscription_type"],
                scheme=given["sale_scheme"] or None,
                products=tuple(given["products"]),
                price_plan=given["price_plan"] or None,
                frequency=given["frequency"] or None,
                binding_period=given["binding_period"] or None,
            )
        services: tuple[ServiceOrder, ...] = ()
        if "services" in self._fulfilment.parts:
            services = (
                ServiceOrder(service=given.get("service") or None, product=given.get("service_product") or None),
            )
        items: tuple[ItemOrder, ...] = ()
        if "items" in self._fulfilment.parts:
            items = (ItemOrder(old_serial=given["old_serial"], location=given["return_to"]),)
        return JobOrder(sale=sale, services=services, items=items, location=given.get("move_to", ""))

    def _add(self, name: str, field: forms.Field) -> None:
        self.fields[name] = field

    def _add_subscription(self, subscriptions: Sequence[SubscriptionRow]) -> None:
        if self.job_type.fulfilment is FulfilmentScope.NEW_SUBSCRIPTION:
            return
        codes = [(row.code, f"{row.code} ({write_label(row.state)})") for row in subscriptions]
        is_needed = self._fulfilment.is_of_subscription
        field = _required("Subscription", codes) if is_needed else make_choice("Subscription", codes, empty="None")
        self._add("subscription", field)

    def _add_sale(self, today: date) -> None:
        types, schemes = _active("subscription_type", today), find_schemes(today)
        names = [(code, write_label(code)) for code in NAMED_FREQUENCIES]
        self._add("subscription_type", _required("Subscription type", types))
        self._add("sale_scheme", make_choice("Scheme of the subscription", schemes, empty="The type's"))
        self._add(
            "products",
            forms.MultipleChoiceField(
                label="Services",
                required=False,
                choices=find_products(today),
                widget=forms.CheckboxSelectMultiple,
                help_text="What the new subscription holds; a package has its own.",
            ),
        )
        self._add("frequency", make_choice("Billing frequency", names, empty="The scheme's"))
        self._add("price_plan", make_choice("Price plan", _active("price_plan", today), empty="The scheme's"))
        self._add("binding_period", make_choice("Binding period", names, empty="None"))

    def _add_services(self, subscriptions: Sequence[SubscriptionRow], today: date) -> None:
        behaviour = self._fulfilment.behaviour
        sides = SERVICE_SCOPES.get(behaviour, ()) if behaviour else ()
        if "service" in sides:
            codes = sorted({service.code for row in subscriptions for service in row.services})
            self._add("service", _required("Service", [(code, code) for code in codes]))
        if "product" in sides:
            self._add("service_product", _required("New service", find_products(today)))


class PlanForm(forms.Form):
    """When and where a job is done, and by whom."""

    def __init__(self, data: Any = None, *, job: JobRow, **options: Any) -> None:
        super().__init__(data, initial={name: getattr(job, name) for name in PLAN_FIELDS}, **options)
        _add_plan(self.fields)


class LineForm(forms.Form):
    """A good or work that is added to a job."""

    def __init__(self, data: Any = None, *, job_type: JobType, today: date, **options: Any) -> None:
        super().__init__(data, prefix="line", **options)
        allowed = [code for code, _ in _goods(job_type, today)]
        choices = [
            (row.code, row.spec.name)
            for row in find_versions("product", today)
            if cast("Product", row.spec).class_ in ORDERED
            and row.spec.is_active
            and (cast("Product", row.spec).class_ is not ProductClass.PHYSICAL_GOOD or row.code in allowed)
        ]
        self.fields["product"] = _required("Product", choices)
        self.fields["quantity"] = forms.IntegerField(label="Quantity", min_value=1, initial=1)
        self.fields["price"] = forms.DecimalField(
            label="Agreed price of one", required=False, min_value=0, max_digits=12, decimal_places=6
        )
        if job_type.billable:
            self.fields["is_billed"] = forms.BooleanField(label="Charge it", required=False, initial=True)

    def to_request(self) -> LineRequest:
        """Return the valid form as a request."""
        given = self.cleaned_data
        return LineRequest(
            product=given["product"],
            quantity=given["quantity"],
            is_billed=given.get("is_billed", False),
            agreed_price_micro=parse_micro(given["price"]) if given["price"] is not None else None,
        )


def to_plan(given: dict[str, Any]) -> Plan:
    """Return what a form says of when, where and who."""
    return Plan(**{name: given[name] for name in PLAN_FIELDS if given.get(name) not in (None, "")})


def _required(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, initial=choices[0][0] if choices else "")


def _add_plan(fields: dict[str, forms.Field]) -> None:
    fields["start_date"] = make_day("Begins on", required=False)
    fields["expected_on"] = make_day("To be done by", required=False, help_text="Empty: as long as its type takes.")
    fields["location"] = forms.CharField(label="Where", required=False, max_length=TEXT_CHARS_MAX)
    fields["assigned_to"] = forms.CharField(label="Who does it", required=False, max_length=TEXT_CHARS_MAX)
    fields["contact_phone"] = forms.CharField(label="Customer's phone", required=False, max_length=TEXT_CHARS_MAX)
    fields["contact_email"] = forms.EmailField(label="Customer's e-mail", required=False, max_length=TEXT_CHARS_MAX)


def _goods(job_type: JobType, today: date) -> list[tuple[str, str]]:
    rows = find_versions("product", today)
    return [
        (row.code, row.spec.name)
        for row in rows
        if cast("Product", row.spec).class_ is ProductClass.PHYSICAL_GOOD
        and row.spec.is_active
        and (not job_type.physical_goods or row.code in job_type.physical_goods)
    ]


def _active(kind: str, today: date) -> list[tuple[str, str]]:
    return [(row.code, row.spec.name) for row in find_versions(kind, today) if row.spec.is_active]
