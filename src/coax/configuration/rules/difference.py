"""What differs between two specs of one kind, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from coax.configuration.types.documents import Difference, Loc, format_path
from coax.configuration.types.entity import Entity


def find_differences(before: Entity | None, after: Entity) -> tuple[Difference, ...]:
    """Return the fields that differ; the effective date is not one, it tells versions apart."""
    old = _plain(before) if before else {}
    return tuple(_compare(old, _plain(after), ()))


def _plain(spec: Entity) -> dict[str, Any]:
    return spec.model_dump(by_alias=True, exclude={"effective_date"})


def _compare(before: Any, after: Any, loc: Loc) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from _compare(before.get(key), after.get(key), (*loc, key))
    elif isinstance(before, tuple) and isinstance(after, tuple):
        for i in range(max(len(before), len(after))):
            yield from _compare(_item(before, i), _item(after, i), (*loc, i))
    elif before != after:
        yield Difference(format_path(loc), as_plain_data(before), as_plain_data(after))


def _item(items: tuple[Any, ...], i: int) -> Any:
    return items[i] if i < len(items) else None


def as_plain_data(value: Any) -> Any:
    """Return a value as JSON knows it: decimals and dates as text, tuples as lists."""
    if isinstance(value, dict):
        return {key: as_plain_data(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_plain_data(item) for item in value]
    if isinstance(value, Decimal | date):
        return str(value)
    return value
