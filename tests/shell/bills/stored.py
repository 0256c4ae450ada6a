"""Bills in the database, as a run leaves them: rows of every table that a bill is read from."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from typing import Any

from coax.base.db import execute, fetch_rows
from coax.base.ids import bucket_of
from coax.base.tenancy import Tenant
from coax.billing.types.document import BilledItem, BillKey, BillRow, ItemKind
from coax.ledger.types import TransactionKind
from tests.builders.bills import a_bill

PROFILE = {
    "address": ["Harbour Street 20", "20457 Hamburg"],
    "tax_number": "DE123456789",
    "bill_number_prefix": "ZX-",
    "branding": {"primary_color": "#12466b", "logo": None},
}
DEFINITION = {
    "assembling": {
        "rounding_product": "rounding",
        "debit_adjustment_type": "rounding_invoice",
        "credit_adjustment_type": "rounding_credit",
    },
    "formatting": {"rating_formatting": "group_per_service"},
}
CATALOGUE = {
    "version_ids": [],
    "rounding": {
        "product": "Rounding",
        "debit_adjustment_type": "Rounding Invoice",
        "credit_adjustment_type": "Rounding Credit",
    },
}


def insert(table: str, **values: Any) -> None:
    """Insert one row; dictionaries and lists become JSON."""
    plain = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in values.items()}
    columns, places = ", ".join(plain), ", ".join(["%s"] * len(plain))
    execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(plain.values()))


class Store:
    """Writes an operator's accounts and bills; the tenant's transaction is open."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant_id = tenant.id
        self._ids = 1000
        execute(
            "UPDATE base_operator SET name = 'Company ZX', profile = %s WHERE tenant_id = %s",
            [json.dumps(PROFILE), self.tenant_id],
        )

    def next_id(self) -> int:
        """Return a key that nothing has yet."""
        self._ids += 1
        return self._ids * 100_000 + self.tenant_id

    def add_account(self, code: str, *, locale: str = "", name: str = "Ada Byron") -> int:
        """Add an account with its contact and one subscription and return its key."""
        account_id = self.next_id()
        bucket = bucket_of(account_id)
        insert(
            "party_contact",
            bucket=bucket,
            id=account_id,
            tenant_id=self.tenant_id,
            code=f"C-{code}",
            name=name,
            email="",
            phone="",
            street="Long Lane 5",
            postal_code="20095",
            city="Hamburg",
            country="DE",
            locale=locale,
        )
        insert(
            "party_account",
            bucket=bucket,
            account_id=account_id,
            tenant_id=self.tenant_id,
            code=code,
            contact_id=account_id,
            state="active",
            currency="EUR",
            credit_rating="",
            credit_period_days=0,
            revision=0,
            created_on=date(2026, 1, 1),
        )
        insert("party_account_code", tenant_id=self.tenant_id, code=code, account_id=account_id)
        insert(
            "subscription_subscription",
            bucket=bucket,
            account_id=account_id,
            id=account_id,
            tenant_id=self.tenant_id,
            code=f"S-{code}",
            state="effective",
            created_on=date(2026, 1, 1),
        )
        return account_id

    def add_run(self, number: int) -> int:
        """Add a completed run and return its key."""
        run_id = self.next_id()
        insert(
            "billing_run",
            id=run_id,
            tenant_id=self.tenant_id,
            number=number,
            kind="batch",
            state="completed",
            is_dry=False,
            execution_date=date(2026, 7, 20),
            bill_as_of=date(2026, 8, 1),
            transaction_date=date(2026, 7, 21),
            due_date=date(2026, 8, 10),
            criteria={},
            definition=DEFINITION,
            catalogue=CATALOGUE,
            parts=1,
            totals={},
            created_by="test",
            created_at="2026-07-20T08:00:00Z",
        )
        return run_id

    def add_bill(
        self, account_id: int, run_id: int, number: int, items: tuple[BilledItem, ...], **changes: Any
    ) -> BillRow:
        """Add a bill with its items and its one invoice."""
        key = BillKey(bucket_of(account_id), account_id, run_id)
        bill = replace(a_bill(items, key=key, number=number), **changes)
        values = {
            field.name: getattr(bill, field.name)
            for field in fields(bill)
            if field.name not in {"key", "run_number", "account_code"}
        }
        owner = {"bucket": key.bucket, "account_id": account_id, "tenant_id": self.tenant_id}
        insert("billing_bill", **owner, run_id=run_id, invoices=1, items=len(items), **values)
        for item in items:
            self._add_item(owner, run_id, item)
        self.add_transaction(account_id, run_id, bill.total_minor, TransactionKind.INVOICE)
        return bill

    def add_transaction(
        self, account_id: int, origin_id: int, amount_minor: int, kind: TransactionKind, reference: str = ""
    ) -> None:
        """Add a financial transaction."""
        insert(
            "ledger_transaction",
            bucket=bucket_of(account_id),
            account_id=account_id,
            origin_id=origin_id,
            line=1,
            tenant_id=self.tenant_id,
            kind=kind.value,
            transaction_date=date(2026, 7, 3),
            currency="EUR",
            amount_minor=amount_minor,
            net_minor=amount_minor,
            tax_minor=0,
            rounding_minor=0,
            rounding_micro=0,
            reference=reference,
            posted_at="2026-07-03T08:00:00Z",
        )

    def settle(self, account_id: int, debit_origin_id: int, credit_origin_id: int, amount_minor: int) -> None:
        """Allocate so much of a credit to a debit."""
        insert(
            "ledger_allocation",
            bucket=bucket_of(account_id),
            account_id=account_id,
            origin_id=self.next_id(),
            seq=1,
            tenant_id=self.tenant_id,
            credit_origin_id=credit_origin_id,
            credit_line=1,
            debit_origin_id=debit_origin_id,
            debit_line=1,
            amount_minor=amount_minor,
            allocated_on=date(2026, 7, 3),
        )

    def _add_item(self, owner: dict[str, int], run_id: int, item: BilledItem) -> None:
        names = {"subscription_code", "service_code", "product_code", "product_name", "unit", "kind", "service_id"}
        values = {field.name: getattr(item, field.name) for field in fields(item) if field.name not in names}
        service_id = self._add_service(owner, item)
        insert(
            "rating_rated_item",
            **owner,
            run_id=run_id,
            invoice_line=1,
            subscription_id=owner["account_id"],
            service_id=service_id,
            product_version_id=self._add_product(item),
            kind=item.kind.value,
            generation=0,
            cycle_day=1,
            amount_off_micro=0,
            **values,
        )

    def _add_service(self, owner: dict[str, int], item: BilledItem) -> int:
        service_id = owner["account_id"] + item.service_id
        is_once = item.kind is ItemKind.ONCE
        table = "subscription_charge" if is_once else "subscription_service"
        found = fetch_rows(f"SELECT id FROM {table} WHERE id = %s AND bucket = %s", [service_id, owner["bucket"]])
        if found:
            return service_id
        common = {**owner, "id": service_id, "subscription_id": owner["account_id"], "code": item.service_code}
        dates = {"effective_from": item.period_from, "billable_from": item.period_from}
        if is_once:
            insert(table, **common, product_id=1, quantity=1, duration=0, performed_on=item.period_from)
        else:
            insert(
                table,
                **common,
                **dates,
                product_id=1,
                quantity=1,
                billing_effective_date=item.period_from,
                extra_discount_ppm=0,
            )
        return service_id

    def _add_product(self, item: BilledItem) -> int:
        found = fetch_rows(
            """SELECT v.id FROM configuration_version v JOIN configuration_entity e ON e.id = v.entity_id
               WHERE e.tenant_id = %s AND e.kind = 'product' AND e.code = %s""",
            [self.tenant_id, item.product_code],
        )
        if found:
            return int(found[0][0])
        insert("configuration_entity", tenant_id=self.tenant_id, kind="product", code=item.product_code)
        entity_id = fetch_rows(
            "SELECT id FROM configuration_entity WHERE tenant_id = %s AND code = %s",
            [self.tenant_id, item.product_code],
        )[0][0]
        insert(
            "configuration_version",
            tenant_id=self.tenant_id,
            entity_id=entity_id,
            number=1,
            name=item.product_name,
            effective_date=date(1970, 1, 1),
            state="active",
            body={"unit": item.unit},
            created_by="test",
        )
        return self._add_product(item)
