"""Values of subscriptions: contracts and services, installed items."""

from coax.subscription.types.contracts import (
    BillingTermRow,
    CycleDayRules,
    ServiceRow,
    SubscriptionRow,
    SubscriptionState,
)

__all__ = ["BillingTermRow", "CycleDayRules", "ServiceRow", "SubscriptionRow", "SubscriptionState"]
