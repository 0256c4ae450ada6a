"""A small operator of every form of price that was billed: tiers, discounts, gross prices, stubs; committed."""

from __future__ import annotations

import os
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from coax.base.db import execute, fetch_rows
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.types.documents import SourceDocument
from coax.party.queries.accounts import get_account
from coax.process.billing_run.execute import RunResult, execute_run
from coax.process.billing_run.plan import RunRequest, plan_run
from coax.process.import_subscribers.use_case import import_subscribers
from coax.process.operators import apply_files
from coax.subscription.operations.add_charge import add_charge

CONFIGURATION = """
operator:
  {{ code: {code}, name: Company ZX, currency: EUR, time_zone: Europe/Berlin, locale: en, clock: simulated,
    clock_date: 2026-09-15, bill_number_prefix: ZX- }}
tax_classes:
  - {{ code: standard, name: Standard rate, rates: [{{ from: 2007-01-01, percent: 19 }}] }}
products:
  - {{ code: sports, name: Sports, class: termed, tax_class: standard, unit: channel }}
  - {{ code: points, name: Points, class: termed, tax_class: standard, unit: point }}
  - {{ code: visit, name: Visit, class: one_time, tax_class: standard }}
  - {{ code: rounding, name: Rounding, class: rounding }}
financial_transaction_types:
  - {{ code: rounding-invoice, name: Rounding Invoice, classification: invoice }}
  - {{ code: rounding-credit, name: Rounding Credit, classification: credit_note }}
price_plans:
  - code: main
    name: Main Price Plan
    currency: EUR
    rates:
      - {{ product: sports, price: 12.50 }}
      - {{ product: visit, price: 30 }}
      - product: points
        model: quantity_tiered
        tier_basis: graduated
        tiers: [{{ from: 1, to: 5, price: 3 }}, {{ from: 5, to: 10, price: 2.50 }}, {{ from: 10, price: 2 }}]
    discounts:
      - {{ product: sports, percent: 10, conditions: {{ min_quantity: 3 }} }}
  - code: gross
    name: Gross Price Plan
    currency: EUR
    tax_inclusive: true
    rates:
      - {{ product: sports, price: 14.99 }}
      - {{ product: points, price: 3.33 }}
billing_term_schemes:
  - code: normal
    name: Normal
    classification: subscriptions
    type: normal
    services: [{{ product: sports, billing_type: pre_bill }}, {{ product: points, billing_type: pre_bill }}]
    price_plans: [main, gross]
    default_price_plan: main
    frequencies: [monthly]
    billing_method: period
    billable_period_start: subscription_action_performed_date
    billing_effective: subscription_action_performed_date
    allowed_cycle_days: [1]
    discount_options: flexible_pricing
normal_billing_run_definitions:
  - code: main
    name: Main Run
    recurrence: {{ count: 1, unit: month }}
    start_date: 2026-07-20
    rating:
      period_to_bill_in_advance: {{ rule: billing_frequency_period }}
      bill_as_of: {{ rule: x_uot_after_previous_run, count: 1, unit: month, first_date: 2026-08-01 }}
      period_cycle_adjustment: next
    invoicing:
      transaction_date_offset: {{ count: 1, unit: day }}
      minimum_debit: 5
    assembling:
      rounding_method: round_up
      decimal_scale: 2
      rounding_product: rounding
      debit_adjustment_type: rounding-invoice
      credit_adjustment_type: rounding-credit
    formatting: {{ rating_formatting: none }}
receivable_definitions:
  - {{ code: main, name: Main, due_date: {{ rule: day_of_next_month, day: 10 }}, allocation_principle: fifo }}
"""
# Ada has two subscriptions, so two invoices on a bill; Ben and the others join in mid-month; Cas has tiers, Dee gross
# prices, Eve an agreed price; Flo was billed elsewhere until October.
SUBSCRIBERS = """account_code,subscription_code,price_plan,product,quantity,effective_from,agreed_price,billed_until
ada,S-1,main,sports,1,2026-08-01,,
ada,S-2,main,sports,3,2026-08-01,,
ben,S-3,main,sports,1,2026-07-15,,
cas,S-4,main,points,12,2026-07-10,,
dee,S-5,gross,sports,2,2026-07-07,,
eve,S-6,main,points,3,2026-08-01,4.00,
flo,S-7,main,sports,1,2026-01-01,,2026-09-01
"""
_numbers = count(1)


def a_billed_operator(directory: Path, *, receivable: str = "state: active") -> Tenant:
    """An operator whose subscribers were billed as of 1 August and 1 September 2026: bills 1-5 and 6-11.

    `receivable` is a further rule of its receivable definition, such as `overpayment: refuse`.
    """
    tenant = _configure(receivable)
    file = directory / "subscribers.csv"
    head, *rows = SUBSCRIBERS.strip().splitlines()
    lines = [f"{head},scheme,name", *(f"{row},normal,{row.partition(',')[0].title()}" for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    outcome = import_subscribers(tenant=tenant, path=file, as_of=date(2026, 7, 1))
    assert not outcome.is_refused, outcome
    for month in (8, 9):
        bill_as_of(tenant, date(2026, month, 1))
    return tenant


def _configure(receivable: str) -> Tenant:
    code = f"billed-{os.getpid()}-{next(_numbers)}"
    text = CONFIGURATION.format(code=code).replace("name: Main, due_date", f"name: Main, {receivable}, due_date")
    return apply_files(documents=[SourceDocument("zx.yaml", text)], operator_code=None, as_of=None, actor="test")[0]


def bill_as_of(tenant: Tenant, as_of: date) -> RunResult:
    """Execute a whole run on the 20th of the month before."""
    request = RunRequest(execution_date=date(as_of.year, as_of.month - 1, 20), bill_as_of=as_of, actor="test")
    result = execute_run(run_id=plan_run(tenant=tenant, request=request), workers=1)
    assert result.run.state == "completed"
    return result


def charge_once(tenant: Tenant, subscription_code: str, *, agreed_price_micro: int | None = None) -> None:
    """A technician's visits on 10 August; the next run bills them."""
    with tenant_transaction(tenant.id):
        add_charge(
            tenant_id=tenant.id,
            subscription_code=subscription_code,
            product_code="visit",
            performed_on=date(2026, 8, 10),
            quantity=2,
            agreed_price_micro=agreed_price_micro,
        )


def end_services(tenant: Tenant, account_code: str, on: date) -> None:
    """End an account's services; the next run credits what was billed beyond."""
    write(
        tenant,
        "UPDATE subscription_service SET effective_to = %s WHERE bucket = %s AND account_id = %s",
        [on, *key_of(tenant, account_code)],
    )


def key_of(tenant: Tenant, account_code: str) -> tuple[int, int]:
    """Bucket and key of an account."""
    account_id = get_account(tenant.id, account_code).account_id
    return account_id & 1023, account_id


def write(tenant: Tenant, statement: str, params: list[Any]) -> int:
    """Change rows with the run role and commit."""
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        return execute(statement, params, using=RUN_ALIAS)


def read(tenant: Tenant, statement: str, params: list[Any]) -> list[tuple[Any, ...]]:
    """Read with the run role."""
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        return fetch_rows(statement, params, using=RUN_ALIAS)
