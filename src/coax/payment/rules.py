"""May this be paid so? The mode, the payer, and what has to be told (R171)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from coax.base.errors import DomainError
from coax.configuration.types.payment_mode import Payer, PaymentDetail, PaymentMode
from coax.payment.types import PaymentRow

DETAIL_CHARS_MAX: Final = 200


class PaymentRefused(DomainError):
    """A value of a payment or refund is not allowed; the message names it and what is."""

    code: ClassVar[str] = "payment_refused"


def choose_mode(code: str, modes: Mapping[str, PaymentMode], payer: Payer) -> PaymentMode:
    """Return a mode that is open to the payer. Raises: PaymentRefused."""
    open_to = sorted(mode.code for mode in modes.values() if mode.is_active and payer in mode.payers)
    mode = modes.get(code)
    if mode is None or not mode.is_active:
        raise PaymentRefused(f"mode: {code!r} is not known; allowed: {', '.join(open_to)}.", field="mode", value=code)
    if payer not in mode.payers:
        text = f"mode: {code!r} is not open to a {payer}; allowed: {', '.join(open_to)}."
        raise PaymentRefused(text, field="mode", value=code)
    return mode


def check_details(mode: PaymentMode, reference: str, details: Mapping[str, str]) -> None:
    """Refuse a payment that does not tell what its mode requires, or tells what nobody asks. Raises: PaymentRefused."""
    told = {**details, PaymentDetail.REFERENCE.value: reference}
    for name, text in told.items():
        if name not in set(PaymentDetail):
            allowed = ", ".join(detail for detail in PaymentDetail if detail is not PaymentDetail.REFERENCE)
            raise PaymentRefused(f"details: {name!r} is not known; allowed: {allowed}.", field="details", value=name)
        if len(text) > DETAIL_CHARS_MAX:
            raise PaymentRefused(f"{name}: allowed are up to {DETAIL_CHARS_MAX} characters.", field=name)
    for detail in mode.required:
        if not told.get(detail.value, "").strip():
            raise PaymentRefused(f"{detail}: a payment by {mode.code} has to tell it.", field=detail.value)


def find_transaction(payment: PaymentRow) -> int:
    """Return the key of a posted payment's transaction. Raises: PaymentRefused."""
    if payment.transaction_id is None:
        text = f"payment: {payment.payment_id} is {payment.state}; it is not posted."
        raise PaymentRefused(text, field="payment", value=payment.payment_id)
    return payment.transaction_id
