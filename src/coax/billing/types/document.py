"""The bill as a document: what it shows, in what order, and that it adds up (reference 4.4).

Rated amounts are in micros (millionths of the major unit), documents' totals in minor units. Periods are
half-open; showing their last day is a matter of presentation (decision C8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from coax.base.errors import DomainError
from coax.base.money import MICRO, currency_scale
from coax.billing.types.runs import BillClassification
from coax.configuration.types.run_definition import RatingFormatting


class BillDoesNotAddUp(DomainError):
    """The parts of a bill are not its stored total; such a bill is never shown."""

    code: ClassVar[str] = "bill_does_not_add_up"


class ItemKind(StrEnum):
    """A charge or a credit of a period, something billed once, or that taken back."""

    CHARGE = "charge"
    CREDIT = "credit"
    ONCE = "once"
    RETURN = "return"

    @property
    def is_once(self) -> bool:
        """Tell whether it is of something that is billed once."""
        return self in {ItemKind.ONCE, ItemKind.RETURN}

    @property
    def is_credit(self) -> bool:
        """Tell whether it takes back what was charged."""
        return self in {ItemKind.CREDIT, ItemKind.RETURN}


class MovementKind(StrEnum):
    """What moved an account's balance between two bills."""

    OPENING_BALANCE = "opening_balance"
    PREVIOUS_BILL = "previous_bill"
    INVOICE = "invoice"
    REFUND = "refund"
    PAYMENT_CANCELLATION = "payment_cancellation"
    PAYMENT = "payment"
    CREDIT_NOTE = "credit_note"
    INVOICE_CANCELLATION = "invoice_cancellation"
    WRITE_OFF = "write_off"
    OTHER_DEBIT = "other_debit"
    OTHER_CREDIT = "other_credit"


class SettlementStatus(StrEnum):
    """How much of a bill's invoices is settled at present; never part of the document."""

    SETTLED = "settled"
    PARTIALLY_SETTLED = "partially_settled"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class BillSettlement:
    """How a bill stands at present: what of its invoices is not yet settled, in minor units."""

    status: SettlementStatus
    unsettled_minor: int


@dataclass(frozen=True, slots=True, order=True)
class BillKey:
    """Where a bill lies."""

    bucket: int
    account_id: int
    run_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BillRow:
    """A bill as stored, with its run's number and its account's code."""

    key: BillKey
    number: int
    run_number: int
    account_code: str
    classification: BillClassification
    currency: str
    period_from: date
    period_to: date
    transaction_date: date
    due_date: date
    previous_run_id: int
    brought_forward_minor: int
    debited_between_minor: int
    credited_between_minor: int
    net_micro: int
    tax_micro: int
    rounding_micro: int
    total_minor: int

    @property
    def to_pay_minor(self) -> int:
        """Return the balance brought forward and this bill together."""
        return self.brought_forward_minor + self.total_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledItem:
    """A rated item of a bill, with the names that people know; amounts of a credit are negative.

    `whole_periods` + `days` / `period_days` is the number of price periods charged; of a credit it is the
    number that stays charged, not the number credited.
    """

    line: int
    subscription_code: str
    service_id: int
    service_code: str
    product_code: str
    product_name: str
    unit: str
    price_version_id: int | None
    rate_no: int
    tier_no: int
    kind: ItemKind
    period_from: date
    period_to: date
    whole_periods: int
    days: int
    period_days: int
    price_months: int
    price_days: int
    quantity: int
    price_micro: int
    charge_micro: int
    base_micro: int
    discount_ppm: int
    discount_micro: int
    tax_ppm: int
    is_tax_inclusive: bool
    net_micro: int
    tax_micro: int
    total_micro: int


@dataclass(frozen=True, slots=True)
class PeriodPart:
    """A number of price periods: whole ones and a fraction in days, 17 of 31 say."""

    whole_periods: int
    days: int
    period_days: int

    def __str__(self) -> str:
        fraction = f"{self.days}/{self.period_days}" if self.days else ""
        whole = str(self.whole_periods) if self.whole_periods or not self.days else ""
        return " + ".join(part for part in (whole, fraction) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """A line of a bill: one rated item, or several of one kind and tax rate put together.

    What the items do not share is left out (None): a quantity, a price, a discount rate. `price_micro` is the
    price of one unit for one price period of `price_span` (months, days); where a unit has no own price (tiers
    slab by slab, one price whatever the quantity) it is the price of all units and `is_price_for_all` says so.
    `parts` is empty for credits.
    """

    kind: ItemKind
    subscription_code: str
    service_codes: tuple[str, ...]
    product_names: tuple[str, ...]
    period_from: date
    period_to: date
    quantity: int | None
    unit: str | None
    parts: tuple[PeriodPart, ...]
    price_micro: int | None
    price_span: tuple[int, int] | None
    is_price_for_all: bool
    base_micro: int
    discount_ppm: int | None
    discount_micro: int
    is_tax_inclusive: bool
    net_micro: int
    tax_ppm: int
    tax_micro: int
    total_micro: int
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BillSection:
    """The lines of one subscription and their sums."""

    subscription_code: str
    lines: tuple[BillLine, ...]
    net_micro: int
    tax_micro: int
    total_micro: int


@dataclass(frozen=True, slots=True)
class TaxLine:
    """What a bill holds at one tax rate."""

    tax_ppm: int
    net_micro: int
    tax_micro: int
    total_micro: int


@dataclass(frozen=True, slots=True)
class RoundingLine:
    """The difference that makes a total a payable amount, with its product and adjustment type (R102)."""

    name: str
    adjustment_type: str
    amount_micro: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A step of the balance brought forward: debits positive, credits negative, in minor units."""

    kind: MovementKind
    on: date | None
    reference: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class BillOperator:
    """Who bills."""

    code: str
    name: str
    address: tuple[str, ...]
    tax_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillCustomer:
    """Who is billed."""

    contact_code: str
    name: str
    street: str
    postal_code: str
    city: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillDocument:
    """A bill, whole: refuses to exist when its parts are not the amounts stored.

    Raises:
        BillDoesNotAddUp: if lines, taxes, rounding or movements do not give the bill's amounts.
    """

    number: int
    number_text: str
    run_number: int
    operator: BillOperator
    customer: BillCustomer
    account_code: str
    currency: str
    locale: str
    bill_date: date
    due_date: date
    period_from: date
    period_to: date
    formatting: RatingFormatting
    movements: tuple[Movement, ...]
    brought_forward_minor: int
    sections: tuple[BillSection, ...]
    one_time: tuple[BillLine, ...]
    taxes: tuple[TaxLine, ...]
    rounding: RoundingLine | None
    net_micro: int
    tax_micro: int
    total_minor: int

    def __post_init__(self) -> None:
        lines = self.lines
        rounding_micro = self.rounding.amount_micro if self.rounding else 0
        total_micro = self.total_minor * MICRO // 10 ** currency_scale(self.currency)
        self._require("net", self.net_micro, sum(line.net_micro for line in lines))
        self._require("tax", self.tax_micro, sum(line.tax_micro for line in lines))
        self._require("total", total_micro, sum(line.total_micro for line in lines) + rounding_micro)
        self._require("section", sum(section.total_micro for section in self.sections), _in_sections(self))
        self._require("taxed net", self.net_micro, sum(tax.net_micro for tax in self.taxes))
        self._require("taxes", self.tax_micro, sum(tax.tax_micro for tax in self.taxes))
        moved_minor = sum(movement.amount_minor for movement in self.movements)
        self._require("balance brought forward", self.brought_forward_minor, moved_minor)

    @property
    def lines(self) -> tuple[BillLine, ...]:
        """Return every line, those billed once last."""
        return (*(line for section in self.sections for line in section.lines), *self.one_time)

    @property
    def to_pay_minor(self) -> int:
        """Return the balance brought forward and this bill together; negative when the operator owes."""
        return self.brought_forward_minor + self.total_minor

    @property
    def is_credit(self) -> bool:
        """Tell whether the bill gives money back."""
        return self.total_minor < 0

    def _require(self, part: str, stored: int, found: int) -> None:
        if stored != found:
            raise BillDoesNotAddUp(
                f"Bill {self.number_text}: {part} is stored as {stored}, its parts make {found}.",
                bill=self.number_text,
                part=part,
                stored=stored,
                found=found,
            )


def _in_sections(document: BillDocument) -> int:
    return sum(line.total_micro for section in document.sections for line in section.lines)
