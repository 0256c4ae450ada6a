"""Finding a subscription by its code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coax.base.db import fetch_rows
from coax.base.errors import DomainError


class SubscriptionUnknown(DomainError):
    """No subscription has this code."""

    code: ClassVar[str] = "subscription_unknown"


@dataclass(frozen=True, slots=True)
class SubscriptionKey:
    """Where a subscription lies."""

    account_id: int
    subscription_id: int


def get_subscription_key(*, tenant_id: int, code: str, using: str = "default") -> SubscriptionKey:
    """Return the key of a subscription. Raises: SubscriptionUnknown."""
    rows = fetch_rows(
        "SELECT account_id, subscription_id FROM subscription_subscription_code WHERE tenant_id = %s AND code = %s",
        [tenant_id, code],
        using=using,
    )
    if not rows:
        raise SubscriptionUnknown(f"There is no subscription {code!r}.", subscription=code)
    return SubscriptionKey(*rows[0])
