"""What the stories of an import share: an operator with schemes of every kind, and files written in a line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from coax.base.db import fetch_dicts
from coax.base.tenancy import Tenant, tenant_transaction
from coax.configuration.operations.apply_configuration import apply_configuration
from coax.configuration.types.documents import SourceDocument
from coax.process.import_subscribers import ImportOutcome, import_subscribers

TODAY = date(2026, 6, 1)
CONFIGURATION = """
tax_classes: [{ code: standard, name: VAT, rates: [{ from: 2007-01-01, percent: 19 }] }]
product_types:
  - { code: basic, name: Basic, class: termed }
  - { code: extra, name: Extra, class: termed }
products:
  - { code: tv, name: TV, class: termed, type: basic, tax_class: standard }
  - { code: sports, name: Sports, class: termed, type: extra, tax_class: standard }
  - { code: internet, name: Internet, class: termed, tax_class: standard }
  - { code: film, name: Film, class: usage, tax_class: standard }
  - { code: visit, name: Visit, class: one_time, tax_class: standard }
account_classifications:
  - { code: residential, name: Residential }
  - { code: business, name: Business }
price_plans:
  - code: main
    name: Main
    currency: EUR
    rates: [{ product: tv, price: 12.50 }, { product: sports, price: 5 }, { product: internet, price: 30 }]
  - { code: old, name: Old, currency: EUR, rates: [{ product: tv, price: 10 }] }
  - { code: other, name: Other, currency: EUR, rates: [{ product: tv, price: 11 }] }
billing_term_schemes:
  - code: period
    name: Period
    services: [{ product: tv }, { product: sports }]
    price_plans: [main, old]
    default_price_plan: main
    frequencies: [monthly, biannual]
    binding_periods: [annual]
    discount_options: flexible_pricing
  - code: own-day
    name: Own day
    services: [{ product: tv }, { product: internet }]
    price_plans: [main]
    billing_method: anniversary
    allowed_cycle_days: []
    automate_cycle_day: true
    discount_options: additive
  - code: next-cycle
    name: Next cycle
    services: [{ product: tv }]
    price_plans: [main, old]
    billing_method: anniversary
    allowed_cycle_days: []
    cycle_last_day_of_month: true
    billable_period_start: next_cycle_date
    billing_effective: agreement_date
subscription_types:
  - { code: television, name: Television, services: [{ product_type: basic }, { product: sports }], schemes: [period] }
receivable_definitions:
  - code: main
    name: Main
    due_date: { rule: day_of_next_month, day: 10 }
    proximity: { plus_days: 14 }
    default_credit_limit: 100
"""
HEADER = "account_code,name,subscription_code,scheme,product,effective_from"


def configure(tenant: Tenant, text: str = CONFIGURATION) -> None:
    """Give the operator its configuration."""
    with tenant_transaction(tenant.id):
        apply_configuration(documents=[SourceDocument("test.yaml", text)], as_of=TODAY, actor="test")


def write_csv(path: Path, lines: Iterable[str], *, header: str = HEADER) -> Path:
    """Write a file of a header and lines."""
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def run_import(tenant: Tenant, path: Path, **options: Any) -> ImportOutcome:
    return import_subscribers(tenant=tenant, path=path, as_of=TODAY, **options)


def list_reasons(outcome: ImportOutcome) -> list[tuple[int, str, str, str, str]]:
    """Return the problems as tuples."""
    return [tuple(row) for row in outcome.problems.iter_rows()]  # type: ignore[misc]


def select(tenant: Tenant, sql: str) -> list[dict[str, Any]]:
    """Return rows as the operator sees them."""
    with tenant_transaction(tenant.id):
        return fetch_dicts(sql)


def count_rows(tenant: Tenant) -> dict[str, int]:
    """Return how many rows of each kind the operator has."""
    tables = {
        "contacts": "party_contact",
        "contact codes": "party_contact_code",
        "accounts": "party_account",
        "account codes": "party_account_code",
        "subscriptions": "subscription_subscription",
        "subscription codes": "subscription_subscription_code",
        "contracts": "subscription_billing_term",
        "services": "subscription_service",
        "rating states": "subscription_service_rating",
        "balances": "ledger_account_balance",
    }
    return {name: select(tenant, f"SELECT count(*) AS n FROM {table}")[0]["n"] for name, table in tables.items()}
