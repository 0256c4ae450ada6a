"""Run the checks on one operator: one statement each, all on the same state of the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from coax.base.db import execute, fetch_dicts
from coax.base.money import MICRO, currency_scale
from coax.base.tenancy import RUN_ALIAS, Tenant, set_tenant
from coax.process.verify.checks import CHECKS, Check, Naming

ROWS_MAX: Final = 10
WORK_MEMORY: Final = "128MB"
KEYS: Final = ("bucket", "account_id", "origin_id", "service_id")

Progress = Callable[[str, int, int], None]

_ACCOUNT: Final = "LEFT JOIN party_account a ON a.bucket = f.bucket AND a.account_id = f.account_id"
_RUN: Final = "LEFT JOIN billing_run r ON r.id = f.origin_id"
# How the rows of each kind of check get the codes that people know, after the first few are chosen.
_NAMED: Final = {
    Naming.ACCOUNT: f"SELECT a.code AS account, f.* FROM found f {_ACCOUNT}",
    Naming.DOCUMENT: f"""SELECT a.code AS account, b.number AS bill, r.number AS run,
            CASE WHEN r.id IS NULL THEN nullif(f.origin_id, 0) END AS transaction, f.*
        FROM found f {_ACCOUNT} {_RUN}
        LEFT JOIN billing_bill b ON b.bucket = f.bucket AND b.account_id = f.account_id AND b.run_id = f.origin_id""",
    Naming.SERVICE: f"""SELECT a.code AS account, u.code AS subscription, s.code AS service, f.* FROM found f {_ACCOUNT}
        LEFT JOIN subscription_service s
          ON s.bucket = f.bucket AND s.account_id = f.account_id AND s.id = f.service_id
        LEFT JOIN subscription_subscription u
          ON u.bucket = s.bucket AND u.account_id = s.account_id AND u.id = s.subscription_id""",
    Naming.RUN: f"SELECT r.number AS run, f.* FROM found f {_RUN}",
    Naming.SERIES: "SELECT f.* FROM found f",
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check and the first rows that break it; `is_more` when there are others."""

    check: Check
    rows: tuple[dict[str, Any], ...]
    is_more: bool

    @property
    def is_kept(self) -> bool:
        """Tell whether the promise holds."""
        return not self.rows

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "check": self.check.code,
            "promise": self.check.promise,
            "is_kept": self.is_kept,
            "rows": list(self.rows),
            "is_more": self.is_more,
        }


def ignore_progress(step: str, done: int, total: int) -> None:
    """Show nothing."""


def verify_tenant(
    *, tenant: Tenant, checks: Sequence[Check] = CHECKS, progress: Progress = ignore_progress
) -> list[CheckResult]:
    """Return the result of each check, in their order; nothing is changed.

    All read one snapshot with the run role, so that a run that is posting meanwhile breaks no promise.
    """
    with transaction.atomic(using=RUN_ALIAS, durable=True):
        execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", using=RUN_ALIAS)
        set_tenant(tenant.id, using=RUN_ALIAS)
        execute(f"SET LOCAL work_mem = '{WORK_MEMORY}'", using=RUN_ALIAS)
        results = []
        for done, check in enumerate(checks):
            progress("verify", done, len(checks))
            results.append(_perform(check, tenant))
        progress("verify", len(checks), len(checks))
    return results


def _perform(check: Check, tenant: Tenant) -> CheckResult:
    params = {
        "tenant_id": tenant.id,
        "currency": tenant.currency,
        "unit_micro": MICRO // 10 ** currency_scale(tenant.currency),
        "limit": ROWS_MAX + 1,
    }
    statement = f"""WITH found AS MATERIALIZED (
        SELECT * FROM ({check.statement}) AS broken ORDER BY broken LIMIT %(limit)s)
        {_NAMED[check.naming]} ORDER BY f"""
    rows = [_trim(row) for row in fetch_dicts(statement, params, using=RUN_ALIAS)]
    return CheckResult(check, tuple(rows[:ROWS_MAX]), is_more=len(rows) > ROWS_MAX)


def _trim(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out keys that nobody knows, and what does not apply."""
    return {name: _plain(value) for name, value in row.items() if name not in KEYS and value is not None}


def _plain(value: Any) -> Any:
    """Return exact sums, which the database counts as decimals, as the whole numbers they are."""
    return value if isinstance(value, str | int) else int(value)
