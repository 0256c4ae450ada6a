"""Read people and accounts: for people one page at a time, for bulk work by many codes at once."""

from coax.party.queries.accounts import AccountUnknown, find_accounts, get_account
from coax.party.queries.stored import CONTACT_TEXTS, find_stored_accounts, find_stored_contacts, has_contacts

__all__ = [
    "CONTACT_TEXTS",
    "AccountUnknown",
    "find_accounts",
    "find_stored_accounts",
    "find_stored_contacts",
    "get_account",
    "has_contacts",
]
