"""Values of subscriptions: contracts and services as read, states, actions."""

from coax.subscription.types.contracts import (
    BillingTermRow,
    CycleDayRules,
    ServiceRow,
    SubscriptionRow,
    SubscriptionState,
)

__all__ = ["BillingTermRow", "CycleDayRules", "ServiceRow", "SubscriptionRow", "SubscriptionState"]
