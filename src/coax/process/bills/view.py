"""What the template prints: every word and figure of a bill, written in its locale, in the page's order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from coax.billing.types.document import BillCustomer, BillDocument, BillLine
from coax.process.bills.amounts import Columns
from coax.process.bills.formats import Formats
from coax.process.bills.texts import get_format_locale, get_texts
from coax.process.bills.words import write_price_periods

SEPARATOR: Final = " · "
# Where the city comes first: https://www.upu.int/en/postal-solutions/programmes-services/addressing-solutions
POSTAL_CODE_LAST: Final = frozenset({"AU", "CA", "GB", "HK", "IE", "IN", "NZ", "PK", "SG", "TH", "TW", "US", "ZA"})


def make_view(document: BillDocument) -> dict[str, Any]:
    """Return the page's content as plain data; whatever it holds is text to the template, never markup."""
    return _View.of(document).build()


@dataclass(frozen=True, slots=True)
class _View:
    document: BillDocument
    formats: Formats
    texts: dict[str, str]

    @classmethod
    def of(cls, document: BillDocument) -> _View:
        locale = get_format_locale(document.locale)
        formats = Formats(locale, document.currency)
        return cls(document, formats, get_texts(locale.language))

    def build(self) -> dict[str, Any]:
        document = self.document
        title = self.texts["title_credit" if document.is_credit else "title"]
        return {
            "language": self.formats.locale.language,
            "region": self.formats.locale.territory,
            "title": title,
            "document_title": f"{title} {document.number_text}",
            "date": [document.bill_date.year, document.bill_date.month, document.bill_date.day],
            "texts": self.texts,
            "operator": self._operator(),
            "customer": write_address(document.customer, self.formats),
            "facts": self._facts(),
            "summary": self._summary(),
            "statement": self._statement(),
            "notes": self._notes(),
            "has_discounts": any(line.discount_micro for line in document.lines),
            "sections": self._sections(),
            "one_time": self._one_time(),
            "totals": self._totals(),
            "slip": self._slip(),
        }

    def _operator(self) -> dict[str, Any]:
        operator = self.document.operator
        lines = [line for line in operator.address if line != operator.name]
        tax = [f"{self.texts['tax_number']} {operator.tax_number}"] if operator.tax_number else []
        return {
            "name": operator.name,
            "lines": [*lines, *tax],
            "sender": SEPARATOR.join([operator.name, *lines]),
            "footer": SEPARATOR.join([operator.name, *tax]),
        }

    def _facts(self) -> list[list[str]]:
        document, texts = self.document, self.texts
        return [
            [texts["bill_number"], document.number_text],
            [texts["bill_date"], self.formats.write_date(document.bill_date)],
            [texts["account"], document.account_code],
            [texts["customer_number"], document.customer.contact_code],
            [texts["period"], self.formats.write_period(document.period_from, document.period_to)],
            [texts["due_date"], self.formats.write_date(document.due_date)],
        ]

    def _summary(self) -> dict[str, Any]:
        document, money = self.document, self.formats.write_money
        return {
            "rows": [
                [self.texts["balance_brought_forward"], money(document.brought_forward_minor)],
                [self.texts["this_bill"], money(document.total_minor)],
            ],
            "to_be_paid": [self.texts["to_be_paid"], money(document.to_pay_minor)],
            "hint": self._hint(),
        }

    def _hint(self) -> str:
        to_pay_minor = self.document.to_pay_minor
        if to_pay_minor > 0:
            return self.texts["payable_until"].format(date=self.formats.write_date(self.document.due_date))
        if to_pay_minor == 0:
            return self.texts["nothing_to_pay"]
        return self.texts["credit_balance"].format(amount=self.formats.write_money(-to_pay_minor))

    def _statement(self) -> dict[str, Any] | None:
        if not self.document.movements:
            return None
        write = self.formats.write_minor
        rows = [
            [
                self.formats.write_date(movement.on) if movement.on else "",
                SEPARATOR.join(part for part in (self.texts[movement.kind], movement.reference) if part),
                write(movement.amount_minor),
            ]
            for movement in self.document.movements
        ]
        return {"rows": rows, "sum": write(self.document.brought_forward_minor)}

    def _notes(self) -> list[str]:
        notes = [self.texts["amounts_in"].format(currency=self.document.currency)]
        if any(line.is_tax_inclusive for line in self.document.lines):
            notes.append(self.texts["tax_inclusive"])
        return notes

    def _sections(self) -> list[dict[str, Any]]:
        sections = self.document.sections
        columns = Columns.of(self.formats, [*sections, *(line for part in sections for line in part.lines)])
        return [
            {
                "title": f"{self.texts['subscription']} {section.subscription_code}",
                "lines": [self._line(line, columns, _is_ambiguous(line, section.lines)) for line in section.lines],
                "sum_label": self.texts["subscription_total"].format(code=section.subscription_code),
                **columns.sums(section.net_micro, section.tax_micro, section.total_micro),
            }
            for section in sections
        ]

    def _one_time(self) -> dict[str, Any] | None:
        lines = self.document.one_time
        if not lines:
            return None
        sums = [
            sum(line.net_micro for line in lines),
            sum(line.tax_micro for line in lines),
            sum(line.total_micro for line in lines),
        ]
        columns = Columns.of(self.formats, lines)
        return {
            "title": None,
            "lines": [self._line(line, columns, is_ambiguous=False) for line in lines],
            "sum_label": self.texts["one_time_total"],
            **columns.sums(*sums),
        }

    def _line(self, line: BillLine, columns: Columns, is_ambiguous: bool) -> dict[str, Any]:
        name = ", ".join(line.product_names)
        codes = f" ({', '.join(line.service_codes)})" if is_ambiguous else ""
        credit = f"{self.texts['credit']}: " if line.kind.is_credit else ""
        return {
            "name": f"{credit}{name}{codes}",
            "detail": SEPARATOR.join(self._details(line)),
            "quantity": "" if line.quantity is None else self.formats.write_integer(line.quantity),
            "price": columns.price.micro(line.price_micro),
            "discount": columns.discount.micro(-line.discount_micro or None),
            "rate": self.formats.write_percent(line.tax_ppm),
            **columns.sums(line.net_micro, line.tax_micro, line.total_micro),
        }

    def _details(self, line: BillLine) -> list[str]:
        details = []
        if line.kind.is_once:
            details += [self.formats.write_date(line.period_from), line.subscription_code]
        else:
            details.append(self.formats.write_period(line.period_from, line.period_to))
            details.append(write_price_periods(line.parts, line.price_span, self.texts, self.formats))
        if line.discount_micro and line.discount_ppm:
            percent = self.formats.write_percent(line.discount_ppm)
            details.append(self.texts["discount_percent"].format(percent=percent))
        if line.is_price_for_all:
            details.append(self.texts["price_for_all"])
        return [detail for detail in details if detail]

    def _totals(self) -> dict[str, Any]:
        document = self.document
        rounding = [document.rounding.amount_micro] if document.rounding else []
        columns = Columns.of(self.formats, document.taxes, totals=rounding)
        return {
            "taxes": [
                {
                    "rate": self.formats.write_percent(tax.tax_ppm),
                    **columns.sums(tax.net_micro, tax.tax_micro, tax.total_micro),
                }
                for tax in document.taxes
            ],
            "rounding": self._rounding(columns),
            "total": columns.total.minor(document.total_minor),
            "brought_forward": columns.total.minor(document.brought_forward_minor),
            "to_be_paid": columns.total.minor(document.to_pay_minor),
        }

    def _rounding(self, columns: Columns) -> dict[str, Any] | None:
        rounding = self.document.rounding
        if rounding is None:
            return None
        label = self.texts["rounding"].format(name=rounding.name, adjustment=rounding.adjustment_type)
        return {"label": label, "total": columns.total.micro(rounding.amount_micro)}

    def _slip(self) -> list[list[str]] | None:
        """Return what a payer needs, or None when nothing is to be paid."""
        document, texts = self.document, self.texts
        if document.to_pay_minor <= 0:
            return None
        return [
            [texts["payee"], document.operator.name],
            [texts["payer"], document.customer.name],
            [texts["account"], document.account_code],
            [texts["reference"], document.number_text],
            [texts["due_date"], self.formats.write_date(document.due_date)],
            [texts["amount"], self.formats.write_money(document.to_pay_minor)],
        ]


def write_address(customer: BillCustomer, formats: Formats) -> list[str]:
    """Return name and address as lines, the postal code where the country writes it."""
    place = [customer.postal_code, customer.city]
    if customer.country.upper() in POSTAL_CODE_LAST:
        place.reverse()
    lines = [
        customer.name,
        customer.street,
        " ".join(part for part in place if part),
        formats.write_country(customer.country),
    ]
    return [line for line in lines if line]


def _is_ambiguous(line: BillLine, lines: Sequence[BillLine]) -> bool:
    """Tell whether other lines are of the same product but of another service."""
    services: defaultdict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for other in lines:
        services[other.product_names].add(other.service_codes)
    return len(services[line.product_names]) > 1
