"""Fetch the facts of bills: a fixed number of statements however many bills are asked for."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from coax.base.db import fetch_rows
from coax.billing.queries.bills import find_bills_of_accounts
from coax.billing.queries.document import find_bill_customers, find_billed_items, find_run_rules
from coax.billing.types.document import BillKey, BillRow
from coax.configuration.types.run_definition import RatingFormatting
from coax.process.bills.facts import BillFacts, OperatorFacts, RunRules
from coax.process.bills.ledger_reading import find_transactions
from coax.process.bills.look import read_look

BILLS_MAX: Final = 1000


def read_facts(*, tenant_id: int, keys: Sequence[BillKey], using: str = "default") -> list[BillFacts]:
    """Return the facts of at most `BILLS_MAX` bills in the order of the keys; a transaction is open.

    A key without a bill is left out.
    """
    if len(keys) > BILLS_MAX:
        raise ValueError(f"{len(keys)} bills at once; at most {BILLS_MAX}")
    account_ids = {key.account_id for key in keys}
    operator = read_operator(tenant_id, using=using)
    bills = _by_account(find_bills_of_accounts(tenant_id=tenant_id, account_ids=account_ids, using=using))
    by_key = {bill.key: bill for group in bills.values() for bill in group}
    rules = _read_rules(tenant_id, {key.run_id for key in keys}, using)
    customers = find_bill_customers(tenant_id=tenant_id, keys=keys, using=using)
    items = find_billed_items(tenant_id=tenant_id, keys=keys, using=using)
    transactions = find_transactions(tenant_id=tenant_id, account_ids=account_ids, using=using)
    return [
        BillFacts(
            bill=by_key[key],
            rules=rules[key.run_id],
            operator=operator,
            customer=customers[key][0],
            customer_locale=customers[key][1],
            items=items.get(key, ()),
            bills=tuple(bills[key.account_id]),
            transactions=transactions.get(key.account_id, ()),
        )
        for key in keys
        if key in by_key
    ]


def read_operator(tenant_id: int, *, using: str = "default") -> OperatorFacts:
    """Return the operator as bills show it; what its profile lacks is left out of them."""
    code, name, locale, stored = fetch_rows(
        "SELECT code, name, locale, profile FROM base_operator WHERE tenant_id = %s", [tenant_id], using=using
    )[0]
    profile: dict[str, Any] = json.loads(stored) if isinstance(stored, str) else stored
    return OperatorFacts(
        code=code,
        name=name,
        address=tuple(profile.get("address") or ()),
        tax_number=profile.get("tax_number") or "",
        bill_number_prefix=profile.get("bill_number_prefix") or "",
        locale=locale,
        look=read_look(profile),
    )


def _by_account(bills: Sequence[BillRow]) -> dict[int, list[BillRow]]:
    found: defaultdict[int, list[BillRow]] = defaultdict(list)
    for bill in bills:
        found[bill.key.account_id].append(bill)
    return found


def _read_rules(tenant_id: int, run_ids: set[int], using: str) -> dict[int, RunRules]:
    found = find_run_rules(tenant_id=tenant_id, run_ids=run_ids, using=using)
    return {run_id: _make_rules(definition, catalogue) for run_id, (definition, catalogue) in found.items()}


def _make_rules(definition: dict[str, Any], catalogue: dict[str, Any]) -> RunRules:
    """Return the rules of a run; an entity without a name is called by its code."""
    assembling, names = definition["assembling"], catalogue.get("rounding") or {}
    return RunRules(
        formatting=RatingFormatting(definition["formatting"]["rating_formatting"]),
        rounding_name=names.get("product") or assembling["rounding_product"],
        debit_adjustment_name=names.get("debit_adjustment_type") or assembling["debit_adjustment_type"],
        credit_adjustment_name=names.get("credit_adjustment_type") or assembling["credit_adjustment_type"],
    )
