"""Bulk writing of the ledger, as the run role and inside the open transaction."""
