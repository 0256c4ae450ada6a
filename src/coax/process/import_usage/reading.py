"""Read a CSV file of usage: each line a request, or its faults; what the configuration allows is asked later."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Final

from coax.base.errors import DomainError
from coax.base.instants import FIRST_DAY, LAST_DAY, InstantInvalid, parse_instant
from coax.base.money import MICRO, MICRO_SCALE, InvalidAmount, parse_micro
from coax.configuration.types.fields import PRICE_MAX
from coax.process.import_subscribers.reading import FileUnreadable
from coax.subscription.rules.usage import DETAIL_CHARS_MAX, UNITS_MAX
from coax.subscription.types.actions import ActionRequest, Behaviour, UsageDetail

LINES_MAX: Final = 200_000
CODE_CHARS_MAX: Final = 200
HEADING_CHARS_MAX: Final = 10_000
DELIMITERS: Final = (",", ";")
TOO_MANY: Final = "\0too many"  # no heading can be called so: what stands beyond it is found by it
_WHOLE: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_AMOUNT: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,6})?", re.ASCII)
_BOOLEANS: Final = {"yes": True, "no": False}


class UsageFileRefused(DomainError):
    """The file's columns, or its number of lines, are not allowed; nothing was recorded."""

    code: ClassVar[str] = "usage_file_refused"


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell whose form is not allowed."""

    line: int
    field: str
    value: str
    allowed: str


@dataclass(frozen=True, slots=True)
class UsageLine:
    """A line of the file and what it asks for."""

    line: int
    request: ActionRequest


@dataclass(frozen=True, slots=True)
class _Column:
    """How a cell is read (text and time zone in, ValueError where its form is not allowed) and what it becomes."""

    read: Callable[[str, str], Any]
    allowed: str
    name: str
    is_of_usage: bool = False
    is_required: bool = False


def _read_text(chars_max: int) -> Callable[[str, str], str]:
    def read(text: str, _: str) -> str:
        if len(text) > chars_max or not text.isprintable():
            raise ValueError
        return text

    return read


def _read_whole(text: str, _: str) -> int:
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= UNITS_MAX:
        raise ValueError
    return int(text)


def _read_day(text: str, _: str) -> date:
    day = date.fromisoformat(text if _DAY.fullmatch(text) else "")
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError
    return day


def _read_amount(text: str, _: str) -> int:
    amount_micro = parse_micro(text if _AMOUNT.fullmatch(text) else "")
    if amount_micro > int(PRICE_MAX) * MICRO:
        raise ValueError
    return amount_micro


def _read_boolean(text: str, _: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError
    return _BOOLEANS[text]


_CODE: Final = _read_text(CODE_CHARS_MAX)
_TOLD: Final = _read_text(DETAIL_CHARS_MAX)
_CODE_FORM: Final = f"1 to {CODE_CHARS_MAX} characters on one line"
_TOLD_FORM: Final = f"up to {DETAIL_CHARS_MAX} characters on one line"
_DAY_FORM: Final = f"YYYY-MM-DD from {FIRST_DAY} to {LAST_DAY}"
_TIME_FORM: Final = f"YYYY-MM-DDTHH:MM from {FIRST_DAY} to {LAST_DAY}, with an offset or in the operator's time zone"
_AMOUNT_FORM: Final = f"an amount from 0 to {PRICE_MAX} of at most {MICRO_SCALE} decimals, such as 12.50"


def _read_time(text: str, time_zone: str) -> Any:
    return parse_instant(text, time_zone=time_zone)


_COLUMNS: Final[dict[str, _Column]] = {
    "subscription": _Column(_CODE, _CODE_FORM, "subscription_code", is_required=True),
    "product": _Column(_CODE, _CODE_FORM, "product_code", is_required=True),
    "performed_on": _Column(_read_day, _DAY_FORM, "performed_on", is_required=True),
    "quantity": _Column(_read_whole, f"a whole number from 1 to {UNITS_MAX}", "quantity"),
    "service": _Column(_CODE, _CODE_FORM, "service_code"),
    "usage_type": _Column(_CODE, _CODE_FORM, "usage_type", is_of_usage=True),
    "catalog": _Column(_CODE, _CODE_FORM, "catalog", is_of_usage=True),
    "billed": _Column(_read_boolean, "yes or no", "is_billed", is_of_usage=True),
    "amount": _Column(_read_amount, _AMOUNT_FORM, "amount_micro", is_of_usage=True),
    "used_from": _Column(_read_time, _TIME_FORM, "used_from", is_of_usage=True),
    "used_to": _Column(_read_time, _TIME_FORM, "used_to", is_of_usage=True),
    **{
        name: _Column(_TOLD, _TOLD_FORM, name, is_of_usage=True)
        for name in ("source_system", "reference", "source", "destination", "device", "method", "category")
    },
}
COLUMN_NAMES: Final = tuple(_COLUMNS)
REQUIRED: Final = tuple(name for name, column in _COLUMNS.items() if column.is_required)


def read_usage(path: Path, *, time_zone: str, reason: str) -> tuple[list[UsageLine], list[Fault]]:
    """Return the requests of a CSV file with a heading, at most `LINES_MAX`, and every fault of form.

    Lines without any value are skipped; an empty cell says nothing. Raises: FileUnreadable, UsageFileRefused.
    """
    lines: list[UsageLine] = []
    faults: list[Fault] = []
    try:
        for line, row in _read_rows(path):
            found = list(_find_faults(line, row, time_zone))
            faults += found
            if not found:
                lines.append(UsageLine(line, _make_request(row, time_zone, reason)))
    except (OSError, UnicodeDecodeError) as fault:
        raise FileUnreadable(f"file: {path} cannot be read as UTF-8 text: {fault}.", file=path) from fault
    return lines, faults


def _read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the rows that hold a value, with their lines; `None` stands for a cell that is missing."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        heading = file.readline(HEADING_CHARS_MAX)
        delimiter = max(DELIMITERS, key=heading.count)
        file.seek(0)
        reader = csv.DictReader(file, delimiter=delimiter, restkey=TOO_MANY, restval=None, strict=True)
        try:
            _check_heading(reader.fieldnames or ())
            for count, row in enumerate(reader, start=1):
                if count > LINES_MAX:
                    text = f"line {reader.line_num}: there are more than {LINES_MAX} usages; use more files."
                    raise UsageFileRefused(text)
                cells = {name: value.strip() if isinstance(value, str) else value for name, value in row.items()}
                if any(cells.values()):
                    yield reader.line_num, cells
        except csv.Error as fault:
            raise UsageFileRefused(f"line {reader.reader.line_num}: {fault}.") from fault


def _check_heading(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in COLUMN_NAMES]
    missing = [name for name in REQUIRED if name not in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    found = {"unknown": unknown, "missing": missing, "twice": twice}
    faults = [f"{what}: {', '.join(map(repr, wrong))}" for what, wrong in found.items() if wrong]
    if faults:
        text = f"line 1: columns {'; '.join(faults)}. Allowed, each once: {', '.join(COLUMN_NAMES)}."
        raise UsageFileRefused(text)


def _find_faults(line: int, row: dict[str, Any], time_zone: str) -> Iterator[Fault]:
    if TOO_MANY in row or None in row.values():
        than = "more" if TOO_MANY in row else "fewer"
        yield Fault(line, "", f"{than} cells than the heading", "as many cells as the heading has")
        return
    for name, text in row.items():
        column = _COLUMNS[name]
        if column.is_required if not text else not _is_readable(column, text, time_zone):
            yield Fault(line, name, text, column.allowed)


def _is_readable(column: _Column, text: str, time_zone: str) -> bool:
    try:
        column.read(text, time_zone)
    except (ValueError, InvalidAmount, InstantInvalid):
        return False
    return True


def _make_request(row: dict[str, str], time_zone: str, reason: str) -> ActionRequest:
    values: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for name, text in row.items():
        if text:
            column = _COLUMNS[name]
            values[column.is_of_usage][column.name] = column.read(text, time_zone)
    return ActionRequest(
        behaviour=Behaviour.ADD_SERVICE_USAGE, reason=reason, usage=UsageDetail(**values[True]), **values[False]
    )
