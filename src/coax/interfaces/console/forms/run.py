"""The form that asks for a billing run (reference 4.1)."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from coax.base.calendar import NAMED_FREQUENCIES
from coax.billing.types import RunCriteria, RunStep
from coax.configuration.queries import find_versions
from coax.configuration.types.receivable_definition import DUE_DAYS_MAX
from coax.interfaces.console.forms.nodes import write_label
from coax.process.billing_run.plan import RunRequest

CRITERIA: Final = {
    "schemes": "billing_term_scheme",
    "subscription_types": "subscription_type",
    "classifications": "account_classification",
}
DUE_RULES: Final = (
    ("", "As defined"),
    ("day_of_next_month", "A day of the next month"),
    ("days_after_transaction", "Days after the transaction date"),
    ("fixed_date", "A date"),
)
STEPS: Final = (
    (RunStep.IDENTIFICATION.value, "Identification"),
    (RunStep.RATING.value, "Rating"),
    (RunStep.INVOICING.value, "Invoicing"),
    (RunStep.ASSEMBLING.value, "Assembling, to look at the bills first"),
    (RunStep.FORMATTING.value, "Posting & Formatting, all of it"),
)
CALENDAR: Final = {"type": "date"}


class RunForm(forms.Form):
    """What a run bills and when; dates left out follow from the run definition."""

    execution_date = forms.DateField(
        label="Execution date", widget=forms.DateInput(attrs=CALENDAR, format="%Y-%m-%d"), help_text="Day of the run."
    )
    bill_as_of = forms.DateField(
        label="Bill as of",
        required=False,
        widget=forms.DateInput(attrs=CALENDAR, format="%Y-%m-%d"),
        help_text="Everything due by this day; empty for the definition's.",
    )
    transaction_date = forms.DateField(
        label="Transaction date",
        required=False,
        widget=forms.DateInput(attrs=CALENDAR, format="%Y-%m-%d"),
        help_text="Date of the bills; empty for the definition's.",
    )
    due_rule = forms.ChoiceField(label="Due date", required=False, choices=DUE_RULES)
    due_days = forms.IntegerField(
        label="Day or days", required=False, min_value=0, max_value=DUE_DAYS_MAX, help_text="For the first two rules."
    )
    due_date = forms.DateField(
        label="Fixed due date", required=False, widget=forms.DateInput(attrs=CALENDAR, format="%Y-%m-%d")
    )
    schemes = forms.MultipleChoiceField(label="Billing term schemes", required=False)
    subscription_types = forms.MultipleChoiceField(label="Subscription types", required=False)
    classifications = forms.MultipleChoiceField(label="Account classifications", required=False)
    frequencies = forms.MultipleChoiceField(label="Billing frequencies", required=False)
    is_dry = forms.BooleanField(
        label="Dry run", required=False, help_text="Compute everything and post nothing; others may run meanwhile."
    )
    until = forms.ChoiceField(label="Go on until", choices=STEPS, initial=RunStep.ASSEMBLING.value)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, kind in CRITERIA.items():
            codes = {row.code: row.spec.name for row in find_versions(kind)}
            self._choices(name, [(code, f"{label} ({code})") for code, label in codes.items()])
        self._choices("frequencies", [(name, write_label(name)) for name in NAMED_FREQUENCIES])

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        field.choices = choices
        field.widget = forms.CheckboxSelectMultiple(choices=choices)

    def clean(self) -> dict[str, Any]:
        """Check that the due-date rule has its value."""
        rule = self.cleaned_data.get("due_rule")
        if rule in {"day_of_next_month", "days_after_transaction"} and self.cleaned_data.get("due_days") is None:
            self.add_error("due_days", "This rule needs a number.")
        if rule == "fixed_date" and not self.cleaned_data.get("due_date"):
            self.add_error("due_date", "This rule needs a date.")
        return self.cleaned_data

    def to_request(self, *, actor: str) -> RunRequest:
        """Return what was asked for."""
        given = self.cleaned_data
        names = (*CRITERIA, "frequencies")
        return RunRequest(
            execution_date=given["execution_date"],
            bill_as_of=given["bill_as_of"],
            transaction_date=given["transaction_date"],
            due=self._write_due(),
            criteria=RunCriteria(**{name: tuple(given[name]) for name in names}),
            is_dry=given["is_dry"],
            actor=actor,
        )

    def get_until(self) -> RunStep:
        """Return the step to stop after; a dry run stops before posting."""
        until = RunStep(self.cleaned_data["until"])
        return RunStep.ASSEMBLING if self.cleaned_data["is_dry"] and until is RunStep.FORMATTING else until

    def _write_due(self) -> str | None:
        rule, given = self.cleaned_data["due_rule"], self.cleaned_data
        if not rule:
            return None
        return given["due_date"].isoformat() if rule == "fixed_date" else f"{rule}:{given['due_days']}"
