"""Count the requests of a program, a minute at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from coax.base.db import execute, fetch_rows
from coax.party.types import Caller

WINDOW: Final = timedelta(minutes=1)
_COUNT: Final = """
INSERT INTO party_api_usage AS u (credential_id, tenant_id, window_start, requests, last_used_at)
VALUES (%(credential_id)s, %(tenant_id)s, %(window_start)s, 1, %(now)s)
ON CONFLICT (credential_id) DO UPDATE SET
    requests = CASE WHEN u.window_start = EXCLUDED.window_start THEN u.requests + 1 ELSE 1 END,
    window_start = EXCLUDED.window_start, last_used_at = EXCLUDED.last_used_at
RETURNING requests
"""


def count_request(caller: Caller, *, now: datetime) -> tuple[int, int]:
    """Count one more request at `now`, the machine's time; return how many this minute has, and its seconds left.

    One row per program, updated in place: every process of the server counts together.
    """
    window_start = now.replace(second=0, microsecond=0)
    params = {
        "credential_id": caller.credential_id,
        "tenant_id": caller.tenant_id,
        "window_start": window_start,
        "now": now,
    }
    execute("SET LOCAL synchronous_commit TO off")  # a count that a crash loses harms nobody
    requests = int(fetch_rows(_COUNT, params)[0][0])
    return requests, max(1, (window_start + WINDOW - now).seconds)
