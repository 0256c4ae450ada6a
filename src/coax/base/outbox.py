"""The outbox: facts appended in the transaction that made them true, for higher packages to handle."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from coax.base.db import execute


def append_fact(*, tenant_id: int, kind: str, body: dict[str, Any], using: str = "default") -> None:
    """Append one fact in the open transaction."""
    execute(
        "INSERT INTO base_outbox_fact (tenant_id, kind, body, created_at) VALUES (%s, %s, %s, now())",
        [tenant_id, kind, json.dumps(body, default=str)],
        using=using,
    )


def append_facts(*, tenant_id: int, kind: str, bodies: Iterable[dict[str, Any]], using: str = "default") -> None:
    """Append many facts of one kind in one statement."""
    listed = list(bodies)
    if listed:
        execute(
            """INSERT INTO base_outbox_fact (tenant_id, kind, body, created_at)
               SELECT %s, %s, body, now() FROM jsonb_array_elements(%s::jsonb) AS body""",
            [tenant_id, kind, json.dumps(listed, default=str)],
            using=using,
        )
