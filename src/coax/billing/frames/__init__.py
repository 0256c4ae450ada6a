"""Rated items in; invoices and bills out, with what stays pending. Pure: frames and rules only.

Invariants: the invoices of a bill sum to its total; an invoice's items and its share of the rounding make its
amount exactly; a bill under the minimum is not made and its items stay due.
"""

from coax.billing.frames.assemble import Assembled, assemble, classify, invoice

__all__ = ["Assembled", "assemble", "classify", "invoice"]
