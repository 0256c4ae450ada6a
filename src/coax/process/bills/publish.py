"""The bill as plain data and as JSON: a published shape (docs/bills.md) of the same bytes every time.

Money is text, exact: `"12.35"`. Totals have the currency's decimals, rated amounts up to six.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from coax.base.money import MICRO_SCALE, currency_scale, micro_to_decimal, minor_to_decimal
from coax.base.period import Period
from coax.billing.types.document import (
    BillDocument,
    BillLine,
    BillSection,
    Movement,
    RoundingLine,
    TaxLine,
)

SCHEMA: Final = "coax.bill/1"
PERCENT_OF_PPM: Final = -4


def to_json(document: BillDocument) -> bytes:
    """Return the bill as UTF-8 JSON with sorted keys, ended by a newline."""
    text = json.dumps(to_data(document), ensure_ascii=False, sort_keys=True, indent=2)
    return f"{text}\n".encode()


def to_data(document: BillDocument) -> dict[str, Any]:
    """Return the bill as plain data: text, whole numbers, lists and dictionaries."""
    writer = _Writer(document.currency)
    return {
        "schema": SCHEMA,
        "number": document.number_text,
        "run": document.run_number,
        "operator": {
            "code": document.operator.code,
            "name": document.operator.name,
            "address": list(document.operator.address),
            "tax_number": document.operator.tax_number,
        },
        "customer": {
            "code": document.customer.contact_code,
            "name": document.customer.name,
            "street": document.customer.street,
            "postal_code": document.customer.postal_code,
            "city": document.customer.city,
            "country": document.customer.country,
        },
        "account": document.account_code,
        "currency": document.currency,
        "locale": document.locale,
        "bill_date": document.bill_date.isoformat(),
        "due_date": document.due_date.isoformat(),
        "period": writer.period(document.period_from, document.period_to),
        "rating_formatting": document.formatting.value,
        "movements": [writer.movement(movement) for movement in document.movements],
        "subscriptions": [writer.section(section) for section in document.sections],
        "one_time": [writer.line(line) for line in document.one_time],
        "taxes": [writer.tax(tax) for tax in document.taxes],
        "rounding": writer.rounding(document.rounding),
        "net": writer.micro(document.net_micro),
        "tax": writer.micro(document.tax_micro),
        "total": writer.minor(document.total_minor),
        "balance_brought_forward": writer.minor(document.brought_forward_minor),
        "total_to_be_paid": writer.minor(document.to_pay_minor),
    }


class _Writer:
    """Writes the parts of a bill in one currency."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._scale = currency_scale(currency)

    def minor(self, amount_minor: int) -> str:
        return f"{minor_to_decimal(amount_minor, self._currency):f}"

    def micro(self, amount_micro: int) -> str:
        """Return the amount without the zeros that neither its value nor the currency needs."""
        text = f"{micro_to_decimal(amount_micro):f}"
        kept = len(text) - MICRO_SCALE + self._scale
        return (text[:kept] + text[kept:].rstrip("0")).rstrip(".")

    def period(self, start: Any, end: Any) -> dict[str, str]:
        last_day = Period(start, end).last_day if end > start else start
        return {"from": start.isoformat(), "to": end.isoformat(), "last_day": last_day.isoformat()}

    def movement(self, movement: Movement) -> dict[str, Any]:
        return {
            "kind": movement.kind.value,
            "date": movement.on.isoformat() if movement.on else None,
            "reference": movement.reference,
            "amount": self.minor(movement.amount_minor),
        }

    def section(self, section: BillSection) -> dict[str, Any]:
        return {
            "code": section.subscription_code,
            "lines": [self.line(line) for line in section.lines],
            "net": self.micro(section.net_micro),
            "tax": self.micro(section.tax_micro),
            "total": self.micro(section.total_micro),
        }

    def line(self, line: BillLine) -> dict[str, Any]:
        is_once = line.kind.is_once
        return {
            "kind": line.kind.value,
            "subscription": line.subscription_code,
            "services": list(line.service_codes),
            "products": list(line.product_names),
            "period": None if is_once else self.period(line.period_from, line.period_to),
            "date": line.period_from.isoformat() if is_once else None,
            "quantity": line.quantity,
            "unit": line.unit,
            "periods": " + ".join(map(str, line.parts)) or None,
            "price_period": None if is_once else _write_span(line.price_span),
            "unit_price": None if line.is_price_for_all else self._optional(line.price_micro),
            "price_for_all_units": self._optional(line.price_micro) if line.is_price_for_all else None,
            "amount": self.micro(line.base_micro),
            "discount_percent": None if line.discount_ppm is None else write_percent(line.discount_ppm),
            "discount": self.micro(line.discount_micro),
            "tax_inclusive": line.is_tax_inclusive,
            "net": self.micro(line.net_micro),
            "tax_percent": write_percent(line.tax_ppm),
            "tax": self.micro(line.tax_micro),
            "total": self.micro(line.total_micro),
            "rated_items": list(line.items),
        }

    def tax(self, tax: TaxLine) -> dict[str, str]:
        return {
            "percent": write_percent(tax.tax_ppm),
            "net": self.micro(tax.net_micro),
            "tax": self.micro(tax.tax_micro),
            "total": self.micro(tax.total_micro),
        }

    def rounding(self, rounding: RoundingLine | None) -> dict[str, str] | None:
        if rounding is None:
            return None
        return {
            "name": rounding.name,
            "adjustment_type": rounding.adjustment_type,
            "amount": self.micro(rounding.amount_micro),
        }

    def _optional(self, amount_micro: int | None) -> str | None:
        return None if amount_micro is None else self.micro(amount_micro)


def write_percent(ppm: int) -> str:
    """Return parts per million as an exact percentage: 190_000 is "19", 55_500 is "5.55"."""
    text = f"{Decimal(ppm).scaleb(PERCENT_OF_PPM):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _write_span(span: tuple[int, int] | None) -> dict[str, int] | None:
    """Return the length of a price period in months or in days; None without one or with several."""
    if span is None or span == (0, 0):
        return None
    months, days = span
    return {"months": months} if months else {"days": days}
