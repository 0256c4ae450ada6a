"""A clerk credits what was wrong and writes off what will not come."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from coax.base.errors import DomainError
from coax.ledger.types import TransactionKind
from coax.process.adjust_account import AdjustmentRefused, AdjustmentRequest, adjust_account
from coax.process.verify import verify_tenant
from tests.builders.operators import AnOperator, an_operator

TODAY = date(2026, 8, 1)


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AnOperator:
    operator = an_operator()
    operator.subscribe(tmp_path, [{"account_code": "A", "billed_until": "2026-08-01"}, {"account_code": "B"}])
    operator.bill("2026-07-20", "2026-08-01")
    return operator


def adjust(zx: AnOperator, kind: TransactionKind, net: str, key: str | None = None, **values: str) -> dict[str, object]:
    request = AdjustmentRequest(
        kind=kind, account_code="A", net=net, on=TODAY, reason=values.pop("reason", "goodwill"), **values
    )
    return adjust_account(tenant=zx.tenant, request=request, idempotency_key=key)[0]


def test_a_credit_note_and_a_write_off_settle_the_bill(zx: AnOperator) -> None:
    before = dict(zx.entries())
    note = adjust(zx, TransactionKind.CREDIT_NOTE, "10.00", tax="1.90")
    assert (note["amount"], note["balance"]) == ("11.90", "2.98")
    rest = adjust(zx, TransactionKind.WRITE_OFF, "2.98", reason="bankrupt")
    assert rest["balance"] == "0.00"
    after = dict(zx.entries())
    assert after["receivable"] - before["receivable"] == -1488
    assert (after["revenue"] - before["revenue"], after["tax"] - before["tax"]) == (1000, 190)
    assert after["write_off"] == 298
    assert all(result.is_kept for result in verify_tenant(tenant=zx.tenant))


def test_the_same_key_posts_once(zx: AnOperator) -> None:
    first = adjust(zx, TransactionKind.WRITE_OFF, "1.00", key="k1")
    assert adjust(zx, TransactionKind.WRITE_OFF, "1.00", key="k1") == first
    assert dict(zx.entries())["write_off"] == 100


@pytest.mark.parametrize(
    "values", [{"net": "0"}, {"net": "-1"}, {"net": "1", "tax": "-1"}, {"net": "1", "reason": " "}]
)
def test_what_is_no_adjustment_changes_nothing(zx: AnOperator, values: dict[str, str]) -> None:
    before = zx.entries()
    with pytest.raises(AdjustmentRefused):
        adjust(zx, TransactionKind.CREDIT_NOTE, **values)
    assert zx.entries() == before


def test_a_bill_of_another_account(zx: AnOperator) -> None:
    other = next(row["number"] for row in zx.bills() if row["account"] == "B")
    with pytest.raises(DomainError, match="of another account"):
        adjust(zx, TransactionKind.WRITE_OFF, "1.00", against_bill=str(other))
