"""Rating as set arithmetic: services, rates, discounts and taxes in; rated items and refusals out.

Invariants: the items of a service tile its billed time without gap or overlap; net + tax = total on every
row; a service is rated whole or refused with a reason, never cut; the order of rows changes nothing; there
is no clock and no float.
The rules with worked numbers are in docs/algorithms.
"""

from coax.rating.frames.credits import compute_credits
from coax.rating.frames.periods import MAX_PERIODS_PER_RUN, find_due_periods
from coax.rating.frames.rating import Rated, Tariff, compile_tariff, rate, rate_by_tariff
from coax.rating.frames.schemas import (
    ADVANCE_SCHEMA,
    CREDIT_INPUT_SCHEMA,
    CREDIT_SCHEMA,
    DISCOUNT_SCHEMA,
    ITEM_SCHEMA,
    PERIOD_SCHEMA,
    RATE_SCHEMA,
    REFUSED_SCHEMA,
    SERVICE_SCHEMA,
    TAX_SCHEMA,
)

__all__ = [
    "ADVANCE_SCHEMA",
    "CREDIT_INPUT_SCHEMA",
    "CREDIT_SCHEMA",
    "DISCOUNT_SCHEMA",
    "ITEM_SCHEMA",
    "MAX_PERIODS_PER_RUN",
    "PERIOD_SCHEMA",
    "RATE_SCHEMA",
    "REFUSED_SCHEMA",
    "SERVICE_SCHEMA",
    "TAX_SCHEMA",
    "Rated",
    "Tariff",
    "compile_tariff",
    "compute_credits",
    "find_due_periods",
    "rate",
    "rate_by_tariff",
]
