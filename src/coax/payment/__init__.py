"""Payments and refunds as documents: who paid how, what became of it.

In: what somebody received, gave back, moved or cancelled, with the mode that it was paid by. Out: rows that never lose
a payment, beside the journal's transactions, which carry the amounts. A payment's key is that of its transaction.
"""
