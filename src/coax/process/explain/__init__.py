"""Why a bill is what it is: the arithmetic of each rated item, worked out again from what is stored.

In: the number of a bill. Out: its run, invoices and lines with their derivation in words, the amounts worked out
again by the scalar rules, and every difference between these and the stored ones. Invariants: nothing is changed;
prices are read from the frozen versions that the items name, never from present ones.
"""

from coax.process.explain.explain_bill import LineUnknown, explain_bill
from coax.process.explain.types import BillExplanation, InvoiceExplanation, LineExplanation

__all__ = ["BillExplanation", "InvoiceExplanation", "LineExplanation", "LineUnknown", "explain_bill"]
