"""Values of rating: enumerations that frames carry as small codes, refusals, the facts of one rated item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from coax.base.errors import DomainError

PPM = 1_000_000  # parts per million: 19 % is 190_000


class FrameCode(StrEnum):
    """An enumeration whose members travel in frames as their position; never reorder members, only append."""

    @property
    def frame_code(self) -> int:
        """Return the small integer that stands for this member in a frame column."""
        return list(type(self)).index(self)


class CycleAdjustment(FrameCode):
    """What a billed period's end does when it is not a cycle date (`adjustment`)."""

    NONE = "none"
    PREVIOUS = "previous"
    NEXT = "next"


class AdvanceMode(FrameCode):
    """How far a pre-billed service is billed in advance (`advance_mode`)."""

    BILLING_FREQUENCY_PERIOD = "billing_frequency_period"
    FIXED_PERIOD = "fixed_period"
    UP_TO_NEXT_CYCLE_DATE = "up_to_next_cycle_date"


class RateModel(FrameCode):
    """What a rate depends on (`model`)."""

    FLAT = "flat"
    QUANTITY = "quantity"
    MATURITY = "maturity"
    DURATION = "duration"
    QUANTITY_AND_MATURITY = "quantity_and_maturity"


class TierBasis(FrameCode):
    """Whether all units take the reached tier's price, or each slab its own (`tier_basis`)."""

    VOLUME = "volume"
    GRADUATED = "graduated"


class AppliedPer(FrameCode):
    """Whether a price is charged once per rate period, or once per rate period and item (`applied_per`)."""

    PERIOD = "period"
    PERIOD_AND_ITEM = "period_and_item"


class MaturityStart(FrameCode):
    """The day from which months of maturity are counted (`maturity_start`)."""

    SERVICE_EFFECTIVE_DATE = "service_effective_date"
    BINDING_START_DATE = "binding_start_date"
    AGREEMENT_DATE = "agreement_date"


class RefusalReason(StrEnum):
    """Why a service was not rated; stable codes, shown to people and kept in the run's log."""

    INVALID_INPUT = "invalid_input"
    TOO_MANY_PERIODS = "too_many_periods"
    NO_PRICE = "no_price"
    NO_TAX_RATE = "no_tax_rate"
    AMOUNT_TOO_LARGE = "amount_too_large"


class AmountsDoNotAddUp(DomainError):
    """Net and tax do not give the total."""

    code: ClassVar[str] = "amounts_do_not_add_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """The amounts of one rated item in micros; refuses to exist when net + tax is not the total.

    Raises:
        AmountsDoNotAddUp: if net + tax != total.
    """

    base_micro: int
    discount_micro: int
    net_micro: int
    tax_micro: int
    total_micro: int

    def __post_init__(self) -> None:
        if self.net_micro + self.tax_micro != self.total_micro:
            raise AmountsDoNotAddUp(
                f"net {self.net_micro} + tax {self.tax_micro} is not the total {self.total_micro}",
                net_micro=self.net_micro,
                tax_micro=self.tax_micro,
                total_micro=self.total_micro,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slab:
    """One tier of a graduated price: units numbered `unit_from <= u < unit_to`, from 1 on (None = no end)."""

    unit_from: int
    unit_to: int | None
    price_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedItemFacts:
    """The stored derivation of one rated item: everything its amounts follow from, nothing else.

    `whole_periods` + `days` / `period_days` is the number of rate periods charged (days 0, period_days 1 when
    whole).
    `slabs` are the tiers of a graduated price; empty when all units are charged at `price_micro`.
    """

    period_from: date
    period_to: date
    price_micro: int
    quantity: int
    applied_per: AppliedPer
    whole_periods: int
    days: int
    period_days: int
    discount_ppm: int = 0
    amount_off_micro: int = 0
    tax_ppm: int = 0
    is_tax_inclusive: bool = False
    slabs: tuple[Slab, ...] = ()
