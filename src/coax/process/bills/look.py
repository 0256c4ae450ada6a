"""How an operator's bills look: its color, and its logo, which the operator's record carries with it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

DEFAULT_COLOR: Final = "#1f4e79"
FORMATS: Final = ("png", "jpg", "svg")


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture and its format, which is also the ending of its file name."""

    format: str
    content: bytes


@dataclass(frozen=True, slots=True)
class BillLook:
    """The operator's main color as #rrggbb, and its logo if it has one."""

    primary_color: str = DEFAULT_COLOR
    logo: Logo | None = None


def read_look(profile: Mapping[str, Any]) -> BillLook:
    """Return the look that an operator's profile describes; a picture that is none is left out."""
    branding = profile.get("branding") or {}
    return BillLook(branding.get("primary_color") or DEFAULT_COLOR, _read_logo(profile.get("logo_data") or {}))


def _read_logo(data: Mapping[str, str]) -> Logo | None:
    if data.get("format") not in FORMATS:
        return None
    try:
        return Logo(data["format"], base64.b64decode(data.get("base64", ""), validate=True))
    except binascii.Error:
        return None
