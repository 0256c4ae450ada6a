"""Bulk writing of contacts and accounts, as the run role and inside the open transaction."""
