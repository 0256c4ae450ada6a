"""The operator: whose configuration this is, its currency, clock and look."""

from __future__ import annotations

from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from coax.configuration.types.fields import Choice, CivilDate, Code, Currency, Issue, Many, Spec, Text, refuse


class ClockKind(Choice):
    REAL = "real"
    SIMULATED = "simulated"


def _check_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        raise PydanticCustomError("time_zone", "unknown time zone; write it such as Europe/Berlin") from None
    return value


TimeZone = Annotated[str, AfterValidator(_check_time_zone)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}([_-][A-Z][a-z]{3})?([_-][A-Z]{2})?$")]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


class Branding(Spec):
    """How bills and pages look."""

    logo: Text | None = Field(default=None, description="Image file, relative to the configuration's directory.")
    primary_color: Color = Field(default="#1f4e79", description="Main color, as #rrggbb (in quotes).")


class OperatorSpec(Spec):
    """A company that bills its customers; a tenant of the system."""

    code: Code = Field(description="Stable key: lower-case letters, digits, - and _.")
    name: Text = Field(description="Legal name, as on bills.")
    currency: Currency = Field(description="ISO 4217 code of accounts and bills.")
    time_zone: TimeZone = Field(default="UTC", description="Time zone of civil dates, such as Europe/Berlin.")
    locale: Locale = Field(default="en", description="Language and formats, such as en, de_DE, el_GR.")
    clock: ClockKind = Field(default=ClockKind.REAL, description="The real time, or a simulated one set by hand.")
    clock_date: CivilDate | None = Field(default=None, description="First day of a simulated clock.")
    branding: Branding = Field(default=Branding(), description="How bills and pages look.")
    address: Many[Text] = Field(default=(), description="Address lines, as on bills.")
    tax_number: Text | None = Field(default=None, description="Tax number, as on bills.")
    bill_number_prefix: str = Field(
        default="",
        max_length=12,
        pattern=r"^[A-Za-z0-9/_-]*$",
        description="Text before the number of a bill.",
    )

    @model_validator(mode="after")
    def _clock_has_its_date(self) -> Self:
        if self.clock_date and self.clock is not ClockKind.SIMULATED:
            refuse("operator", [Issue(("clock_date",), "goes only with clock: simulated", self.clock_date)])
        return self
