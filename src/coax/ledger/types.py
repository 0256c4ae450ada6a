"""Values of the ledger: classes of financial transactions, kinds of ledger accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class TransactionKind(StrEnum):
    """The seven classes of financial transactions (reference 6.2)."""

    INVOICE = "invoice"
    REFUND = "refund"
    PAYMENT_CANCELLATION = "payment_cancellation"
    PAYMENT = "payment"
    CREDIT_NOTE = "credit_note"
    INVOICE_CANCELLATION = "invoice_cancellation"
    WRITE_OFF = "write_off"


DEBIT_KINDS: Final = frozenset({TransactionKind.INVOICE, TransactionKind.REFUND, TransactionKind.PAYMENT_CANCELLATION})


class LedgerAccountKind(StrEnum):
    """What a ledger account stands for; every operator starts with one of each."""

    RECEIVABLE = "receivable"
    REVENUE = "revenue"
    TAX = "tax"
    ROUNDING = "rounding"
    CASH = "cash"
    SUSPENSE = "suspense"
    WRITE_OFF = "write_off"


DEFAULT_LEDGER_ACCOUNTS: Final = (
    ("1100", "Accounts receivable", LedgerAccountKind.RECEIVABLE),
    ("4000", "Subscription revenue", LedgerAccountKind.REVENUE),
    ("2200", "Output tax", LedgerAccountKind.TAX),
    ("4900", "Rounding differences", LedgerAccountKind.ROUNDING),
    ("1000", "Cash and bank", LedgerAccountKind.CASH),
    ("2900", "Suspense", LedgerAccountKind.SUSPENSE),
    ("6900", "Write-off", LedgerAccountKind.WRITE_OFF),
)


class CreditStatus(StrEnum):
    """Whether the balance is above the credit limit; equal is not exceeded (R114)."""

    NOT_EXCEEDED = "not_exceeded"
    EXCEEDED = "exceeded"


def decide_credit_status(balance_minor: int, credit_limit_minor: int | None) -> CreditStatus:
    """Return the credit status of a balance; no limit is never exceeded (R114, C16)."""
    if credit_limit_minor is not None and balance_minor > credit_limit_minor:
        return CreditStatus.EXCEEDED
    return CreditStatus.NOT_EXCEEDED


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A debit or credit with what is not yet settled of it, in minor units (positive)."""

    origin_id: int
    line: int
    transaction_date: date
    due_date: date | None
    open_minor: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """So much of one credit settles one debit."""

    credit_origin_id: int
    credit_line: int
    debit_origin_id: int
    debit_line: int
    amount_minor: int
