"""What every domain stands on: money, dates, errors, identifiers; the database, tenants, clock and outbox.

`money period rounding calendar` are pure. `db tenancy clock outbox settings embedded` are the shell.
Invariant: nothing here knows a domain.
"""
