"""Four years billed by the run's recurrence: every start, frequency and cycle day, no gap and no overlap."""

from __future__ import annotations

import os
from datetime import date
from itertools import groupby, product
from pathlib import Path
from typing import Any, Final

import pytest

from coax.configuration.types.documents import SourceDocument
from coax.configuration.types.fields import frequency_months_days
from coax.process.operators import apply_files
from tests.builders.operators import AnOperator
from tests.oracle.calendar import add_months
from tests.oracle.rating import FREQUENCY_PERIOD, NEXT, NO_ADJUSTMENT, PREVIOUS, due_periods
from tests.scenario.test_company_zx import assert_verified, day

CONFIGURATION = """
operator: {{ code: {code}, name: Calendar, currency: EUR, time_zone: Europe/Berlin, locale: en }}
tax_classes: [{{ code: standard, name: VAT, rates: [{{ from: 2007-01-01, percent: 19 }}] }}]
products:
  - {{ code: tv, name: TV, class: termed, tax_class: standard }}
  - {{ code: rounding, name: Rounding, class: rounding }}
financial_transaction_types:
  - {{ code: rounding-invoice, name: Rounding Invoice, classification: invoice }}
  - {{ code: rounding-credit, name: Rounding Credit, classification: credit_note }}
price_plans: [{{ code: main, name: Main, currency: EUR, rates: [{{ product: tv, price: 12.50 }}] }}]
billing_term_schemes:
{schemes}
normal_billing_run_definitions:
  - code: main
    name: Main
    recurrence: {{ count: {months}, unit: month }}
    start_date: {first}
    rating:
      period_to_bill_in_advance: {{ rule: billing_frequency_period }}
      bill_as_of: {{ rule: x_uot_after_previous_run, count: {months}, unit: month, first_date: {first} }}
      period_cycle_adjustment: {adjustment}
    invoicing: {{ transaction_date_offset: {{ count: 1, unit: day }}, minimum_debit: 0 }}
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
SCHEME = """
  - code: {code}
    name: {code}
    services: [{{ product: tv, billing_type: {billing_type} }}]
    price_plans: [main]
    default_price_plan: main
    frequencies: [{frequencies}]
    {cycle}
"""
FREQUENCIES: Final = ("monthly", "quarterly", "biannual", "annual", "two_years", "weekly", "10_days", "5_months")
# Name: billing type, cycle, cycle day (None: that of the start).
SCHEMES: Final[dict[str, tuple[str, str, int | None]]] = {
    "on-the-first": ("pre_bill", "allowed_cycle_days: [1]", 1),
    "on-the-15th": ("pre_bill", "allowed_cycle_days: [15]", 15),
    "on-the-31st": ("pre_bill", "allowed_cycle_days: [31]", 31),
    "own-day": ("pre_bill", "{ method }, allowed_cycle_days: [], automate_cycle_day: true", None),
    "last-day": ("pre_bill", "{ method }, allowed_cycle_days: [], cycle_last_day_of_month: true", 31),
    "afterwards": ("post_bill", "allowed_cycle_days: [1]", 1),
    "own-day-afterwards": ("post_bill", "{ method }, allowed_cycle_days: [], automate_cycle_day: true", None),
}
STARTS: Final = (
    "2023-11-30",
    "2024-01-01",
    "2024-01-31",
    "2024-02-28",
    "2024-02-29",
    "2024-03-31",
    "2024-12-15",
    "2025-02-28",
    "2026-10-30",
)
ENDS: Final = (None, "2027-02-28", None, "2027-08-01", "2027-12-31")
LAST: Final = day("2028-03-01")  # behind the second leap day


def an_operator_of_the_calendar(adjustment: str, months: int, first: date) -> AnOperator:
    schemes = "".join(
        SCHEME.format(
            code=code,
            billing_type=billing_type,
            frequencies=", ".join(FREQUENCIES),
            cycle=cycle.replace("{ method }", "billing_method: anniversary").replace(", ", "\n    "),
        )
        for code, (billing_type, cycle, _) in SCHEMES.items()
    )
    text = CONFIGURATION.format(
        code=f"calendar-{adjustment}-{os.getpid()}", schemes=schemes, months=months, first=first, adjustment=adjustment
    )
    documents = [SourceDocument("calendar.yaml", text)]
    return AnOperator(apply_files(documents=documents, operator_code=None, as_of=date(2023, 1, 1), actor="test")[0])


def list_services(adjustment: int) -> dict[str, dict[str, Any]]:
    """Return the services by account as the oracle wants them."""
    services = {}
    for number, (scheme, frequency, start) in enumerate(product(SCHEMES, FREQUENCIES, STARTS)):
        billing_type, _, cycle_day = SCHEMES[scheme]
        months, days = frequency_months_days(frequency)
        end = ENDS[number % len(ENDS)]
        services[f"{number:03}"] = {
            "scheme": scheme,
            "frequency": frequency,
            "effective_from": start,
            "rated_up_to": day(start),
            "billing_effective_date": day(start),
            "effective_to": day(end) if end else None,
            "is_post_billed": billing_type == "post_bill",
            "adjustment": adjustment,
            "advance_mode": FREQUENCY_PERIOD,
            "cycle_day": cycle_day or day(start).day,
            "anchor_day": day(start).day,
            "frequency_months": months,
            "frequency_days": days,
        }
    return services


@pytest.mark.parametrize(
    ("adjustment", "rule", "months", "first"),
    [
        ("next", NEXT, 1, "2023-12-31"),
        ("previous", PREVIOUS, 3, "2024-01-15"),
        ("none", NO_ADJUSTMENT, 5, "2024-02-29"),
    ],
)
def test_four_years_have_no_gap_and_no_overlap(
    database: str, tmp_path: Path, adjustment: str, rule: int, months: int, first: str
) -> None:
    operator = an_operator_of_the_calendar(adjustment, months, day(first))
    services = list_services(rule)
    columns = ("scheme", "frequency", "effective_from", "effective_to")
    rows = [
        {name: str(row[name]) for name in columns if row[name]} | {"account_code": code, "product": "tv"}
        for code, row in services.items()
    ]
    operator.subscribe(tmp_path, [{"subscription_type": "", **row} for row in rows], as_of=date(2023, 1, 1))

    as_of, number = day(first), 0
    while as_of <= LAST:
        result = operator.bill(as_of.isoformat())
        assert (result.run.bill_as_of, result.sums["pending"], result.sums["refused"]) == (as_of, 0, 0)
        billed, number = as_of, number + 1
        as_of = add_months(day(first), number * months, day(first).day)

    found = operator.rows(
        """SELECT a.code, i.period_from, i.period_to FROM rating_rated_item i
           JOIN party_account a USING (bucket, account_id) WHERE i.tenant_id = %s ORDER BY a.code, i.period_from"""
    )
    items = {
        code: [(row["period_from"], row["period_to"]) for row in group]
        for code, group in groupby(found, key=lambda row: row["code"])
    }
    periods = {code: listed for code, row in services.items() if (listed := due_periods(row, billed))}
    assert set(items) == set(periods)
    for code, listed in periods.items():
        starts, ends = zip(*items[code], strict=True)
        assert ends[:-1] == starts[1:], (code, services[code])
        assert (starts[0], ends[-1]) == (listed[0].start, listed[-1].end), (code, services[code])
        # An item may be a part of its period, cut where prices begin anew, but never reaches over its end.
        assert {period.end for period in listed} <= set(ends), (code, services[code])
    assert_verified(operator)
