"""Money given back: of an account's credit, to the mode that it came by, above a limit by two persons."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from coax.base.idempotency import perform_once
from coax.base.numbers import next_ids
from coax.base.tenancy import Tenant, tenant_transaction
from coax.configuration.types.payment_mode import PaymentMode
from coax.ledger.operations.lock_balance import lock_balance
from coax.ledger.operations.post_debit import post_debit
from coax.ledger.types import LedgerAccountKind, TransactionKind
from coax.party.queries.accounts import get_account
from coax.payment.operations.record_refund import decide_refund, record_refund
from coax.payment.queries.payments import get_payment
from coax.payment.queries.refunds import get_refund, sum_given_back
from coax.payment.rules import PaymentRefused
from coax.payment.types import NewRefund, PaymentRow, PaymentState, RefundRow, RefundState
from coax.process.payments.context import MoneyContext, make_money_context, write_money
from coax.process.payments.describe import describe_refund


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """What a person or a program asks; `amount` in major units. The mode is that of `payment` where it names one.

    `on` is the day on which the money was given, by default today; one that a second person approves is of that day.
    """

    account_code: str
    amount: str
    reason: str
    mode: str | None = None
    payment: int | None = None
    on: date | None = None


def refund(
    *, tenant: Tenant, request: RefundRequest, actor: str, idempotency_key: str | None = None
) -> tuple[dict[str, Any], bool]:
    """Give money back, or let it wait for a second person; return the refund, and whether it was a repetition.

    Only what an account has too much is given back (reference 6.2).

    Raises: AccountUnknown, PaymentUnknown, InvalidAmount, PaymentRefused, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id):
        return perform_once(
            tenant_id=tenant.id,
            operation="refund",
            key=idempotency_key,
            request=asdict(request),
            action=lambda: _refund(make_money_context(tenant, actor=actor), request),
        )


def approve_refund(*, tenant: Tenant, refund_id: int, actor: str, reason: str = "") -> dict[str, Any]:
    """Give back the money of a refund that waits; not by who asked for it. Raises: RefundUnknown, PaymentRefused."""
    with tenant_transaction(tenant.id):
        context = make_money_context(tenant, actor=actor)
        row, balance_minor = _take(context, refund_id)
        _check_balance(row.amount_minor, balance_minor, row.currency)
        transaction_id = _post(context, row, context.today)
        return _decide(context, row, RefundState.POSTED, reason, transaction_id, on=context.today)


def reject_refund(*, tenant: Tenant, refund_id: int, actor: str, reason: str) -> dict[str, Any]:
    """Reject a refund that waits. Raises: RefundUnknown, PaymentRefused."""
    if not reason.strip():
        raise PaymentRefused("reason: say why the refund is rejected.", field="reason", value=reason)
    with tenant_transaction(tenant.id):
        context = make_money_context(tenant, actor=actor)
        row, _ = _take(context, refund_id)
        return _decide(context, row, RefundState.REJECTED, reason, None, on=context.today)


def _refund(context: MoneyContext, request: RefundRequest) -> dict[str, Any]:
    tenant_id = context.tenant.id
    account = get_account(tenant_id, request.account_code)
    balance_minor = lock_balance(tenant_id=tenant_id, account_id=account.account_id)
    amount_minor = context.read_amount(request.amount, account.currency)
    if not request.reason.strip():
        raise PaymentRefused("reason: say why money is given back.", field="reason", value=request.reason)
    payment = _find_payment(context, request, account.account_id, amount_minor)
    mode = _choose_mode(context, request, payment)
    _check_balance(amount_minor, balance_minor, account.currency)
    waits = context.needs_second_person(amount_minor, account.currency)
    new = NewRefund(
        refund_id=next_ids("base_document_seq", 1)[0],
        account_id=account.account_id,
        mode=mode.code,
        state=RefundState.PENDING,
        money=LedgerAccountKind(mode.money.value),
        amount_minor=amount_minor,
        currency=account.currency,
        refunded_on=context.read_day(request.on),
        reason=request.reason,
        payment_id=request.payment,
        asked_by=context.actor,
    )
    record_refund(new, tenant_id=tenant_id, at=context.now)
    row = get_refund(tenant_id=tenant_id, refund_id=new.refund_id)
    if waits:
        return describe_refund(row)
    transaction_id = _post(context, row, row.refunded_on)
    return _decide(context, row, RefundState.POSTED, "", transaction_id, on=row.refunded_on, by="")


def _find_payment(
    context: MoneyContext, request: RefundRequest, account_id: int, amount_minor: int
) -> PaymentRow | None:
    if request.payment is None:
        return None
    tenant_id = context.tenant.id
    payment = get_payment(tenant_id=tenant_id, payment_id=request.payment)
    if payment.account_id != account_id or payment.state is not PaymentState.POSTED:
        text = f"payment: {request.payment} is {payment.state} on account {payment.account_code}; nothing of it can go."
        raise PaymentRefused(text, field="payment", value=request.payment)
    given = sum_given_back(tenant_id=tenant_id, account_id=account_id, payment_id=request.payment)
    left = payment.amount_minor - payment.moved_minor - given
    if amount_minor > left:
        text = f"amount: {write_money(left, payment.currency)} of payment {request.payment} can be given back."
        raise PaymentRefused(text, field="amount", value=request.amount)
    return payment


def _choose_mode(context: MoneyContext, request: RefundRequest, payment: PaymentRow | None) -> PaymentMode:
    code = request.mode or (payment.mode if payment else "cash")
    mode = context.modes.get(code)
    if mode is None or not mode.is_active or not mode.refundable:
        allowed = ", ".join(sorted(m.code for m in context.modes.values() if m.is_active and m.refundable))
        raise PaymentRefused(f"mode: nothing is given back by {code!r}; allowed: {allowed}.", field="mode", value=code)
    return mode


def _check_balance(amount_minor: int, balance_minor: int, currency: str) -> None:
    if amount_minor > -balance_minor:
        credit = write_money(max(0, -balance_minor), currency)
        text = f"amount: the account has {credit} {currency} too much; no more can be given back."
        raise PaymentRefused(text, field="amount", value=write_money(amount_minor, currency))


def _take(context: MoneyContext, refund_id: int) -> tuple[RefundRow, int]:
    """Return a refund that is for this person to decide on, and the account's balance, which is locked."""
    tenant_id = context.tenant.id
    account_id = get_refund(tenant_id=tenant_id, refund_id=refund_id).account_id
    balance_minor = lock_balance(tenant_id=tenant_id, account_id=account_id)
    row = get_refund(tenant_id=tenant_id, refund_id=refund_id)
    if row.state is not RefundState.PENDING:
        text = f"refund: {refund_id} is {row.state}; only one that is pending is decided on."
        raise PaymentRefused(text, field="refund", value=refund_id)
    if row.asked_by == context.actor:
        text = f"refund: {refund_id} was asked for by {context.actor}; a second person decides on it."
        raise PaymentRefused(text, field="refund", value=refund_id)
    return row, balance_minor


def _post(context: MoneyContext, row: RefundRow, on: date) -> int:
    posted = post_debit(
        tenant_id=context.tenant.id,
        account_id=row.account_id,
        kind=TransactionKind.REFUND,
        amount_minor=row.amount_minor,
        currency=row.currency,
        on=on,
        money=row.money,
        reference=f"refund {row.refund_id}: {row.reason}",
    )
    return posted.origin_id


def _decide(
    context: MoneyContext,
    row: RefundRow,
    state: RefundState,
    reason: str,
    transaction_id: int | None,
    *,
    on: date,
    by: str | None = None,
) -> dict[str, Any]:
    is_decided = decide_refund(
        row,
        state,
        by=context.actor if by is None else by,
        on=on,
        reason=reason,
        tenant_id=context.tenant.id,
        transaction_id=transaction_id,
    )
    if not is_decided:
        raise AssertionError("the refund is locked with its account's balance")
    return describe_refund(get_refund(tenant_id=context.tenant.id, refund_id=row.refund_id))
