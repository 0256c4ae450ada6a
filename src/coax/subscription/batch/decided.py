"""An action that is allowed, and how its rows are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from coax.subscription.types.actions import Effects, SubscriptionFacts

KEY: Final = (("bucket", "smallint"), ("account_id", "bigint"), ("id", "bigint"))
BY_KEY: Final = "t.bucket = v.bucket AND t.account_id = v.account_id AND t.id = v.id"


@dataclass(frozen=True, slots=True)
class Decided:
    """An action that is allowed: its key, of whom it is, and what it changes."""

    action_id: int
    facts: SubscriptionFacts
    effects: Effects
