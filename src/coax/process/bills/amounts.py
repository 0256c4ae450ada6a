"""Columns of figures that line up at the decimal point whatever decimals each has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from coax.base.money import currency_scale
from coax.billing.types.document import BillLine, BillSection, TaxLine
from coax.process.bills.formats import Formats

Cell = dict[str, str]
BLANK: Final[Cell] = {"text": "", "pad": ""}


@dataclass(frozen=True, slots=True)
class Column:
    """Writes amounts; `pad` is what an invisible tail needs to hold for the decimal points to align."""

    formats: Formats
    decimals_max: int

    @classmethod
    def of(cls, formats: Formats, amounts_micro: Iterable[int]) -> Column:
        """Return the column in which these amounts, and all of the currency's own decimals, line up."""
        symbol = formats.decimal_symbol
        longest = (len(formats.write_micro(amount).partition(symbol)[2]) for amount in amounts_micro)
        return cls(formats, max(longest, default=currency_scale(formats.currency)))

    def micro(self, amount_micro: int | None) -> Cell:
        """Return a rated amount, or a blank."""
        return BLANK if amount_micro is None else self._cell(self.formats.write_micro(amount_micro))

    def minor(self, amount_minor: int) -> Cell:
        """Return a document's amount."""
        return self._cell(self.formats.write_minor(amount_minor))

    def _cell(self, text: str) -> Cell:
        symbol = self.formats.decimal_symbol
        own = len(text.partition(symbol)[2])
        point = symbol if own == 0 and self.decimals_max else ""
        return {"text": text, "pad": point + "0" * (self.decimals_max - own)}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table."""

    price: Column
    discount: Column
    net: Column
    tax: Column
    total: Column

    @classmethod
    def of(
        cls,
        formats: Formats,
        rows: Sequence[BillLine | BillSection | TaxLine],
        totals: Sequence[int] = (),
    ) -> Columns:
        """Return the columns in which the rows of a table line up; `totals` are more amounts of the last."""
        lines = [row for row in rows if isinstance(row, BillLine)]
        return cls(
            price=Column.of(formats, (line.price_micro or 0 for line in lines)),
            discount=Column.of(formats, (line.discount_micro for line in lines)),
            net=Column.of(formats, (row.net_micro for row in rows)),
            tax=Column.of(formats, (row.tax_micro for row in rows)),
            total=Column.of(formats, (*(row.total_micro for row in rows), *totals)),
        )

    def sums(self, net_micro: int, tax_micro: int, total_micro: int) -> dict[str, Cell]:
        """Return the three amounts that every row has."""
        return {
            "net": self.net.micro(net_micro),
            "tax": self.tax.micro(tax_micro),
            "total": self.total.micro(total_micro),
        }
