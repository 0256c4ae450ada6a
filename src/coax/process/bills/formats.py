"""Dates, numbers and money as a locale writes them; exact, for every figure is a decimal made of integers."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import NumberPattern, get_currency_symbol, get_decimal_symbol

from coax.base.money import MICRO_SCALE, currency_scale, micro_to_decimal, minor_to_decimal
from coax.base.period import Period

PPM_SCALE: Final = 6
PERCENT_DECIMALS_MAX: Final = 4
NO_BREAK_SPACE: Final = "\u00a0"
EN_DASH: Final = "\u2013"


@dataclass(frozen=True, slots=True)
class Formats:
    """How a bill in this locale and currency writes its figures."""

    locale: Locale
    currency: str

    def write_date(self, day: date) -> str:
        """Return a date in the locale's medium form."""
        return format_date(day, "medium", locale=self.locale)

    def write_period(self, start: date, end: date) -> str:
        """Return a half-open period by its first and last day (C8): 1 Aug to 31 Aug 2026."""
        last_day = Period(start, end).last_day if end > start else start
        if last_day == start:
            return self.write_date(start)
        skeleton = "MMMd" if start.year == last_day.year else "yMMMd"
        return f"{self._skeleton(skeleton, start)} {EN_DASH} {self._skeleton('yMMMd', last_day)}"

    def write_integer(self, value: int) -> str:
        """Return a whole number with the locale's grouping."""
        return self._apply(self.locale.decimal_formats[None], Decimal(value), (0, 0))

    def write_percent(self, ppm: int) -> str:
        """Return parts per million as a percentage: 190_000 is 19 %."""
        value = Decimal(ppm).scaleb(-PPM_SCALE)
        return self._apply(self.locale.percent_formats[None], value, (0, PERCENT_DECIMALS_MAX))

    def write_micro(self, amount_micro: int) -> str:
        """Return a rated amount without currency: its own decimals, at least those of the currency."""
        return self._apply(
            self.locale.decimal_formats[None],
            micro_to_decimal(amount_micro),
            (currency_scale(self.currency), MICRO_SCALE),
        )

    def write_minor(self, amount_minor: int) -> str:
        """Return a document's amount without currency."""
        scale = currency_scale(self.currency)
        value = minor_to_decimal(amount_minor, self.currency)
        return self._apply(self.locale.decimal_formats[None], value, (scale, scale))

    def write_money(self, amount_minor: int) -> str:
        """Return a document's amount with its currency; the decimals are those of ISO 4217."""
        scale = currency_scale(self.currency)
        value = minor_to_decimal(amount_minor, self.currency)
        text = self._apply(self.locale.currency_formats["standard"], value, (scale, scale))
        symbol = get_currency_symbol(self.currency, self.locale)
        after = text.partition(symbol)[2]
        is_touching = symbol[-1].isalpha() and after[:1].isdigit()
        return text.replace(symbol, f"{symbol}{NO_BREAK_SPACE}") if is_touching else text

    def write_country(self, country: str) -> str:
        """Return the name of a country given by its two-letter code; any other text as it is."""
        return self.locale.territories.get(country.upper(), country) if country else ""

    @property
    def decimal_symbol(self) -> str:
        """Return what stands before decimals."""
        return get_decimal_symbol(self.locale)

    def _skeleton(self, skeleton: str, day: date) -> str:
        return format_skeleton(skeleton, day, locale=self.locale)

    def _apply(self, pattern: NumberPattern, value: Decimal, decimals: tuple[int, int]) -> str:
        adjusted = copy.copy(pattern)
        adjusted.frac_prec = decimals
        text: str = adjusted.apply(value, self.locale, currency=self.currency, currency_digits=False)
        return text
