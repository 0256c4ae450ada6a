"""Pure decisions about subscriptions: contracts, the state machine, what an action does."""

from coax.subscription.rules.contracts import CycleDayRefused, decide_billing_date, decide_cycle_day

__all__ = ["CycleDayRefused", "decide_billing_date", "decide_cycle_day"]
