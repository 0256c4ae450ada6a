"""What was charged once and what was used, as plain data; amounts as decimals of the major unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from coax.base.money import micro_to_decimal
from coax.billing.queries.bills import find_bills_of_accounts
from coax.process.bills.numbers import compose_bill_number
from coax.process.bills.reading import read_operator
from coax.subscription.types.charges import ChargeRow, UsageRow


def find_bill_numbers(*, tenant_id: int, account_id: int) -> dict[int, str]:
    """Return the numbers of an account's bills as printed, by the keys of their runs."""
    prefix = read_operator(tenant_id).bill_number_prefix
    bills = find_bills_of_accounts(tenant_id=tenant_id, account_ids=[account_id])
    return {bill.key.run_id: compose_bill_number(prefix, bill.number) for bill in bills}


def describe_charge(row: ChargeRow, bills: Mapping[int, str]) -> dict[str, Any]:
    """Return a charge as plain data, with the bills that charge and credit it."""
    price = row.agreed_price_micro
    return {
        "charge": row.code,
        "product": row.product,
        "product_name": row.product_name,
        "quantity": row.quantity,
        "duration": row.duration,
        "performed_on": row.performed_on,
        "agreed_price": None if price is None else str(micro_to_decimal(price)),
        "state": row.state.value,
        "bill": bills.get(row.billed_by or 0),
        "withdrawn_on": row.withdrawn_on,
        "credited_on_bill": bills.get(row.credited_by or 0),
    }


def describe_usage(row: UsageRow) -> dict[str, Any]:
    """Return a usage record as plain data."""
    data = asdict(row)
    amount = data.pop("amount_micro")
    for name in ("usage_id", "charge_id", "billed_by", "credited_by", "type_id"):
        data.pop(name)
    return {
        "usage": data.pop("code"),
        "account": data.pop("account_code"),
        "subscription": data.pop("subscription_code"),
        "service": data.pop("service_code"),
        "product": data.pop("product"),
        "product_name": data.pop("product_name"),
        "catalog": data.pop("catalog"),
        "usage_type": data.pop("usage_type"),
        "amount": None if amount is None else str(micro_to_decimal(amount)),
        "state": row.state.value,
        "withdrawn_on": data.pop("withdrawn_on"),
        "action": data.pop("action_id"),
        **data,
    }
