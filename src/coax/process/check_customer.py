"""What may be said of a contact and of an account's terms: the rules of an import, for one value at a time."""

from __future__ import annotations

from typing import ClassVar, Final

import polars as pl

from coax.base.errors import DomainError
from coax.base.money import InvalidAmount, minor_to_decimal, parse_minor
from coax.ledger.types import AMOUNT_MINOR_MAX
from coax.process.import_subscribers.catalogue import Catalogue, list_allowed
from coax.process.import_subscribers.columns import Cell
from coax.process.import_subscribers.parsing import TEXT_PATTERNS

_CELLS: Final = {"code": Cell.CODE, "email": Cell.EMAIL, "locale": Cell.LOCALE}


class AccountRefused(DomainError):
    """A value of an account is not allowed; `field`, `value` and `allowed` say which and what is."""

    code: ClassVar[str] = "account_refused"


def find_allowed_text(name: str, text: str) -> str | None:
    """Return what is allowed in place of a text of a contact, or of a `code`; None where it may be said."""
    pattern, length_max, allowed = TEXT_PATTERNS[_CELLS.get(name, Cell.TEXT)]
    is_good = pl.Series([text]).str.contains(pattern)[0] and len(text) <= length_max
    return None if is_good else allowed


def read_classification(code: str | None, catalogue: Catalogue) -> int | None:
    """Return the key of an active classification; None for none. Raises: AccountRefused."""
    if code is None:
        return None
    names = catalogue.classifications
    if code not in names:
        refuse("classification", code, list_allowed(names) or "none")
    return names[code]


def read_credit_limit(text: str, catalogue: Catalogue) -> int:
    """Return a credit limit in major units as minor ones. Raises: AccountRefused."""
    most = minor_to_decimal(AMOUNT_MINOR_MAX, catalogue.currency)
    allowed = f"an amount from 0 to {most:f} of at most {catalogue.currency_scale} decimals"
    try:
        limit = parse_minor(text, catalogue.currency)
    except InvalidAmount:
        limit = -1
    if not 0 <= limit <= AMOUNT_MINOR_MAX:
        refuse("credit_limit", text, allowed)
    return limit


def read_credit_rating(rating: str, catalogue: Catalogue) -> str:
    """Return a credit rating of the receivable definition; empty for none. Raises: AccountRefused."""
    if rating and rating not in catalogue.credit_ratings:
        refuse("credit_rating", rating, list_allowed(catalogue.credit_ratings) or "none")
    return rating


def read_credit_period(days: int, catalogue: Catalogue) -> int:
    """Return a credit period that the receivable definition allows, or zero. Raises: AccountRefused."""
    low, high = catalogue.credit_period_bounds
    if days and not low <= days <= high:
        refuse("credit_period_days", days, f"{low} to {high}")
    return days


def refuse(field: str, value: object, allowed: str) -> None:
    """Raise AccountRefused."""
    message = f"{field}: {value!r} is not allowed; allowed is: {allowed}."
    raise AccountRefused(message, field=field, value=value, allowed=allowed)
