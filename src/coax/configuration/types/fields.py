"""The vocabulary of all configuration entities: base class, codes, prices, percentages, spans, references.

No spec exists in a wrong state. `refuse` lets a constructor report several faults, each at its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    Strict,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from coax.base.calendar import FREQUENCY_COUNT_MAX, NAMED_FREQUENCIES, UnknownFrequency
from coax.base.calendar import Frequency as BillingFrequency
from coax.base.money import CURRENCY_SCALES

T = TypeVar("T")

BEGINNING: Final = date(1970, 1, 1)
PRICE_DECIMALS_MAX: Final = 6
PERCENT_DECIMALS_MAX: Final = 4
PRICE_MAX: Final = Decimal(1_000_000_000)
CODE_LENGTH_MAX: Final = 63
TEXT_LENGTH_MAX: Final = 500
COUNT_MAX: Final = FREQUENCY_COUNT_MAX

CODE_PATTERN: Final = r"^[a-z0-9]+([_-][a-z0-9]+)*$"


class Spec(BaseModel):
    """A value of the configuration: strict types, no unknown keys, immutable."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        validate_by_name=True,
        validate_by_alias=True,
    )


class Choice(StrEnum):
    """A closed list of lower_snake values, read from their text even where everything else is strict."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        schema["strict"] = False
        return schema  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Ref:
    """Marks a field as the code of another entity; `kind` names which."""

    kind: str


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault found by a constructor: where in the value, what is wrong, what was given."""

    loc: tuple[str | int, ...]
    message: str
    value: Any = None


def refuse(title: str, issues: Sequence[Issue]) -> None:
    """Refuse a value with every issue at its own place; do nothing when there is none.

    Raises:
        ValidationError: one line per issue.

    """
    if not issues:
        return
    details = [
        InitErrorDetails(
            type=PydanticCustomError("refused", "{text}", {"text": issue.message}),
            loc=issue.loc,
            input=issue.value,
        )
        for issue in issues
    ]
    raise ValidationError.from_exception_data(title, details)


def _as_text(value: Any) -> Any:
    """Take a whole number or an exact decimal written without quotes for the text that it is."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if is_number else value


def _as_date(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("date", "not a date: write it as YYYY-MM-DD") from None
    if isinstance(value, datetime):
        raise PydanticCustomError("date", "a date without a time is wanted: YYYY-MM-DD")
    return value


def _since_beginning(value: date) -> date:
    if value < BEGINNING:
        raise PydanticCustomError("date", "dates begin at 1970-01-01")
    return value


def _as_decimal(value: Any) -> Any:
    """Read an exact number from text, int or Decimal; a float is refused, it is not exact."""
    if isinstance(value, float):
        raise PydanticCustomError("decimal", "a binary float is not exact: give text, an int or a Decimal")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise PydanticCustomError("decimal", "a number is wanted, such as 12.50")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise PydanticCustomError("decimal", "not a number: write it such as 12.50") from None
    if not number.is_finite():
        raise PydanticCustomError("decimal", "a finite number is wanted")
    return number


def _check_decimals(value: Decimal, decimals_max: int) -> Decimal:
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals_max:
        text = "at most {decimals} decimals are allowed"
        raise PydanticCustomError("decimals", text, {"decimals": decimals_max})
    return value


def _check_price(value: Decimal) -> Decimal:
    if not 0 <= value <= PRICE_MAX:
        text = "an amount from 0 to {maximum} is wanted"
        raise PydanticCustomError("price", text, {"maximum": str(PRICE_MAX)})
    return _check_decimals(value, PRICE_DECIMALS_MAX)


def _check_percent(value: Decimal) -> Decimal:
    if not 0 <= value <= 100:  # noqa: PLR2004  # a hundred of a hundred
        raise PydanticCustomError("percent", "a percentage from 0 to 100 is wanted")
    return _check_decimals(value, PERCENT_DECIMALS_MAX)


def _check_not_empty(value: tuple[T, ...]) -> tuple[T, ...]:
    if not value:
        raise PydanticCustomError("too_short", "at least one is wanted")
    return value


def _check_currency(value: str) -> str:
    if value not in CURRENCY_SCALES:
        raise PydanticCustomError("currency", "not an ISO 4217 currency; write it such as EUR")
    return value


def _decimal_schema(decimals_max: int, description: str) -> WithJsonSchema:
    pattern = rf"^[0-9]+(\.[0-9]{{1,{decimals_max}}})?$"
    anyof = [{"type": "number", "minimum": 0}, {"type": "string", "pattern": pattern}]
    return WithJsonSchema({"anyOf": anyof, "description": description})


Code = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX),
]
Text = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(min_length=1, max_length=TEXT_LENGTH_MAX, strip_whitespace=True),
]
CivilDate = Annotated[date, BeforeValidator(_as_date), AfterValidator(_since_beginning)]
Price = Annotated[
    Decimal,
    BeforeValidator(_as_decimal),
    AfterValidator(_check_price),
    _decimal_schema(PRICE_DECIMALS_MAX, "Amount in major units, at most six decimals, read exactly."),
]
Percent = Annotated[
    Decimal,
    BeforeValidator(_as_decimal),
    AfterValidator(_check_percent),
    _decimal_schema(PERCENT_DECIMALS_MAX, "Percentage from 0 to 100, at most four decimals."),
]
Currency = Annotated[
    str,
    AfterValidator(_check_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code."}),
]
DayOfMonth = Annotated[int, Field(ge=1, le=31)]
Many = Annotated[tuple[T, ...], Strict(strict=False)]
AtLeastOne = Annotated[
    tuple[T, ...],
    Strict(strict=False),
    AfterValidator(_check_not_empty),  # not min_length, which blames the list for each wrong item too
    Field(json_schema_extra={"minItems": 1}),
]


class TimeUnit(Choice):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Span(Spec):
    """A length of civil time: so many days, weeks, months or years."""

    count: int = Field(ge=1, le=COUNT_MAX, description="How many units.")
    unit: TimeUnit = Field(description="Unit of the span.")

    @property
    def months_days(self) -> tuple[int, int]:
        """Return the span as (months, days); one of the two is 0."""
        return _months_days(self.count, self.unit)


def _months_days(count: int, unit: TimeUnit) -> tuple[int, int]:
    match unit:
        case TimeUnit.DAY:
            return 0, count
        case TimeUnit.WEEK:
            return 0, count * 7
        case TimeUnit.MONTH:
            return count, 0
        case TimeUnit.YEAR:
            return count * 12, 0


def frequency_months_days(code: str) -> tuple[int, int]:
    """Return a billing frequency or binding period as (months, days); one of the two is 0.

    Raises:
        UnknownFrequency: the code is neither a named frequency nor such as `10_days`.

    """
    frequency = BillingFrequency.from_code(code)
    return frequency.months, frequency.days


_NAME_OF_LENGTH: Final = {(found.months, found.days): name for name, found in NAMED_FREQUENCIES.items()}


def _canonical_frequency(value: str) -> str:
    """Give a frequency its name where it has one: `1_month` is `monthly`, `2_years` is `two_years`."""
    try:
        found = BillingFrequency.from_code(value)
    except UnknownFrequency:
        allowed = ", ".join(NAMED_FREQUENCIES)
        text = "unknown frequency; allowed: {allowed}, or a custom one such as 10_days, 3_weeks, 2_months"
        raise PydanticCustomError("frequency", text, {"allowed": allowed}) from None
    return _NAME_OF_LENGTH.get((found.months, found.days), found.code)


Frequency = Annotated[
    str,
    AfterValidator(_canonical_frequency),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(NAMED_FREQUENCIES)},
                {"type": "string", "pattern": "^[1-9][0-9]{0,3}_(day|week|month|year)s?$"},
            ]
        }
    ),
]


def divides(span: tuple[int, int], whole: tuple[int, int]) -> bool:
    """Tell whether a span of (months, days) fits a whole number of times into another one."""
    months, days = span
    whole_months, whole_days = whole
    if months:
        return not whole_days and whole_months > 0 and whole_months % months == 0
    return not whole_months and whole_days > 0 and whole_days % days == 0
