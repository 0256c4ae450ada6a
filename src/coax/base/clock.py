"""The one place that reads a clock. A tenant's clock is real or simulated (architecture section 6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from coax.base.db import execute, fetch_rows
from coax.base.errors import DomainError


class ClockIsReal(DomainError):
    """A real clock cannot be set."""

    code = "clock_is_real"


class ClockRunsForward(DomainError):
    """A simulated clock never goes back: bills may exist at the later time."""

    code = "clock_runs_forward"


def now_utc() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)


def tenant_now(tenant_id: int, *, using: str = "default") -> datetime:
    """Return the tenant's present instant in UTC: simulated or the machine's."""
    rows = fetch_rows("SELECT clock_at FROM base_operator WHERE tenant_id = %s", [tenant_id], using=using)
    return (rows[0][0] if rows else None) or now_utc()


def tenant_today(tenant_id: int, *, using: str = "default") -> date:
    """Return today's civil date in the tenant's time zone."""
    rows = fetch_rows("SELECT clock_at, time_zone FROM base_operator WHERE tenant_id = %s", [tenant_id], using=using)
    clock_at, time_zone = rows[0]
    return (clock_at or now_utc()).astimezone(ZoneInfo(time_zone)).date()


def start_of_day(day: date, time_zone: str) -> datetime:
    """Return the instant in UTC at which a civil day begins in a time zone."""
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def is_clock_simulated(tenant_id: int, *, using: str = "default") -> bool:
    """Tell whether the tenant's clock is set by hand."""
    rows = fetch_rows("SELECT clock_mode FROM base_operator WHERE tenant_id = %s", [tenant_id], using=using)
    return bool(rows) and rows[0][0] == "simulated"


def set_simulated_clock(*, tenant_id: int, at: datetime) -> None:
    """Advance the tenant's simulated clock to `at` (an instant).

    Raises: ClockIsReal, ClockRunsForward.
    """
    mode, present = fetch_rows(
        "SELECT clock_mode, clock_at FROM base_operator WHERE tenant_id = %s FOR UPDATE", [tenant_id]
    )[0]
    if mode != "simulated":
        raise ClockIsReal("This operator lives by the real clock; only a simulated one can be set.", at=at)
    if at < present:
        raise ClockRunsForward(f"The clock stands at {present:%Y-%m-%d %H:%M} and cannot go back to {at}.", at=at)
    execute("UPDATE base_operator SET clock_at = %s WHERE tenant_id = %s", [at, tenant_id])
