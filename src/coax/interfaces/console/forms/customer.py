"""The forms of a contact and of an account's terms; each carries what it was made from, to find out who was first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms
from django.core import signing

from coax.party.queries.stored import CONTACT_TEXTS
from coax.process.change_account import AllowedTerms
from coax.process.check_customer import find_allowed_text

SEEN: Final = "seen"
_SALT: Final = "coax.console.seen"
_LOCALE: Final = "Language and formats of bills, such as de_DE."
_TEXTS: Final = {
    "name": ("Name", "text", ""),
    "email": ("E-mail", "email", ""),
    "phone": ("Phone", "tel", ""),
    "street": ("Street", "text", ""),
    "postal_code": ("Postal code", "text", ""),
    "city": ("City", "text", ""),
    "country": ("Country", "text", "As bills print it."),
    "locale": ("Locale", "text", _LOCALE),
}


class SeenForm(forms.Form):
    """A form that carries the values it was made from; who reads them back says what was expected to be there."""

    def __init__(self, data: Any = None, *, present: Mapping[str, Any], **options: Any) -> None:
        """Make a form of the `present` values, or of what was sent, which carries those that it was made from."""
        super().__init__(data, initial={**present, SEEN: _sign(present)}, **options)
        self.fields[SEEN] = forms.CharField(widget=forms.HiddenInput, required=False)
        self.present, self.expected = present, dict(present)

    def clean_seen(self) -> str:
        """Read the values that the form was made from. Raises: ValidationError."""
        try:
            seen = signing.loads(self.cleaned_data[SEEN], salt=_SALT)
        except signing.BadSignature:
            seen = {}
        if set(seen) != set(self.present):
            raise forms.ValidationError("It is not known what this form was made from; open the page anew.")
        self.expected = seen
        return ""

    def take(self, present: Mapping[str, Any], names: Iterable[str]) -> None:
        """Say at the fields that somebody else changed them; what is `present` counts as seen from now on.

        A field that was left as it was gets the present value; one that both changed keeps what was typed.
        """
        data = {**{name: self.data.get(name, "") for name in self.fields}, SEEN: _sign(present)}
        for name in names:
            words = self._say(name, present[name])
            if data.get(name, "") == _write(self.expected[name]):
                data[name] = _write(present[name])
                self.add_error(name, f"Somebody else changed this meanwhile: {words}.")
            else:
                self.add_error(name, f"Somebody else changed this meanwhile: {words}. Saving puts yours in its place.")
        self.data, self.present = data, present

    def _say(self, name: str, value: Any) -> str:
        text = dict(getattr(self.fields[name], "choices", ())).get(value, value)
        return f"now it is {text}" if value not in ("", None) else "now it is empty"


class ContactForm(SeenForm):
    """What is known of a contact."""

    def __init__(self, data: Any = None, *, present: Mapping[str, Any], **options: Any) -> None:
        super().__init__(data, present=present, **options)
        for name in CONTACT_TEXTS:
            label, kind, help_text = _TEXTS[name]
            widget = forms.TextInput(attrs={"type": kind, "autocomplete": "off"})
            self.fields[name] = forms.CharField(label=label, required=False, help_text=help_text, widget=widget)

    def clean(self) -> dict[str, Any]:
        """Hold every text that is new to what may be said."""
        for name in CONTACT_TEXTS:
            text = self.cleaned_data.get(name, "")
            allowed = find_allowed_text(name, text) if text and text != self.present[name] else None
            if allowed is not None:
                self.add_error(name, f"Allowed is {allowed}.")
        return self.cleaned_data

    @property
    def wanted(self) -> dict[str, str]:
        """Return the texts of the valid form."""
        return {name: self.cleaned_data[name] for name in CONTACT_TEXTS}


class TermsForm(SeenForm):
    """Classification and what decides about credit."""

    def __init__(
        self, data: Any = None, *, present: Mapping[str, Any], allowed: AllowedTerms, currency: str, **options: Any
    ) -> None:
        super().__init__(data, present=present, **options)
        low, high = allowed.credit_period_bounds
        bounds = f"{low} to {high}" if high > low else "the rules allow none"
        classifications = _make_choice("Classification", allowed.classifications, present["classification"])
        self.fields["classification"] = classifications
        self.fields["credit_limit"] = forms.CharField(
            label=f"Credit limit ({currency})",
            required=False,
            help_text="How much the account may owe; empty for no limit.",
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        )
        ratings = {rating: rating for rating in allowed.credit_ratings}
        self.fields["credit_rating"] = _make_choice("Credit rating", ratings, present["credit_rating"])
        self.fields["credit_period_days"] = forms.IntegerField(
            label="Credit period (days)",
            required=False,
            help_text=f"Added to the due dates of its bills; {bounds}.",
        )

    @property
    def wanted(self) -> dict[str, Any]:
        """Return the terms of the valid form."""
        given = self.cleaned_data
        return {
            "classification": given["classification"] or None,
            "credit_limit": given["credit_limit"] or None,
            "credit_rating": given["credit_rating"],
            "credit_period_days": given["credit_period_days"] or 0,
        }


def _make_choice(label: str, names: Mapping[str, str], present: str | None) -> forms.ChoiceField:
    """Let what is allowed be chosen, and what is there stay."""
    kept = [(present, f"{present} (no longer offered)")] if present and present not in names else []
    return forms.ChoiceField(label=label, required=False, choices=[("", "None"), *names.items(), *kept])


def _sign(present: Mapping[str, Any]) -> str:
    return signing.dumps(dict(present), salt=_SALT)


def _write(value: Any) -> str:
    """Return a value as a browser sends it back."""
    return "" if value is None else str(value)
