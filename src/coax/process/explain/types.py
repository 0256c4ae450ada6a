"""Explanations as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from coax.base.money import micro_to_decimal
from coax.rating.types import Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """A rated item as stored, with the codes that people know; amounts in micros."""

    line: int
    invoice_line: int
    bill_number: str
    subscription_code: str
    service_id: int
    service_code: str
    product_version_id: int
    price_version_id: int | None
    rate_no: int
    tier_no: int
    kind: str
    generation: int
    period_from: date
    period_to: date
    whole_periods: int
    days: int
    period_days: int
    quantity: int
    price_micro: int
    charge_micro: int
    amount_off_micro: int
    base_micro: int
    discount_ppm: int
    discount_micro: int
    tax_ppm: int
    is_tax_inclusive: bool
    net_micro: int
    tax_micro: int
    total_micro: int
    agreed_price_micro: int | None

    @property
    def amounts(self) -> Amounts:
        """Return the stored amounts."""
        return Amounts(
            base_micro=self.base_micro,
            discount_micro=self.discount_micro,
            net_micro=self.net_micro,
            tax_micro=self.tax_micro,
            total_micro=self.total_micro,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LineExplanation:
    """A line: what was charged or credited, the arithmetic in words, and where it is not what was stored."""

    item: StoredItem
    product: str
    price_source: str
    arithmetic: tuple[str, ...]
    recomputed: Amounts | None
    differences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, amounts as decimals of the major unit."""
        item = self.item
        return {
            "line": item.line,
            "kind": item.kind,
            "subscription": item.subscription_code,
            "service": item.service_code,
            "product": self.product,
            "invoice": item.invoice_line,
            "period_from": item.period_from,
            "period_to": item.period_to,
            "quantity": item.quantity,
            "periods": {"whole": item.whole_periods, "days": item.days, "of_days": item.period_days},
            "price": _decimal(item.price_micro),
            "price_source": self.price_source,
            "arithmetic": list(self.arithmetic),
            "stored": _amounts(item.amounts),
            "recomputed": _amounts(self.recomputed) if self.recomputed else None,
            "differences": list(self.differences),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceExplanation:
    """An invoice or credit note of a bill: signed minor units, its exact micros and its share of the rounding."""

    line: int
    kind: str
    subscription_code: str
    amount_minor: int
    net_minor: int
    tax_minor: int
    rounding_minor: int
    exact_micro: int
    rounding_micro: int
    due_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillExplanation:
    """A bill: where it came from, how its total follows from its lines, and every difference found."""

    number: str
    account_code: str
    currency: str
    run_number: int
    run_kind: str
    definition: str
    execution_date: date
    bill_as_of: date
    transaction_date: date
    due_date: date
    total_minor: int
    exact_micro: int
    rounding_micro: int
    rounding: str
    invoices: tuple[InvoiceExplanation, ...]
    lines: tuple[LineExplanation, ...]
    differences: tuple[str, ...]

    @property
    def all_differences(self) -> tuple[str, ...]:
        """Return the bill's differences and those of its lines, which are named."""
        lines = (f"line {line.item.line}: {text}" for line in self.lines for text in line.differences)
        return (*self.differences, *lines)


def _amounts(amounts: Amounts) -> dict[str, str]:
    names = ("base", "discount", "net", "tax", "total")
    return {name: _decimal(getattr(amounts, f"{name}_micro")) for name in names}


def _decimal(amount_micro: int) -> str:
    return str(micro_to_decimal(amount_micro))
