"""Actions on subscriptions with what the account owes taken into account: performed, previewed, scheduled, in bulk."""
