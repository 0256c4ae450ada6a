"""The resources by their addresses; another one is a module and a line here.

Several may share an address: what lies below an account or a subscription stands before it, for codes may hold slashes.
"""

from __future__ import annotations

from typing import Final

from ninja import Router

from coax.interfaces.api.rest.routes import (
    accounts,
    actions,
    bills,
    charges,
    configuration,
    contacts,
    items,
    jobs,
    locations,
    oauth,
    payments,
    processes,
    runs,
    subscriptions,
    usage,
)

RESOURCES: Final[tuple[tuple[str, Router], ...]] = (
    ("/oauth", oauth.resource),
    ("/accounts", payments.of_accounts),
    ("/accounts", runs.of_accounts),
    ("/accounts", accounts.resource),
    ("/contacts", contacts.resource),
    ("/subscriptions", actions.of_subscriptions),
    ("/subscriptions", charges.resource),
    ("/subscriptions", subscriptions.resource),
    ("/actions", actions.resource),
    ("/usage", usage.resource),
    ("/payments", payments.resource),
    ("/refunds", payments.refunds),
    ("/items", items.resource),
    ("/jobs", jobs.resource),
    ("/locations", locations.resource),
    ("/processes", processes.resource),
    ("/runs", runs.resource),
    ("/bills", bills.resource),
    ("/configuration", configuration.resource),
)
