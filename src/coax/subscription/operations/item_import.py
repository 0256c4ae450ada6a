"""Receive many items from a CSV file: all of them or none, every problem with its line."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from typing import ClassVar, Final

from coax.base.errors import DomainError
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.types.items import ItemCondition, ItemValueRefused

COLUMNS: Final = frozenset({"serial", "good", "location", "condition", "mac", "card_number", "distributor"})
REQUIRED: Final = ("serial", "good", "location")


class ItemImportRefused(DomainError):
    """Lines of the file are bad; nothing stays when the caller's transaction is undone."""

    code: ClassVar[str] = "item_import_refused"


def import_items(*, tenant_id: int, lines: Iterable[str], actor: str, performed_on: date, reason: str) -> int:
    """Receive the items of a CSV file with a heading; return how many. Raises: ItemImportRefused."""
    reader = csv.DictReader(lines)
    names = set(reader.fieldnames or ())
    if not names.issuperset(REQUIRED) or names - COLUMNS:
        raise ItemImportRefused(f"line 1: columns {sorted(names)} are not allowed; allowed: {sorted(COLUMNS)}.")
    problems, count = [], 0
    for count, row in enumerate(reader, start=1):
        values = {name: value or "" for name, value in row.items() if name in COLUMNS}
        given = values.pop("condition", "") or ItemCondition.NEW
        try:
            if given not in list(ItemCondition):
                raise ItemValueRefused(f"condition: {given!r} is not allowed; allowed: {', '.join(ItemCondition)}.")
            receive_item(
                tenant_id=tenant_id,
                condition=ItemCondition(given),
                actor=actor,
                performed_on=performed_on,
                reason=reason,
                **values,
            )
        except DomainError as fault:
            problems.append(f"line {count + 1}: {fault.message}")
    if problems:
        raise ItemImportRefused("\n".join(problems), problems=len(problems))
    return count
