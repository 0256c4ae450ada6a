"""Values of installed items: states, conditions, places, who moves one and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final

from coax.base.errors import DomainError

TEXT_CHARS_MAX: Final = 200


class ItemState(StrEnum):
    """Life cycle of an item; `returned` waits to be tested."""

    IN_STOCK = "in_stock"
    RESERVED = "reserved"
    INSTALLED = "installed"
    RETURNED = "returned"
    DEFECTIVE = "defective"
    LOST = "lost"
    WRITTEN_OFF = "written_off"


class ItemCondition(StrEnum):
    NEW = "new"
    USED = "used"
    DEFECTIVE = "defective"


class ItemVerb(StrEnum):
    """What can be done to an item."""

    RECEIVE = "receive"
    TRANSFER = "transfer"
    RESERVE = "reserve"
    UNRESERVE = "unreserve"
    INSTALL = "install"
    RETURN = "return"
    TEST = "test"
    LOSE = "lose"
    FIND = "find"
    WRITE_OFF = "write_off"
    MOVE = "move"
    PAIR = "pair"
    UNPAIR = "unpair"


class ItemValueRefused(DomainError):
    """A value is not allowed; the message names field, value and what is allowed."""

    code: ClassVar[str] = "item_value_refused"


@dataclass(frozen=True, slots=True)
class Deed:
    """Who moves an item, on which day, why."""

    actor: str
    performed_on: date
    reason: str

    def __post_init__(self) -> None:
        for field in ("actor", "reason"):
            text = getattr(self, field)
            if not text.strip() or len(text) > TEXT_CHARS_MAX:
                allowed = f"1 to {TEXT_CHARS_MAX} characters"
                message = f"{field}: {text!r} is not allowed; allowed are {allowed}."
                raise ItemValueRefused(message, field=field, value=text, allowed=allowed)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item is: at a location, with a subscription, or (lost, written off) nowhere.

    A reserved item is at a location and names the subscription that it is kept for.
    """

    location_id: int | None = None
    account_id: int | None = None
    subscription_id: int | None = None
    reserved_for: int | None = None

    def __post_init__(self) -> None:
        if self.location_id is not None and self.subscription_id is not None:
            raise ItemValueRefused("An item is at a location or with a subscription, never both.")


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as read; `revision` counts its movements, `since_date` is the day of the last one."""

    item_id: int
    serial: str
    product_id: int
    good: str
    mac: str
    card_number: str
    distributor: str
    condition: ItemCondition
    state: ItemState
    location: str | None
    subscription: str | None
    reserved_for: str | None
    place: Place
    since_date: date
    revision: int


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One movement; the item is in its place for `moved_from <= day < moved_to`."""

    number: int
    verb: ItemVerb
    moved_from: date
    moved_to: date | None
    from_state: str
    from_place: str
    to_state: str
    to_place: str
    condition: str
    actor: str
    reason: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class AccountMovementRow:
    """A movement of an item to or from a subscription of an account."""

    verb: ItemVerb
    performed_on: date
    actor: str
    reason: str
    serial: str
    good: str


@dataclass(frozen=True, slots=True)
class InstalledItemRow:
    """An item of a subscription from a day on, `installed_to` exclusive and None while it is there."""

    installed_item_id: int
    item_id: int
    subscription: str
    serial: str
    good: str
    installed_from: date
    installed_to: date | None
    service: str | None
    paired_with: str | None


@dataclass(frozen=True, slots=True)
class Good:
    """A physical good or service as the rules of a definition see it."""

    product: str
    product_type: str | None = None
    distributor: str = ""
