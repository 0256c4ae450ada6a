"""The time machine: how an account stood at the end of a day, and what had happened until then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.bills import find_bills_of_accounts
from coax.ledger.queries import STATEMENT_ROWS_MAX, find_statement
from coax.ledger.types import StatementRow
from coax.party.queries.accounts import get_account
from coax.party.types import AccountRow
from coax.process.bills.numbers import compose_bill_number
from coax.process.bills.reading import read_operator
from coax.subscription.queries import find_subscriptions
from coax.subscription.queries.due_actions import find_actions
from coax.subscription.queries.items import find_account_movements, find_installed_items
from coax.subscription.queries.jobs import find_job_states, find_jobs
from coax.subscription.queries.states import SubscriptionOnDay, get_subscription_on
from coax.subscription.types.actions import ActionState
from coax.subscription.types.items import InstalledItemRow

HAPPENED_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened: on which day, of what kind, to what, by whom, why; amounts in minor units."""

    day: date
    kind: str
    what: str
    about: str = ""
    by: str = ""
    reason: str = ""
    amount_minor: int | None = None
    bill_number: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class AccountOnDay:
    """An account at the end of a day; `happened` is what had happened, the latest first.

    `jobs` are (code, type, state then). The contact and the credit limit are the present ones.
    """

    on: date
    account: AccountRow
    balance_minor: int
    subscriptions: tuple[SubscriptionOnDay, ...]
    items: tuple[InstalledItemRow, ...]
    jobs: tuple[tuple[str, str, str], ...]
    happened: tuple[Happened, ...]


def get_account_on(*, tenant: Tenant, account_code: str, on: date) -> AccountOnDay:
    """Return how an account stood at the end of a day, in the operator's time zone. Raises: AccountUnknown."""
    with tenant_transaction(tenant.id):
        account = get_account(tenant.id, account_code)
        key: dict[str, Any] = {"tenant_id": tenant.id, "account_id": account.account_id}
        postings = find_statement(**key, limit=STATEMENT_ROWS_MAX, until=on)
        stood = [
            get_subscription_on(account_id=account.account_id, subscription_id=row.subscription_id, on=on)
            for row in find_subscriptions(**key)
        ]
        jobs, states = find_jobs(**key), find_job_states(**key, on=on)
        happened = [*_actions(tenant, account, on), *_jobs(tenant, account, on), *_postings(tenant, postings)]
        happened += [*_bills(tenant, account, on), *_items(tenant, account, on)]
        return AccountOnDay(
            on=on,
            account=account,
            balance_minor=postings[0].balance_minor if postings else 0,
            subscriptions=tuple(one for one in stood if one.state is not None),
            items=tuple(find_installed_items(**key, as_of=on)),
            jobs=tuple((job.code, job.job_type, states[job.job_id]) for job in jobs if job.job_id in states),
            happened=tuple(sorted(happened, key=lambda one: one.day, reverse=True)[:HAPPENED_MAX]),
        )


def _actions(tenant: Tenant, account: AccountRow, on: date) -> Iterator[Happened]:
    rows = find_actions(
        tenant_id=tenant.id, account_id=account.account_id, state=ActionState.EXECUTED, limit=HAPPENED_MAX
    )
    for row in rows:
        if row.performed_on <= on:
            about = f"{row.subscription_code} {row.service_code or ''}".rstrip()
            yield Happened(row.performed_on, "action", row.behaviour, about, row.submitted_by, row.reason)


def _jobs(tenant: Tenant, account: AccountRow, on: date) -> Iterator[Happened]:
    for job in find_jobs(tenant_id=tenant.id, account_id=account.account_id):
        if job.completed_on and job.completed_on <= on:
            yield Happened(job.completed_on, "job", "completed", job.job_type, job.assigned_to, job=job.code)
        if job.created_on <= on:
            yield Happened(job.created_on, "job", "ordered", job.job_type, job=job.code)


def _postings(tenant: Tenant, postings: list[StatementRow]) -> Iterator[Happened]:
    prefix = read_operator(tenant.id).bill_number_prefix
    for row in postings:
        number = compose_bill_number(prefix, row.bill_number) if row.bill_number else ""
        if not number:
            yield Happened(row.transaction_date, "posting", row.kind, row.reference, amount_minor=row.amount_minor)


def _bills(tenant: Tenant, account: AccountRow, on: date) -> Iterator[Happened]:
    prefix = read_operator(tenant.id).bill_number_prefix
    for bill in find_bills_of_accounts(tenant_id=tenant.id, account_ids=[account.account_id]):
        if bill.transaction_date <= on:
            number = compose_bill_number(prefix, bill.number)
            yield Happened(bill.transaction_date, "bill", "billed", amount_minor=bill.total_minor, bill_number=number)


def _items(tenant: Tenant, account: AccountRow, on: date) -> Iterator[Happened]:
    for row in find_account_movements(tenant_id=tenant.id, account_id=account.account_id, until=on):
        yield Happened(row.performed_on, "item", row.verb, f"{row.good} {row.serial}", row.actor, row.reason)
