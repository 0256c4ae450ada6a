"""Pure decisions of subscriptions: contracts, installed items."""

from coax.subscription.rules.contracts import CycleDayRefused, decide_billing_date, decide_cycle_day

__all__ = ["CycleDayRefused", "decide_billing_date", "decide_cycle_day"]
