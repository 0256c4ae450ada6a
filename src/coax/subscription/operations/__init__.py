"""Change subscriptions: one module per verb."""

from coax.subscription.operations.create_subscriptions import SubscriptionCodesTaken, create_subscriptions
from coax.subscription.operations.refresh_statistics import refresh_subscription_statistics

__all__ = ["SubscriptionCodesTaken", "create_subscriptions", "refresh_subscription_statistics"]
