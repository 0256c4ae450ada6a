from __future__ import annotations

import pytest

from coax.base.instants import InstantInvalid, parse_instant


@pytest.mark.parametrize(
    ("text", "time_zone", "instant"),
    [
        ("2026-07-09T20:15", "Europe/Berlin", "2026-07-09T18:15:00+00:00"),
        ("2026-01-09 20:15:30", "Europe/Berlin", "2026-01-09T19:15:30+00:00"),
        ("2026-07-09T20:15+05:30", "Europe/Berlin", "2026-07-09T14:45:00+00:00"),
        ("2026-07-09T20:15:00.25Z", None, "2026-07-09T20:15:00.250000+00:00"),
    ],
)
def test_an_instant_is_read(text: str, time_zone: str | None, instant: str) -> None:
    assert parse_instant(text, time_zone=time_zone).isoformat() == instant


@pytest.mark.parametrize(
    ("text", "time_zone"),
    [
        ("", "UTC"),
        ("2026-07-09", "UTC"),
        ("20260709T2015", "UTC"),
        ("2026-02-30T20:15", "UTC"),
        ("2026-07-09T20:15", None),
        ("2026-07-09T20:15+25:00", None),
        ("1969-12-31T23:59Z", None),
        ("0001-01-01T00:00+14:00", None),
        ("9999-12-31T23:59-14:00", None),
    ],
)
def test_what_is_no_instant_is_refused(text: str, time_zone: str | None) -> None:
    with pytest.raises(InstantInvalid, match="allowed is YYYY-MM-DDTHH:MM from 1970-01-01 to 2199-12-31"):
        parse_instant(text, time_zone=time_zone)
