"""Values as they travel: text without control characters, ISO dates, amounts as text; nothing is guessed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from coax.base.instants import FIRST_DAY, LAST_DAY, InstantInvalid, parse_instant

CODE_CHARS_MAX: Final = 200
TEXT_CHARS_MAX: Final = 500
ISO_DATE_CHARS: Final = 10
COUNT_MAX: Final = 2_147_483_647


CivilDate = date  # under a name that no field has


class Model(BaseModel):
    """What travels as a JSON object: exactly the declared members."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Model):
    """An empty object."""


def _read_day(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        day = date.fromisoformat(value if isinstance(value, str) and len(value) == ISO_DATE_CHARS else "")
    except ValueError:
        raise PydanticCustomError("date_invalid", "write the date as YYYY-MM-DD") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise PydanticCustomError("date_invalid", f"allowed is {FIRST_DAY} to {LAST_DAY}")
    return day


def _read_instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return parse_instant(value if isinstance(value, str) else "")
    except InstantInvalid as fault:
        raise PydanticCustomError("instant_invalid", f"allowed is {fault.data['allowed']}") from None


Code = Annotated[str, StringConstraints(min_length=1, max_length=CODE_CHARS_MAX, pattern=r"^[^\u0000-\u001f\u007f]+$")]
Text = Annotated[str, StringConstraints(max_length=TEXT_CHARS_MAX, pattern=r"^[^\u0000-\u001f\u007f]*$")]
Reason = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=CODE_CHARS_MAX, pattern=r"^[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f]"
    ),
]
Day = Annotated[
    date,
    BeforeValidator(_read_day),
    WithJsonSchema({"type": "string", "format": "date", "description": f"{FIRST_DAY} to {LAST_DAY}."}),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_read_instant),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": f"With an offset or Z, {FIRST_DAY} to {LAST_DAY}.",
            "examples": ["2026-07-09T20:15:00+02:00"],
        }
    ),
]
Amount = Annotated[
    str,
    StringConstraints(max_length=24, pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,6})?$"),
    Field(description="Exact decimal in major units, such as 12.50.", examples=["12.50"]),
]
Positive = Annotated[int, Field(strict=True, ge=1, le=COUNT_MAX)]
Natural = Annotated[int, Field(strict=True, ge=0, le=COUNT_MAX)]
Flag = Annotated[bool, Field(strict=True)]
Money = Annotated[str, Field(description="Exact decimal in major units of `currency`.", examples=["12.50"])]
Currency = Annotated[str, Field(description="ISO 4217.", examples=["EUR"])]
