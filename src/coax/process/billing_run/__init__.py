"""The normal billing run: services due in; bills, a balanced journal and moved dates out (reference 4).

Identification -> Rating -> Invoicing -> Assembling -> Posting -> Formatting, per task (a range of buckets).
Invariants: what was inspected is what is posted; a task is safe to run twice; a day is never billed twice;
due = billed + pending + refused, counted in services.
"""
