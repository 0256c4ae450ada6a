"""Money in and out of accounts: payments received, cancelled, moved, given back, settled as a person wants.

In: what somebody asks, in codes and major units. Out: plain data for receipts. Each is one transaction; with a key it
is done once however often it is asked.
"""
