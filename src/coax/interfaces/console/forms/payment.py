"""The forms of money: what came in and how, what is given back, where it goes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django import forms

from coax.configuration.types.payment_mode import Payer, PaymentDetail, PaymentMode
from coax.interfaces.console.forms.action import make_choice, make_day
from coax.interfaces.console.forms.nodes import write_label
from coax.process.payments.receive import REFERENCE_CHARS_MAX, PaymentRequest
from coax.process.payments.refund import RefundRequest

AMOUNT_CHARS_MAX: Final = 24
TOLD: Final = tuple(detail for detail in PaymentDetail if detail is not PaymentDetail.REFERENCE)


def make_key() -> forms.CharField:
    """Return the hidden field that makes a form sent twice do it once."""
    return forms.CharField(widget=forms.HiddenInput, initial=lambda: uuid.uuid4().hex, max_length=64)


class PaymentForm(forms.Form):
    """A payment; which details a mode asks for is said beside its name."""

    def __init__(
        self,
        data: Any = None,
        *,
        modes: Mapping[str, PaymentMode],
        bills: list[tuple[str, str]],
        today: date,
        owed: str,
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        open_modes = [mode for mode in modes.values() if mode.is_active]
        choices = [(mode.code, _write_mode(mode)) for mode in sorted(open_modes, key=lambda mode: mode.code != "cash")]
        payers = [(payer.value, write_label(payer.value)) for payer in Payer]
        self.fields |= {
            "amount": forms.CharField(label="Amount", max_length=AMOUNT_CHARS_MAX, initial=owed),
            "mode": forms.ChoiceField(label="Mode", choices=choices, initial="cash"),
            "payer": forms.ChoiceField(label="Payer", choices=payers, initial=Payer.SUBSCRIBER.value),
            "against_bill": make_choice("Bill", bills, "It is settled first.", empty="The oldest debt"),
            "on": make_day("Received on", initial=today),
            "reference": forms.CharField(label="Reference", required=False, max_length=REFERENCE_CHARS_MAX),
            **{
                detail.value: forms.CharField(label=write_label(detail.value), required=False, max_length=200)
                for detail in TOLD
            },
            "key": make_key(),
        }

    @property
    def main_fields(self) -> list[forms.BoundField]:
        """Return the fields of every payment."""
        return [field for field in self.visible_fields() if field.name not in set(TOLD)]

    @property
    def further_fields(self) -> list[forms.BoundField]:
        """Return what only some modes ask."""
        return [field for field in self.visible_fields() if field.name in set(TOLD)]

    @property
    def has_further_values(self) -> bool:
        """Tell whether a mode's own field is filled."""
        return any(self.is_bound and field.data for field in self.further_fields)

    def to_request(self, account_code: str) -> PaymentRequest:
        """Return the valid form as a request."""
        values = self.cleaned_data
        return PaymentRequest(
            account_code=account_code,
            amount=values["amount"],
            on=values["on"],
            mode=values["mode"],
            payer=Payer(values["payer"]),
            against_bill=values["against_bill"] or None,
            reference=values["reference"],
            details={detail.value: values[detail.value] for detail in TOLD if values[detail.value]},
        )


class RefundForm(forms.Form):
    """Money to be given back."""

    def __init__(
        self, data: Any = None, *, modes: Mapping[str, PaymentMode], today: date, credit: str, **options: Any
    ) -> None:
        super().__init__(data, **options)
        choices = [(mode.code, mode.name) for mode in modes.values() if mode.is_active and mode.refundable]
        help_text = "The payment whose money it is; it goes back as it came."
        self.fields |= {
            "amount": forms.CharField(label="Amount", max_length=AMOUNT_CHARS_MAX, initial=credit),
            "mode": make_choice("Mode", choices, empty="As it came, or cash"),
            "payment": forms.IntegerField(label="Payment", required=False, min_value=1, help_text=help_text),
            "reason": forms.CharField(label="Reason", max_length=REFERENCE_CHARS_MAX),
            "on": make_day("On", initial=today),
            "key": make_key(),
        }

    def to_request(self, account_code: str) -> RefundRequest:
        """Return the valid form as a request."""
        values = self.cleaned_data
        return RefundRequest(
            account_code=account_code,
            amount=values["amount"],
            reason=values["reason"],
            mode=values["mode"] or None,
            payment=values["payment"],
            on=values["on"],
        )


class TransferForm(forms.Form):
    """Where a payment goes."""

    account = forms.CharField(label="To account", max_length=64)
    amount = forms.CharField(label="Amount", required=False, max_length=AMOUNT_CHARS_MAX, help_text="Empty: all of it.")
    reason = forms.CharField(label="Reason", required=False, max_length=REFERENCE_CHARS_MAX)
    key = make_key()


def _write_mode(mode: PaymentMode) -> str:
    asks = ", ".join(detail.value.replace("_", " ") for detail in mode.required)
    return f"{mode.name} (asks: {asks})" if asks else mode.name
