"""The table of checks: what each promises, and by what its rows are named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from coax.base.db import load_sql

STATEMENTS: Final = {
    name: statement
    for file in sorted((Path(__file__).parent / "sql").glob("*.sql"))
    for name, statement in load_sql(file).items()
}


class Naming(StrEnum):
    """What a check's rows are about, which decides the codes that name them."""

    ACCOUNT = "account"
    DOCUMENT = "document"
    SERVICE = "service"
    RUN = "run"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of the books; `code` is also the name of its statement."""

    code: str
    promise: str
    naming: Naming

    @property
    def statement(self) -> str:
        """Return the SELECT of the rows that break the promise."""
        return STATEMENTS[self.code]


CHECKS: Final = (
    Check("transactions_sum_to_zero", "The postings of every transaction sum to zero.", Naming.DOCUMENT),
    Check(
        "transactions_move_the_receivable",
        "Every transaction moves its account by its amount, in the direction of its kind.",
        Naming.DOCUMENT,
    ),
    Check("bills_are_their_invoices", "Every bill is the sum of its invoices less its credit notes.", Naming.DOCUMENT),
    Check(
        "invoices_are_their_items",
        "Every invoice is its rated items to the micro, its share of the rounding included.",
        Naming.DOCUMENT,
    ),
    Check(
        "bills_are_their_items",
        "Net, tax, rounding and the counts of every bill are those of its rated items.",
        Naming.DOCUMENT,
    ),
    Check(
        "items_follow_from_their_derivation",
        "The amounts of all that was charged follow from its price, periods, discounts and tax.",
        Naming.DOCUMENT,
    ),
    Check(
        "bills_carry_the_balance_forward",
        "Every bill brings forward what the previous one left and what was moved between them.",
        Naming.DOCUMENT,
    ),
    Check("balances_are_the_postings", "Every account's balance is the sum of its postings.", Naming.ACCOUNT),
    Check(
        "movements_since_the_bill_are_counted",
        "What was debited and credited since the last bill is what the postings leave.",
        Naming.DOCUMENT,
    ),
    Check(
        "unallocated_is_what_credits_leave",
        "What of an account's credits is not allocated is what its credits leave open.",
        Naming.ACCOUNT,
    ),
    Check(
        "allocations_stay_within_both_sides",
        "No credit settles more than it is, no debit is settled by more than it is.",
        Naming.DOCUMENT,
    ),
    Check(
        "services_are_billed_day_by_day",
        "Every service is billed for each day once, from its first billed day to the day it is rated up to.",
        Naming.SERVICE,
    ),
    Check(
        "histories_are_billed_as_they_say",
        "Of services that were stopped and started each billable day is charged once, and what is credited is not.",
        Naming.SERVICE,
    ),
    Check(
        "states_follow_from_their_history",
        "Every subscription and service is in the state that its history ends with, and histories have no gaps.",
        Naming.ACCOUNT,
    ),
    Check("one_contract_holds", "Of every subscription's contracts one holds on each day.", Naming.ACCOUNT),
    Check(
        "charges_are_billed_once",
        "What is charged once was billed by the run that it names, and by no other.",
        Naming.DOCUMENT,
    ),
    Check(
        "what_is_taken_back_is_credited",
        "What was taken back after it was billed is credited once, by exactly what it cost.",
        Naming.DOCUMENT,
    ),
    Check(
        "runs_account_for_every_due_service",
        "In every completed run due = billed + pending + refused, and its sums are what is stored.",
        Naming.RUN,
    ),
    Check("bill_numbers_have_no_holes", "Bill numbers follow each other without holes or doubles.", Naming.SERIES),
    Check("books_are_in_one_currency", "Accounts, bills and postings are in the operator's currency.", Naming.DOCUMENT),
    Check("items_are_where_they_say", "Every installed item is with its one subscription, no other is.", Naming.SERIES),
    Check(
        "item_histories_have_no_gap",
        "Every movement of an item begins where and when the one before it ended.",
        Naming.SERIES,
    ),
    Check(
        "jobs_are_charged_when_completed",
        "The billed lines of a completed job are charged as ordered, once, and nothing else of any job is.",
        Naming.SERIES,
    ),
    Check(
        "job_histories_are_whole",
        "Every job is in the state of its last event, and no event is missing.",
        Naming.SERIES,
    ),
)
