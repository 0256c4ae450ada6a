"""Pure decisions about people and programs: what a searched text may mean, what a secret is kept as, what changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from coax.party.types import SecretPurpose

SECRET_PREFIXES: Final = {purpose: f"coax_{purpose}_" for purpose in SecretPurpose}
SECRET_CHARS_MAX: Final = 200
PHONE_DIGITS_MIN: Final = 4
PHONE_SIGNS: Final = frozenset("+-/(). ")
IPV6_SITE_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """Patterns for LIKE: beginnings of codes and texts, digits anywhere in a phone number (empty when it is none)."""

    codes: tuple[str, ...]
    text: str
    phone_digits: str


def read_search_terms(text: str) -> SearchTerms:
    """Return what a typed text may be: the beginning of a code, a name or an e-mail, or part of a phone number.

    Codes are also looked for in capitals and in small letters; a phone number by its digits, wherever they
    stand in it, without the leading zeros that stand for a country code.
    """
    typed = " ".join(text.split())
    codes = dict.fromkeys((typed, typed.upper(), typed.lower()))
    digits = "".join(filter(str.isdecimal, typed))
    is_phone = len(digits) >= PHONE_DIGITS_MIN and not set(typed) - PHONE_SIGNS - set(digits)
    return SearchTerms(
        codes=tuple(f"{escape_like(code)}%" for code in codes),
        text=f"{escape_like(typed.lower())}%",
        phone_digits=f"%{digits.lstrip('0')}%" if is_phone else "",
    )


def escape_like(text: str) -> str:
    """Return a text in which LIKE sees no wildcard."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def hash_secret(secret: str) -> str:
    """Return what is stored of a secret. It is random and 256 bits long: nothing slower than SHA-256 is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_purpose(secret: str) -> SecretPurpose | None:
    """Return what a text that looks like one of our secrets is for, by its prefix."""
    if len(secret) > SECRET_CHARS_MAX or not secret.isascii():
        return None
    return next((purpose for purpose, prefix in SECRET_PREFIXES.items() if secret.startswith(prefix)), None)


def find_changes(
    *, stored: Mapping[str, Any], wanted: Mapping[str, Any], expected: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the wanted values that differ from what is stored, and the names of expected ones that do."""
    changes = {name: value for name, value in wanted.items() if stored[name] != value}
    return changes, tuple(name for name, value in expected.items() if stored[name] != value)


def name_client(address: str) -> str:
    """Return what stands for the site of a client: its IPv4 address, of an IPv6 one the network of `IPV6_SITE_BITS`.

    Whoever has an IPv6 address has the whole of that network. What is no address stands for itself.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, IPV6_SITE_BITS), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)
