"""The words of a bill, one catalogue per language; a new language is a new file beside `en.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import yaml
from babel import Locale, UnknownLocaleError

DEFAULT_LOCALE: Final = "en"
_DIRECTORY: Final = Path(__file__).parent
# Plain English is read as the British: days before months, as in most of the world.
_PREFERRED: Final = {"en": "en_GB"}


@cache
def list_languages() -> frozenset[str]:
    """Return the languages that have a catalogue."""
    return frozenset(path.stem for path in _DIRECTORY.glob("*.yaml"))


@cache
def get_texts(language: str) -> dict[str, str]:
    """Return the catalogue of a language that `list_languages` names."""
    loaded = yaml.safe_load((_DIRECTORY / f"{language}.yaml").read_text(encoding="utf-8"))
    return {str(key): str(text) for key, text in loaded.items()}


def choose_locale(*wanted: str) -> str:
    """Return the first locale that is known and has texts, written as `de_DE`; else English.

    A territory that is not known is left out: `de_XX` is `de`.
    """
    for text in wanted:
        locale = find_locale(text)
        if locale is not None and locale.language in list_languages():
            return str(locale)
    return DEFAULT_LOCALE


@cache
def find_locale(text: str) -> Locale | None:
    """Return the locale of a text such as `de`, `de_DE` or `de-DE`, or None."""
    parts = text.replace("-", "_").split("_")
    for candidate in ("_".join(parts), parts[0]):
        try:
            return Locale.parse(candidate)
        except (UnknownLocaleError, ValueError):
            continue
    return None


def get_format_locale(text: str) -> Locale:
    """Return the locale whose dates and numbers a bill in the locale `text` shows."""
    return find_locale(_PREFERRED.get(text, text)) or Locale.parse(DEFAULT_LOCALE)
