"""Money as integers: minor units of a currency on documents, micros (millionths of the major unit) on prices.

Text, integers and `Decimal` come in, integers go out, exactly; a float is refused wherever it appears.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import ClassVar

from coax.base.errors import DomainError

MICRO = 1_000_000
MICRO_SCALE = 6
DEFAULT_SCALE = 2

# ISO 4217, active national currencies; funds, metals and test codes have no minor unit and are left out.
_ISO_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD
KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK
NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST
XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
_SCALE_EXCEPTIONS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
CURRENCY_SCALES: dict[str, int] = dict.fromkeys(_ISO_CODES.split(), DEFAULT_SCALE) | {
    code: scale for scale, codes in _SCALE_EXCEPTIONS.items() for code in codes.split()
}


class UnknownCurrency(DomainError):
    """The code is not an active ISO 4217 currency."""

    code: ClassVar[str] = "unknown_currency"


class InvalidAmount(DomainError):
    """The text is not a number, is a float, or has more decimals than can be kept exactly."""

    code: ClassVar[str] = "invalid_amount"


def currency_scale(currency: str) -> int:
    """Return how many decimals the minor unit of an ISO 4217 currency has: JPY 0, EUR 2, KWD 3.

    Raises:
        UnknownCurrency: if the code is not an active currency.
    """
    try:
        return CURRENCY_SCALES[currency]
    except KeyError:
        raise UnknownCurrency(f"{currency!r} is not an ISO 4217 currency", currency=currency) from None


def parse_micro(value: str | int | Decimal) -> int:
    """Return an amount in major units as micros, exactly: "12.5" is 12_500_000.

    Raises:
        InvalidAmount: if it is not a finite number, is a float, or has more than six decimals.
    """
    return _parse_scaled(value, MICRO_SCALE)


def parse_minor(value: str | int | Decimal, currency: str) -> int:
    """Return an amount in major units as minor units of the currency, exactly: "12.5" EUR is 1250.

    Raises:
        InvalidAmount: if it is not a finite number, is a float, or has more decimals than the currency.
        UnknownCurrency: if the code is not an active currency.
    """
    return _parse_scaled(value, currency_scale(currency))


def minor_to_decimal(amount_minor: int, currency: str) -> Decimal:
    """Return minor units as a decimal of major units with the currency's decimals: 1250 EUR is 12.50.

    Raises:
        UnknownCurrency: if the code is not an active currency.
    """
    return _to_decimal(amount_minor, currency_scale(currency))


def micro_to_decimal(amount_micro: int) -> Decimal:
    """Return micros as a decimal of major units with six decimals: 12_500_000 is 12.500000."""
    return _to_decimal(amount_micro, MICRO_SCALE)


def _parse_scaled(value: str | int | Decimal, scale: int) -> int:
    sign, digits, exponent = _read_decimal(value).as_tuple()
    if not isinstance(exponent, int):
        raise InvalidAmount(f"{value!r} is not a finite number", value=value)
    coefficient = int("".join(map(str, digits)))
    shift = exponent + scale
    if shift > scale + 30:
        raise InvalidAmount(f"{value!r} is too large", value=value)
    amount, rest = (coefficient * 10**shift, 0) if shift >= 0 else _shift_right(coefficient, -shift)
    if rest:
        raise InvalidAmount(f"{value!r} has more than {scale} decimals", value=value, scale=scale)
    return -amount if sign else amount


def _shift_right(coefficient: int, places: int) -> tuple[int, int]:
    """Return quotient and remainder by a power of ten; a power beyond the digits leaves only a remainder."""
    return divmod(coefficient, 10**places) if places <= len(str(coefficient)) else (0, coefficient)


def _read_decimal(value: str | int | Decimal) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InvalidAmount(f"{value!r} is a {type(value).__name__}; give text, an integer or a Decimal", value=value)
    try:
        return Decimal(value)
    except InvalidOperation:
        raise InvalidAmount(f"{value!r} is not a number", value=value) from None


def _to_decimal(amount: int, scale: int) -> Decimal:
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise InvalidAmount(f"{amount!r} is a {type(amount).__name__}, not an integer amount", value=amount)
    digits = tuple(map(int, str(abs(amount))))
    return Decimal((int(amount < 0), digits, -scale))
