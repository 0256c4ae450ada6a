"""Values of the ledger: classes of financial transactions, kinds of ledger accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final

from coax.base.errors import DomainError

AMOUNT_MINOR_MAX: Final = 10**15


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
    BANK = "bank"
    CHEQUES = "cheques"
    CARDS = "cards"
    GATEWAY = "gateway"
    VOUCHERS = "vouchers"
    VOUCHER_ISSUERS = "voucher_issuers"
    WALLETS = "wallets"
    CLEARING = "clearing"
    SUSPENSE = "suspense"
    WRITE_OFF = "write_off"


DEFAULT_LEDGER_ACCOUNTS: Final = (
    ("1100", "Accounts receivable", LedgerAccountKind.RECEIVABLE),
    ("4000", "Subscription revenue", LedgerAccountKind.REVENUE),
    ("2200", "Output tax", LedgerAccountKind.TAX),
    ("4900", "Rounding differences", LedgerAccountKind.ROUNDING),
    ("1000", "Cash", LedgerAccountKind.CASH),
    ("1010", "Bank", LedgerAccountKind.BANK),
    ("1020", "Cheques in hand", LedgerAccountKind.CHEQUES),
    ("1030", "Card payments under way", LedgerAccountKind.CARDS),
    ("1040", "Gateway payments under way", LedgerAccountKind.GATEWAY),
    ("1150", "Receivable from issuers of vouchers", LedgerAccountKind.VOUCHER_ISSUERS),
    ("2300", "Vouchers outstanding", LedgerAccountKind.VOUCHERS),
    ("2400", "Wallets of subscribers", LedgerAccountKind.WALLETS),
    ("2950", "Transfers between accounts", LedgerAccountKind.CLEARING),
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


class AmountRefused(DomainError):
    """The amount of a financial transaction is not above zero, or beyond every reason."""

    code: ClassVar[str] = "amount_refused"


class LegsDoNotBalance(DomainError):
    """The legs of a financial transaction do not sum to zero; it is not posted."""

    code: ClassVar[str] = "legs_do_not_balance"


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg of a financial transaction in minor units; debits are positive."""

    kind: LedgerAccountKind
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleTransaction:
    """A financial transaction that one action makes; amounts in minor units, positive whatever its direction.

    Raises:
        AmountRefused: if it is not above zero or its tax is not a part of it.
        LegsDoNotBalance: if its legs do not sum to zero.
    """

    account_id: int
    kind: TransactionKind
    currency: str
    net_minor: int
    tax_minor: int
    legs: tuple[Leg, ...]
    transaction_date: date
    due_date: date | None = None
    subscription_id: int | None = None
    reference: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.amount_minor <= AMOUNT_MINOR_MAX or self.net_minor < 0 or self.tax_minor < 0:
            raise AmountRefused(
                f"An amount of {self.amount_minor} minor units, {self.tax_minor} of them tax, cannot be posted; "
                f"it must be above zero and at most {AMOUNT_MINOR_MAX}.",
                amount_minor=self.amount_minor,
                tax_minor=self.tax_minor,
            )
        if sum(leg.amount_minor for leg in self.legs):
            raise LegsDoNotBalance(f"The legs of this {self.kind.value} do not sum to zero.", legs=self.legs)

    @property
    def amount_minor(self) -> int:
        """Return net and tax together."""
        return self.net_minor + self.tax_minor

    @property
    def is_debit(self) -> bool:
        """Tell whether the account owes more by it."""
        return self.kind in DEBIT_KINDS


@dataclass(frozen=True, slots=True)
class PostedTransaction:
    """A financial transaction as posted: its key, and how the account stands after it, in minor units."""

    account_id: int
    origin_id: int
    line: int
    amount_minor: int
    balance_minor: int
    unallocated_minor: int
    allocations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPosition:
    """How an account stands on a day, in minor units (reference 6.1).

    `unsettled_minor` is what of its debits no credit settles yet, `outstanding_minor` the part of it that is past
    due (a debit is past due from the day after its due date), `unallocated_minor` what of its credits settles
    nothing yet. Balance = unsettled - unallocated.
    """

    balance_minor: int
    unsettled_minor: int
    outstanding_minor: int
    unallocated_minor: int
    debited_since_bill_minor: int
    credited_since_bill_minor: int
    last_bill_run_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """A financial transaction of an account: debits positive, with the balance after it and what is still open."""

    origin_id: int
    line: int
    posted_at: datetime
    transaction_date: date
    due_date: date | None
    kind: TransactionKind
    reference: str
    bill_number: int | None
    amount_minor: int
    balance_minor: int
    open_minor: int
