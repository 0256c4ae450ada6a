"""The number of a bill as people read it: the operator's prefix and eight digits."""

from __future__ import annotations

from typing import ClassVar, Final

from coax.base.errors import DomainError

DIGITS: Final = 8


class InvalidBillNumber(DomainError):
    """The text is not the number of a bill."""

    code: ClassVar[str] = "invalid_bill_number"


def compose_bill_number(prefix: str, number: int) -> str:
    """Return the number as printed: `ZX-00000012`."""
    return f"{prefix}{number:0{DIGITS}d}"


def parse_bill_number(prefix: str, text: str) -> int:
    """Return the number that people wrote, with the prefix or without, with leading zeros or without.

    Raises:
        InvalidBillNumber: if something else than digits is left.
    """
    digits = text.strip().removeprefix(prefix)
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidBillNumber(
            f"{text!r} is not a bill number; write it such as {compose_bill_number(prefix, 12)} or 12.",
            given=text,
        )
    return int(digits)
