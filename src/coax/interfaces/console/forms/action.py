"""The form of an action on a subscription: the fields that its behaviour uses, from the state machine's own data."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import date
from typing import Any, Final, cast

from django import forms

from coax.base.calendar import NAMED_FREQUENCIES
from coax.base.tenancy import Tenant
from coax.configuration.queries import find_versions
from coax.configuration.types.action_type import ActionType
from coax.configuration.types.billing_term_scheme import BillingTermScheme, Classification
from coax.interfaces.console.forms.bundled import find_bundles, make_bundle_fields
from coax.interfaces.console.forms.charged import make_taken_back, make_usage_fields, take_usage
from coax.interfaces.console.forms.nodes import write_label
from coax.process.subscription_actions.sell import SaleRequest
from coax.subscription.rules.expense import CHARGED_ONCE, LOCATION_CHARS_MAX
from coax.subscription.rules.machine import TRANSITIONS
from coax.subscription.types import SubscriptionRow
from coax.subscription.types.actions import REASON_CHARS_MAX, ActionRequest, Amendment, Behaviour

CALENDAR: Final = {"type": "date"}
SOLD: Final = ("termed", "usage")
_UNITS: Final = "Units of its rate, such as hours of a technician."


class ActionForm(forms.Form):
    """What an action asks; dates are civil, in the operator's time zone."""

    def __init__(
        self,
        data: Any = None,
        *,
        behaviour: Behaviour,
        subscription: SubscriptionRow,
        tenant: Tenant,
        today: date,
        charge: str = "",
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        self.behaviour, self.subscription = behaviour, subscription
        self._further: set[str] = set()
        transition = TRANSITIONS[behaviour]
        self._add("performed_on", make_day("Day", initial=today, help_text="A later day than today schedules it."))
        if transition.needs_end:
            self._add("ends_on", make_day("Until", help_text="First day on which it is over."))
        if transition.is_of_service:
            codes = [(s.code, s.code) for s in subscription.services if s.state in transition.service_from]
            self._add(
                "service_code",
                forms.ChoiceField(label="Service", choices=codes, initial=codes[0][0] if codes else ""),
            )
        if transition.adds_service:
            self._add("product_code", forms.ChoiceField(label="New service", choices=find_products(today)))
        if transition.adds_service and not transition.is_of_service:
            self._add("quantity", forms.IntegerField(label="Quantity", min_value=1, initial=1))
        self._add_own(tenant, today, charge)
        self._add_types(today)
        self._add("reason", forms.CharField(label="Reason", required=False, max_length=REASON_CHARS_MAX))
        key = forms.CharField(widget=forms.HiddenInput, initial=lambda: uuid.uuid4().hex, max_length=64)
        self._add("key", key)

    @property
    def main_fields(self) -> list[forms.BoundField]:
        """Return the fields that are always shown."""
        return [field for field in self.visible_fields() if field.name not in self._further]

    @property
    def further_fields(self) -> list[forms.BoundField]:
        """Return those that are shown on request."""
        return [field for field in self.visible_fields() if field.name in self._further]

    @property
    def has_further_values(self) -> bool:
        """Tell whether something was said, or is wrong, in a field that is shown on request."""
        return any(field.errors or (self.is_bound and field.data) for field in self.further_fields)

    def to_request(self) -> ActionRequest:
        """Return the valid form as a request."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "key" and value not in ("", None)}
        if kind := values.pop("kind", ""):
            values["action_type"], _, values["sub_action_type"] = kind.partition("/")
        if "amendment" in values:
            values["amendment"] = Amendment(values["amendment"])
        if self.behaviour is Behaviour.ADD_SERVICE_USAGE:
            values["usage"] = take_usage(values)
        if self.behaviour is Behaviour.AMEND_BUNDLE:
            values["product_codes"] = tuple(values["product_codes"])
        return ActionRequest(subscription_code=self.subscription.code, behaviour=self.behaviour, **values)

    def _add(self, name: str, field: forms.Field) -> None:
        self.fields[name] = field

    def _add_own(self, tenant: Tenant, today: date, charge: str) -> None:
        """Add what only one behaviour asks."""
        if self.behaviour is Behaviour.AMEND_BILLING_TERM:
            self._add_contract(today)
        if self.behaviour is Behaviour.ADD_EXPENSE:
            self._add_expense(today)
        if self.behaviour in {Behaviour.CANCEL_EXPENSE, Behaviour.CANCEL_SERVICE_USAGE}:
            field = make_taken_back(self.behaviour, tenant=tenant, subscription=self.subscription, chosen=charge)
            self._add("charge_code", field)
        if self.behaviour is Behaviour.ADD_SERVICE_USAGE:
            main, further = make_usage_fields(tenant=tenant, subscription=self.subscription, today=today)
            self.fields |= {**main, **further}
            self._further = set(further)
        if self.behaviour is Behaviour.AMEND_BUNDLE:
            self.fields |= make_bundle_fields(self.subscription, today)
        if self.behaviour is Behaviour.CHANGE_LOCATION:
            location = forms.CharField(label="Location", max_length=LOCATION_CHARS_MAX, help_text="Where it is served.")
            self._add("location", location)
        if self.behaviour is Behaviour.CHANGE_ACCOUNT:
            help_text = "What was billed ahead is credited on the old account and billed on this one."
            self._add("account_code", forms.CharField(label="New account", max_length=64, help_text=help_text))

    def _add_types(self, today: date) -> None:
        """Let an own type be chosen where there are any; a sub-type is chosen with its type."""
        types = [cast("ActionType", row.spec) for row in find_versions("action_type", today) if row.spec.is_active]
        choices = []
        for kind in (kind for kind in types if kind.behaviour is self.behaviour):
            finer = [(f"{kind.code}/{one.code}", f"{kind.name}: {one.name}") for one in kind.sub_types]
            choices += finer or [(kind.code, kind.name)]
        if choices:
            self._add("kind", make_choice("Type", choices, empty=write_label(self.behaviour.value)))

    def _add_expense(self, today: date) -> None:
        self._add("product_code", forms.ChoiceField(label="Product", choices=find_products(today, CHARGED_ONCE)))
        self._add("quantity", forms.IntegerField(label="Quantity", min_value=1, initial=1))
        self._add("duration", forms.IntegerField(label="Duration", required=False, min_value=0, help_text=_UNITS))

    def _add_contract(self, today: date) -> None:
        choices = [(kind.value, write_label(kind.value)) for kind in Amendment]
        names = [(code, write_label(code)) for code in NAMED_FREQUENCIES]
        self._add(
            "amendment",
            forms.ChoiceField(label="Binding period", choices=choices, initial=Amendment.NONE.value),
        )
        self._add("scheme_code", make_choice("Scheme", find_schemes(today)))
        self._add("price_plan_code", make_choice("Price plan", _active("price_plan", today)))
        self._add("frequency", make_choice("Billing frequency", names))
        self._add("binding_period", make_choice("Length of the binding", names, "For a new, renewed or adjusted one."))
        self._add("binding_start_date", make_day("Binding from", required=False))
        self._add(
            "extension_days",
            forms.IntegerField(label="Days longer", required=False, min_value=1, help_text="For an extended one."),
        )
        self._add("agreement_date", make_day("Signed on", required=False))


class SaleForm(forms.Form):
    """What is sold; what is left out follows from scheme and account."""

    def __init__(self, data: Any = None, *, today: date, **options: Any) -> None:
        super().__init__(data, **options)
        names = [(code, write_label(code)) for code in NAMED_FREQUENCIES]
        types, schemes = _active("subscription_type", today), find_schemes(today)
        self.fields |= {
            "subscription_type": forms.ChoiceField(label="Subscription type", choices=types, initial=_first(types)),
            "scheme": make_choice("Scheme", schemes, empty="The type's"),
            "products": forms.MultipleChoiceField(
                label="Services",
                required=False,
                choices=find_products(today),
                widget=forms.CheckboxSelectMultiple,
                help_text="What it holds from its first day; a package has its own.",
            ),
            **_make_bundle(today),
            "frequency": make_choice("Billing frequency", names, empty="The scheme's"),
            "price_plan": make_choice("Price plan", _active("price_plan", today), empty="The scheme's"),
            "cycle_day": forms.IntegerField(label="Cycle day", required=False, min_value=1, max_value=31),
            "binding_period": make_choice("Binding period", names, empty="None"),
            "performed_on": make_day("From", initial=today),
            "is_draft": forms.BooleanField(label="Only lay down a draft", required=False),
            "reason": forms.CharField(label="Reason", required=False, max_length=REASON_CHARS_MAX),
            "key": forms.CharField(widget=forms.HiddenInput, initial=lambda: uuid.uuid4().hex, max_length=64),
        }

    def to_request(self, account_code: str) -> SaleRequest:
        """Return the valid form as a request."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "key" and value not in ("", None)}
        return SaleRequest(account_code=account_code, **{**values, "products": tuple(values.get("products", ()))})


def _make_bundle(today: date) -> dict[str, forms.Field]:
    """Return the choice of a bundle, where there are any."""
    choices = [(bundle.code, bundle.name) for bundle in find_bundles(today).values()]
    return {"bundle": make_choice("As a bundle", choices, empty="None")} if choices else {}


def _first(choices: list[tuple[str, str]]) -> str:
    return choices[0][0] if choices else ""


def make_day(label: str, **options: Any) -> forms.DateField:
    """Return a field for a civil day."""
    return forms.DateField(label=label, widget=forms.DateInput(attrs=CALENDAR, format="%Y-%m-%d"), **options)


def make_choice(
    label: str, choices: list[tuple[str, str]], help_text: str = "", *, empty: str = "As it is"
) -> forms.ChoiceField:
    """Return a field for one of some values, or none."""
    return forms.ChoiceField(label=label, required=False, choices=[("", empty), *choices], help_text=help_text)


def _active(kind: str, today: date) -> list[tuple[str, str]]:
    return [(row.code, row.spec.name) for row in find_versions(kind, today) if row.spec.is_active]


def find_schemes(today: date) -> list[tuple[str, str]]:
    """Return code and name of the active schemes of subscriptions."""
    return [
        (row.code, row.spec.name)
        for row in find_versions("billing_term_scheme", today)
        if row.spec.is_active and cast("BillingTermScheme", row.spec).classification is Classification.SUBSCRIPTIONS
    ]


def find_products(today: date, classes: Collection[str] = SOLD) -> list[tuple[str, str]]:
    """Return code and name of the active products of some classes."""
    rows = find_versions("product", today)
    return [(r.code, r.spec.name) for r in rows if r.spec.is_active and getattr(r.spec, "class_", "") in classes]
