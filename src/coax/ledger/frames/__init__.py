"""Invoices in, journal legs out. Pure. Invariant: the legs of each transaction sum to zero."""

from coax.ledger.frames.entries import invoice_entries

__all__ = ["invoice_entries"]
