"""Operators from the examples, their subscribers from small tables, and their runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.tenancy import RUN_ALIAS, Tenant
from coax.billing.types import RunStep
from coax.configuration.operations.parse_documents import read_documents
from coax.configuration.types.documents import SourceDocument
from coax.process.billing_run.execute import RunResult, execute_run
from coax.process.billing_run.plan import RunRequest, plan_run
from coax.process.import_subscribers import import_subscribers
from coax.process.operators import apply_files

EXAMPLES = Path(__file__).parents[2] / "examples"
_numbers = count(1)


@dataclass(frozen=True)
class AnOperator:
    """A fresh operator made from an example; its rows are read back as plain tables."""

    tenant: Tenant

    def bills(self, run: int | None = None) -> list[dict[str, Any]]:
        return self.rows(
            """SELECT a.code AS account, b.number, b.total_minor, b.rounding_micro, b.classification, b.period_from,
                      b.period_to, b.transaction_date, b.due_date, b.brought_forward_minor, b.run_id
               FROM billing_bill b JOIN party_account a ON a.bucket = b.bucket AND a.account_id = b.account_id
               JOIN billing_run r ON r.id = b.run_id
               WHERE b.tenant_id = %s AND (%s::bigint IS NULL OR r.number = %s) ORDER BY b.number""",
            run,
            run,
        )

    def items(self, account: str, run: int | None = None) -> list[dict[str, Any]]:
        return self.rows(
            """SELECT i.kind, i.period_from, i.period_to, i.whole_periods, i.days, i.period_days, i.net_micro,
                      i.total_micro
               FROM rating_rated_item i JOIN party_account a ON a.bucket = i.bucket AND a.account_id = i.account_id
               JOIN billing_run r ON r.id = i.run_id
               WHERE i.tenant_id = %s AND a.code = %s AND (%s::bigint IS NULL OR r.number = %s)
               ORDER BY i.run_id, i.line""",
            account,
            run,
            run,
        )

    def periods(self, account: str, run: int | None = None) -> list[tuple[date, date]]:
        return [(row["period_from"], row["period_to"]) for row in self.items(account, run)]

    def outcomes(self, account: str | None = None) -> list[dict[str, Any]]:
        return self.rows(
            """SELECT a.code AS account, o.outcome, o.reason, o.amount_micro
               FROM billing_run_outcome o JOIN party_account a ON a.bucket = o.bucket AND a.account_id = o.account_id
               WHERE o.tenant_id = %s AND (%s::text IS NULL OR a.code = %s) ORDER BY o.run_id, a.code, o.line""",
            account,
            account,
        )

    def rated_up_to(self, account: str) -> date:
        rows = self.rows(
            """SELECT r.rated_up_to FROM subscription_service_rating r
               JOIN party_account a ON a.bucket = r.bucket AND a.account_id = r.account_id
               WHERE r.tenant_id = %s AND a.code = %s""",
            account,
        )
        assert len(rows) == 1
        return rows[0]["rated_up_to"]

    def entries(self) -> list[tuple[str, int]]:
        return fetch_rows(
            """SELECT l.kind, sum(e.amount_minor)::bigint FROM ledger_entry e
               JOIN ledger_ledger_account l ON l.id = e.ledger_account_id
               WHERE e.tenant_id = %s GROUP BY 1 ORDER BY 1""",
            [self.tenant.id],
            using=RUN_ALIAS,
        )

    def rows(self, sql: str, *params: object) -> list[dict[str, Any]]:
        return fetch_dicts(sql, [self.tenant.id, *params], using=RUN_ALIAS)

    def execute(self, sql: str, *params: object) -> None:
        from coax.base.db import execute  # noqa: PLC0415

        execute(sql, list(params), using=RUN_ALIAS)

    def subscribe(self, path: Path, rows: Iterable[dict[str, Any]], *, as_of: date = date(2026, 6, 1)) -> None:
        """Import rows; what they leave out is Company ZX's usual."""
        file = path / f"subscribers-{next(_numbers)}.ndjson"
        defaults = {"scheme": "normal-bt", "frequency": "monthly", "product": "eurosports-1", "country": "DE"}
        defaults |= {"effective_from": "2026-01-01", "subscription_type": "normal"}
        full = []
        for row in rows:
            code = row["account_code"]
            full.append({**defaults, "name": f"Customer {code}", "subscription_code": f"S-{code}", **row})
        file.write_text("\n".join(json.dumps(row) for row in full), encoding="utf-8")
        outcome = import_subscribers(tenant=self.tenant, path=file, as_of=as_of)
        assert not outcome.is_refused, outcome

    def bill(
        self,
        on: str,
        bill_as_of: str | None = None,
        *,
        until: RunStep = RunStep.FORMATTING,
        **options: Any,
    ) -> RunResult:
        request = RunRequest(
            execution_date=date.fromisoformat(on),
            bill_as_of=date.fromisoformat(bill_as_of) if bill_as_of else None,
            **options,
        )
        return execute_run(run_id=plan_run(tenant=self.tenant, request=request), until=until, workers=1)


def an_operator(example: str = "company-zx", **replacements: str) -> AnOperator:
    """Apply an example under a fresh code; `replacements` change its text before (old is the key's value pair)."""
    code = f"{example}-{os.getpid()}-{next(_numbers)}"
    documents = [
        SourceDocument(document.name, _changed(document.text, example, code, replacements))
        for document in read_documents([EXAMPLES / example])
    ]
    tenant, _ = apply_files(
        documents=documents, operator_code=None, as_of=date(2026, 6, 1), actor="test", directory=EXAMPLES / example
    )
    return AnOperator(tenant)


def _changed(text: str, example: str, code: str, replacements: dict[str, str]) -> str:
    changed = text.replace(f"code: {example}", f"code: {code}", 1)
    for pair in replacements.values():
        old, _, new = pair.partition(" -> ")
        changed = changed.replace(old, new)
    return changed
