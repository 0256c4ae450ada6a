"""Values of payments: states, what is told of one, rows as read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from coax.configuration.types.payment_mode import Payer
from coax.ledger.types import LedgerAccountKind


class PaymentState(StrEnum):
    """What became of a payment (reference 6.2): posted it is never edited, only cancelled."""

    PENDING = "pending"
    POSTED = "posted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """What became of a refund; one above the operator's limit waits for a second person."""

    PENDING = "pending"
    POSTED = "posted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """A payment to be recorded; `payment_id` is the key of its transaction, or of its own while it is pending.

    `money` is the ledger account in which its money lies.
    """

    payment_id: int
    account_id: int
    mode: str
    payer: Payer
    state: PaymentState
    money: LedgerAccountKind
    amount_minor: int
    currency: str
    received_on: date
    reference: str
    details: Mapping[str, str] = field(default_factory=dict)
    against_bill: int | None = None
    came_from: tuple[int, int] | None = None
    recorded_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """A payment as read; amounts in minor units. `transaction_id` is None while it is pending, or was rejected.

    `moved_minor` went to other accounts; `came_from_payment` names the payment of another account that it came from.
    """

    payment_id: int
    account_id: int
    account_code: str
    mode: str
    payer: Payer
    state: PaymentState
    money: LedgerAccountKind
    amount_minor: int
    moved_minor: int
    currency: str
    received_on: date
    reference: str
    details: Mapping[str, str]
    transaction_id: int | None
    against_bill: int | None
    came_from_payment: int | None
    recorded_by: str
    recorded_at: datetime
    decided_by: str
    decided_on: date | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRow:
    """A refund as read; amounts in minor units. `payment_id` names the payment whose money it gives back."""

    refund_id: int
    account_id: int
    account_code: str
    mode: str
    state: RefundState
    money: LedgerAccountKind
    amount_minor: int
    currency: str
    refunded_on: date
    reason: str
    payment_id: int | None
    transaction_id: int | None
    asked_by: str
    asked_at: datetime
    decided_by: str
    decision_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRefund:
    """A refund to be recorded; `refund_id` is the key of its transaction, or of its own while it is pending."""

    refund_id: int
    account_id: int
    mode: str
    state: RefundState
    money: LedgerAccountKind
    amount_minor: int
    currency: str
    refunded_on: date
    reason: str
    payment_id: int | None
    asked_by: str
