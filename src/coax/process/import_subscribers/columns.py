"""The columns of an import file: one row is one service of a subscription of an account of a contact."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CREDIT_PERIOD_DAYS_MAX: Final = 366
QUANTITY_MAX: Final = 1_000_000


class Level(StrEnum):
    """What a column says something about; rows of the same one must not contradict each other."""

    CONTACT = "contact"
    ACCOUNT = "account"
    SUBSCRIPTION = "subscription"
    SERVICE = "service"


class Cell(StrEnum):
    """How a cell is read."""

    CODE = "code"
    TEXT = "text"
    EMAIL = "email"
    LOCALE = "locale"
    NAME = "name"  # the code of a configuration entity, checked against the configuration
    FREQUENCY = "frequency"
    INTEGER = "integer"
    DATE = "date"
    MINOR = "minor"  # amount in major units, exact in the operator's currency
    MICRO = "micro"  # amount in major units with up to six decimals
    PERCENT = "percent"


EXACT_CELLS: Final = frozenset({Cell.MINOR, Cell.MICRO, Cell.PERCENT})


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `bounds` are the smallest and largest integer allowed."""

    name: str
    level: Level
    cell: Cell
    is_required: bool = False
    bounds: tuple[int, int] | None = None


COLUMNS: Final = (
    Column("contact_code", Level.ACCOUNT, Cell.CODE),
    Column("name", Level.CONTACT, Cell.TEXT),
    Column("email", Level.CONTACT, Cell.EMAIL),
    Column("phone", Level.CONTACT, Cell.TEXT),
    Column("street", Level.CONTACT, Cell.TEXT),
    Column("postal_code", Level.CONTACT, Cell.TEXT),
    Column("city", Level.CONTACT, Cell.TEXT),
    Column("country", Level.CONTACT, Cell.TEXT),
    Column("locale", Level.CONTACT, Cell.LOCALE),
    Column("account_code", Level.ACCOUNT, Cell.CODE, is_required=True),
    Column("classification", Level.ACCOUNT, Cell.NAME),
    Column("credit_limit", Level.ACCOUNT, Cell.MINOR),
    Column("credit_rating", Level.ACCOUNT, Cell.NAME),
    Column(
        "credit_period_days",
        Level.ACCOUNT,
        Cell.INTEGER,
        bounds=(-CREDIT_PERIOD_DAYS_MAX, CREDIT_PERIOD_DAYS_MAX),
    ),
    Column("currency", Level.ACCOUNT, Cell.NAME),
    Column("subscription_code", Level.SUBSCRIPTION, Cell.CODE, is_required=True),
    Column("subscription_type", Level.SUBSCRIPTION, Cell.NAME),
    Column("scheme", Level.SUBSCRIPTION, Cell.NAME, is_required=True),
    Column("price_plan", Level.SUBSCRIPTION, Cell.NAME),
    Column("frequency", Level.SUBSCRIPTION, Cell.FREQUENCY),
    Column("cycle_day", Level.SUBSCRIPTION, Cell.INTEGER, bounds=(1, 31)),
    Column("agreement_date", Level.SUBSCRIPTION, Cell.DATE),
    Column("binding_period", Level.SUBSCRIPTION, Cell.FREQUENCY),
    Column("binding_start_date", Level.SUBSCRIPTION, Cell.DATE),
    Column("service_code", Level.SERVICE, Cell.CODE),
    Column("product", Level.SERVICE, Cell.NAME, is_required=True),
    Column("quantity", Level.SERVICE, Cell.INTEGER, bounds=(1, QUANTITY_MAX)),
    Column("effective_from", Level.SERVICE, Cell.DATE, is_required=True),
    Column("effective_to", Level.SERVICE, Cell.DATE),
    Column("agreed_price", Level.SERVICE, Cell.MICRO),
    Column("discount_percent", Level.SERVICE, Cell.PERCENT),
    Column("billed_until", Level.SERVICE, Cell.DATE),
)
COLUMN_NAMES: Final = tuple(column.name for column in COLUMNS)
REQUIRED: Final = tuple(column.name for column in COLUMNS if column.is_required)


def columns_of(level: Level) -> list[str]:
    """Return the names of the columns that say something about a contact, account, subscription or service."""
    return [column.name for column in COLUMNS if column.level is level]
