"""Count the failed authentications of a client's address, a minute at a time."""

from __future__ import annotations

from datetime import datetime

from coax.base.db import fetch_rows
from coax.party.operations.count_request import WINDOW
from coax.party.rules import name_client


def count_failure(address: str, *, most: int, now: datetime) -> tuple[int, int]:
    """Count one more failure at `now`, the machine's time; return how many this minute has, and its seconds left.

    Every process of the server counts together. Beyond `most` nothing more is written and `most` + 1 is returned.
    """
    window_start = now.replace(second=0, microsecond=0)
    params = [name_client(address), window_start, most]
    failures = int(fetch_rows("SELECT coax_count_failure(%s, %s, %s)", params)[0][0])
    return failures, max(1, (window_start + WINDOW - now).seconds)
