"""Change people and accounts: one module per verb."""

from coax.party.operations.create_accounts import AccountCodesTaken, create_accounts
from coax.party.operations.refresh_statistics import refresh_account_statistics

__all__ = ["AccountCodesTaken", "create_accounts", "refresh_account_statistics"]
