"""What a bill is composed from: stored rows of one bill, nothing computed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from coax.billing.types.document import BillCustomer, BilledItem, BillRow
from coax.configuration.types.run_definition import RatingFormatting
from coax.ledger.types import TransactionKind
from coax.process.bills.look import BillLook


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorFacts:
    """The operator's profile as bills need it."""

    code: str
    name: str
    address: tuple[str, ...]
    tax_number: str
    bill_number_prefix: str
    locale: str
    look: BillLook


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRules:
    """What a run's frozen definition says of its bills, with the names of what it refers to."""

    formatting: RatingFormatting
    rounding_name: str
    debit_adjustment_name: str
    credit_adjustment_name: str


@dataclass(frozen=True, slots=True)
class AccountTransaction:
    """A financial transaction that no bill made; the amount is positive, its kind tells the direction."""

    key: tuple[int, int]
    kind: TransactionKind
    on: date
    reference: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BillFacts:
    """The facts of one bill. `bills` are those of the account, itself among them, in any order."""

    bill: BillRow
    rules: RunRules
    operator: OperatorFacts
    customer: BillCustomer
    customer_locale: str
    items: tuple[BilledItem, ...]
    bills: tuple[BillRow, ...]
    transactions: tuple[AccountTransaction, ...]
