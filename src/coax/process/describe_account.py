"""An account as plain data, for programs: amounts as decimals of the major unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from coax.base.money import micro_to_decimal, minor_to_decimal
from coax.billing.types.document import BillRow
from coax.ledger.types import StatementRow
from coax.party.queries import CONTACT_TEXTS
from coax.party.types import AccountRow
from coax.process.account_statement import AccountStatement
from coax.process.bills.numbers import compose_bill_number
from coax.subscription.types import ServiceRow, SubscriptionRow


def describe_account(statement: AccountStatement) -> dict[str, Any]:
    """Return a statement as plain data, amounts as decimals of the major unit."""
    row, position = statement.account, statement.position
    limit = row.credit_limit_minor
    return {
        "account": row.code,
        "state": row.state.value,
        "as_of": statement.as_of,
        "currency": row.currency,
        "contact": _describe_contact(row),
        "balance": _money(row, position.balance_minor),
        "unsettled": _money(row, position.unsettled_minor),
        "outstanding": _money(row, position.outstanding_minor),
        "unallocated": _money(row, position.unallocated_minor),
        "credit_limit": None if limit is None else _money(row, limit),
        "credit_status": statement.credit_status.value,
        "subscriptions": [_describe_subscription(subscription, statement) for subscription in statement.subscriptions],
        "bills": [_describe_bill(bill, statement) for bill in statement.bills],
        "postings": [
            describe_posting(posting, row=row, prefix=statement.bill_number_prefix) for posting in statement.postings
        ],
    }


def describe_account_row(row: AccountRow, classifications: Mapping[int, str]) -> dict[str, Any]:
    """Return an account with its contact and terms as plain data; `classifications`: codes by key."""
    return {
        "account": row.code,
        "state": row.state.value,
        "currency": row.currency,
        "classification": classifications.get(row.classification_id) if row.classification_id else None,
        "credit_limit": None if row.credit_limit_minor is None else _money(row, row.credit_limit_minor),
        "credit_rating": row.credit_rating,
        "credit_period_days": row.credit_period_days,
        "contact": _describe_contact(row),
    }


def describe_posting(posting: StatementRow, *, row: AccountRow, prefix: str) -> dict[str, Any]:
    """Return a posting of an account as plain data; `prefix` is that of bill numbers."""
    number = posting.bill_number
    return {
        "date": posting.transaction_date,
        "kind": posting.kind.value,
        "bill": compose_bill_number(prefix, number) if number else None,
        "reference": posting.reference,
        "due_date": posting.due_date,
        "amount": _money(row, posting.amount_minor),
        "balance": _money(row, posting.balance_minor),
        "open": _money(row, posting.open_minor),
        "transaction": f"{posting.origin_id}/{posting.line}",
        "posted_at": posting.posted_at,
    }


def _describe_contact(row: AccountRow) -> dict[str, str]:
    return {"code": row.contact_code, **{name: getattr(row, name) for name in CONTACT_TEXTS}}


def _money(row: AccountRow, amount_minor: int) -> str:
    return str(minor_to_decimal(amount_minor, row.currency))


def _describe_subscription(subscription: SubscriptionRow, statement: AccountStatement) -> dict[str, Any]:
    term = subscription.billing_term
    return {
        "subscription": subscription.code,
        "state": subscription.state.value,
        "frequency": term.frequency if term else None,
        "cycle_day": term.cycle_day if term else None,
        "services": [_describe_service(service, statement) for service in subscription.services],
    }


def _describe_service(service: ServiceRow, statement: AccountStatement) -> dict[str, Any]:
    data = asdict(service)
    price = data.pop("agreed_price_micro")
    for key in ("service_id", "product_id", "extra_discount_ppm", "code", "bundle_id"):
        data.pop(key)
    return {
        "service": service.code,
        "product": _product(service, statement),
        **data,
        "agreed_price": None if price is None else str(micro_to_decimal(price)),
    }


def _product(service: ServiceRow, statement: AccountStatement) -> str:
    return statement.product_names.get(service.product_id, str(service.product_id))


def _describe_bill(bill: BillRow, statement: AccountStatement) -> dict[str, Any]:
    row, settlement = statement.account, statement.settlements.get(bill.key)
    return {
        "bill": compose_bill_number(statement.bill_number_prefix, bill.number),
        "run": bill.run_number,
        "transaction_date": bill.transaction_date,
        "due_date": bill.due_date,
        "classification": bill.classification.value,
        "total": _money(row, bill.total_minor),
        "to_pay": _money(row, bill.to_pay_minor),
        "status": settlement.status.value if settlement else None,
        "unsettled": _money(row, settlement.unsettled_minor) if settlement else None,
    }
