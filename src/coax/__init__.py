"""Coax: subscription billing for pay-TV, IPTV and telecom operators.

Data flows one way: base, configuration, party, subscription, rating, billing, ledger, process, interfaces.
docs/architecture.md tells the rest.
"""

__version__ = "0.1.0"
