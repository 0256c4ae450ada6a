"""Write entities back in the shape of the files: only what is not the default, in a fixed order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import yaml

from coax.configuration.rules.difference import as_plain_data
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.operator import OperatorSpec
from coax.configuration.types.registry import KINDS


def build_document(rows: Iterable[ConfigurationRow], operator: OperatorSpec | None = None) -> dict[str, Any]:
    """Return the configuration as plain data by section; applying it again changes nothing.

    Sections come in the registry's order, entities by code, versions by date. A version has its date when its
    entity has several, or when it does not hold from the beginning.
    """
    document: dict[str, Any] = {}
    if operator is not None:
        document["operator"] = _dump(operator)
    ordered = sorted(rows, key=lambda row: (row.code, row.effective_date))
    for kind in KINDS.values():
        own = [row for row in ordered if row.kind == kind.code]
        counts = Counter(row.code for row in own)
        if own:
            document[kind.section] = [_dump_row(row, is_only=counts[row.code] == 1) for row in own]
    return document


def write_yaml(document: dict[str, Any]) -> str:
    """Return a document as YAML text; decimals are in quotes, so other programs read them exactly too."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _dump_row(row: ConfigurationRow, *, is_only: bool) -> dict[str, Any]:
    entry = _dump(row.spec)
    if not is_only:
        entry["effective_date"] = row.effective_date.isoformat()
    return entry


def _dump(spec: Any) -> dict[str, Any]:
    data: dict[str, Any] = as_plain_data(spec.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    return data
