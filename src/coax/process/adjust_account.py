"""A credit note or a write-off by hand: posted once, settling the oldest debt or the bill that it is for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, ClassVar, Final

from coax.base.clock import tenant_today
from coax.base.errors import DomainError
from coax.base.idempotency import perform_once
from coax.base.money import minor_to_decimal, parse_minor
from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.bills import get_bill
from coax.ledger.operations.post_credit_note import post_credit_note
from coax.ledger.operations.write_off import write_off
from coax.ledger.queries import get_position
from coax.ledger.types import PostedTransaction, TransactionKind
from coax.party.queries.accounts import get_account
from coax.process.bills.numbers import parse_bill_number
from coax.process.bills.reading import read_operator

REASON_CHARS_MAX: Final = 200


class AdjustmentRefused(DomainError):
    """A value of the credit note or write-off is not allowed; the message names it and what is."""

    code: ClassVar[str] = "adjustment_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentRequest:
    """What a person asks; amounts in major units, the tax of a write-off is zero."""

    kind: TransactionKind
    account_code: str
    net: str
    tax: str = "0"
    reason: str
    on: date | None = None
    against_bill: str | None = None


def adjust_account(
    *, tenant: Tenant, request: AdjustmentRequest, idempotency_key: str | None = None
) -> tuple[dict[str, Any], bool]:
    """Post a credit note or write-off; return what was posted, as plain data, and whether it was a repetition.

    Raises: AccountUnknown, InvalidAmount, AdjustmentRefused, AmountRefused, BillUnknown, InvalidBillNumber,
    IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id):
        return perform_once(
            tenant_id=tenant.id,
            operation=f"adjust_account.{request.kind}",
            key=idempotency_key,
            request=asdict(request),
            action=lambda: _post(tenant, request),
        )


def _post(tenant: Tenant, request: AdjustmentRequest) -> dict[str, Any]:
    account = get_account(tenant.id, request.account_code)
    net, tax = (parse_minor(text, account.currency) for text in (request.net, request.tax))
    _check(request, net, tax)
    on = request.on or tenant_today(tenant.id)
    common = {"tenant_id": tenant.id, "account_id": account.account_id, "currency": account.currency, "on": on}
    against = _find_debit(tenant, account.account_id, request.against_bill)
    if request.kind is TransactionKind.WRITE_OFF:
        posted: PostedTransaction = write_off(
            **common,  # type: ignore[arg-type]
            amount_minor=net,
            reference=request.reason,
            against=against,
        )
    else:
        posted = post_credit_note(
            **common,  # type: ignore[arg-type]
            net_minor=net,
            tax_minor=tax,
            reference=request.reason,
            against=against,
        )
    position = get_position(tenant_id=tenant.id, account_id=account.account_id, as_of=on)
    return {
        "kind": request.kind.value,
        "transaction": posted.origin_id,
        "account": account.code,
        "amount": str(minor_to_decimal(net + tax, account.currency)),
        "currency": account.currency,
        "reason": request.reason,
        "on": on.isoformat(),
        "balance": str(minor_to_decimal(position.balance_minor, account.currency)),
    }


def _check(request: AdjustmentRequest, net: int, tax: int) -> None:
    if net <= 0 or tax < 0:
        raise AdjustmentRefused(
            f"net: {request.net}, tax: {request.tax}; allowed is a net above zero, a tax from zero on."
        )
    if not request.reason.strip() or len(request.reason) > REASON_CHARS_MAX:
        raise AdjustmentRefused(f"reason: {request.reason!r}; allowed are 1 to {REASON_CHARS_MAX} characters.")


def _find_debit(tenant: Tenant, account_id: int, number: str | None) -> tuple[int, int | None] | None:
    if number is None:
        return None
    prefix = read_operator(tenant.id).bill_number_prefix
    bill = get_bill(tenant_id=tenant.id, number=parse_bill_number(prefix, number))
    if bill.key.account_id != account_id:
        raise AdjustmentRefused(f"against: bill {number} is of another account.", bill=number)
    return bill.key.run_id, None
