"""Pure decisions about people: what a searched text may mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PHONE_DIGITS_MIN: Final = 4
PHONE_SIGNS: Final = frozenset("+-/(). ")


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """Patterns for LIKE, all of them prefixes; `phone_digits` is empty when the text is no phone number."""

    codes: tuple[str, ...]
    text: str
    phone_digits: str


def read_search_terms(text: str) -> SearchTerms:
    """Return what a text that a person typed may be: the beginning of a code, a name, an e-mail or a phone number.

    Codes are also looked for in capitals and in small letters; a phone number by its digits.
    """
    typed = " ".join(text.split())
    codes = dict.fromkeys((typed, typed.upper(), typed.lower()))
    digits = "".join(filter(str.isdecimal, typed))
    is_phone = len(digits) >= PHONE_DIGITS_MIN and not set(typed) - PHONE_SIGNS - set(digits)
    return SearchTerms(
        codes=tuple(f"{escape_like(code)}%" for code in codes),
        text=f"{escape_like(typed.lower())}%",
        phone_digits=f"{digits}%" if is_phone else "",
    )


def escape_like(text: str) -> str:
    """Return a text in which LIKE sees no wildcard."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
