"""Receive many items from a CSV file: all of them or none, every problem with its line."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, Final

from coax.base.errors import DomainError
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.types.items import Deed, ItemCondition, ItemValueRefused

COLUMNS: Final = frozenset({"serial", "good", "location", "condition", "mac", "card_number", "distributor"})
REQUIRED: Final = ("serial", "good", "location")
ROWS_MAX: Final = 50_000
TOO_MANY: Final = "\0too many"  # no heading can be called so: what stands beyond it is found by it


class ItemImportRefused(DomainError):
    """Lines of the file are bad; nothing stays when the caller's transaction is undone."""

    code: ClassVar[str] = "item_import_refused"


def import_items(*, tenant_id: int, lines: Iterable[str], actor: str, performed_on: date, reason: str) -> int:
    """Receive the items of a CSV file with a heading, at most `ROWS_MAX`; return how many. Raises: ItemImportRefused.

    `lines` is a file opened with newline="", so that a cell may hold any character.
    """
    deed = Deed(actor, performed_on, reason)
    reader = csv.DictReader(lines, restkey=TOO_MANY, restval=None)
    problems: list[str] = []
    count = 0
    try:
        _check_heading(reader.fieldnames or ())
        for row in reader:
            count += 1
            if count > ROWS_MAX:
                raise ItemImportRefused(
                    f"line {reader.line_num}: there are more than {ROWS_MAX} items; use more files."
                )
            try:
                _receive(tenant_id, row, deed)
            except DomainError as fault:
                problems.append(f"line {reader.line_num}: {fault.message}")
    except csv.Error as fault:
        raise ItemImportRefused(f"line {reader.reader.line_num}: {fault}.") from fault
    if problems:
        raise ItemImportRefused("\n".join(problems), problems=len(problems))
    return count


def _check_heading(names: Iterable[str]) -> None:
    given = list(names)
    if not set(given).issuperset(REQUIRED) or set(given) - COLUMNS or len(given) != len(set(given)):
        raise ItemImportRefused(f"line 1: columns {given} are not allowed; allowed, each once: {sorted(COLUMNS)}.")


def _receive(tenant_id: int, row: dict[str, Any], deed: Deed) -> None:
    if TOO_MANY in row:
        raise ItemValueRefused("it has more cells than the heading.")
    if None in row.values():
        raise ItemValueRefused("it has fewer cells than the heading.")
    condition = row.pop("condition", "") or ItemCondition.NEW
    if condition not in list(ItemCondition):
        raise ItemValueRefused(f"condition: {condition!r} is not allowed; allowed: {', '.join(ItemCondition)}.")
    receive_item(
        tenant_id=tenant_id,
        condition=ItemCondition(condition),
        actor=deed.actor,
        performed_on=deed.performed_on,
        reason=deed.reason,
        **row,
    )
