"""Read subscriptions: those of one account, many by their codes, and (due_services) what a run may bill."""

from coax.subscription.queries.stored import find_stored_services, find_stored_subscriptions
from coax.subscription.queries.subscriptions import find_subscriptions

__all__ = ["find_stored_services", "find_stored_subscriptions", "find_subscriptions"]
