"""A payment received at the counter, from a bank or a program: posted once, settling what it is meant for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, ClassVar, Final

from coax.base.clock import tenant_today
from coax.base.errors import DomainError
from coax.base.idempotency import perform_once
from coax.base.money import parse_minor
from coax.base.numbers import next_ids
from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.bills import get_bill
from coax.configuration.types.payment_mode import Payer
from coax.ledger.operations.lock_balance import lock_balance
from coax.ledger.operations.post_payment import post_payment
from coax.ledger.queries import find_open_items
from coax.ledger.types import LedgerAccountKind
from coax.party.queries.accounts import get_account
from coax.party.types import AccountRow
from coax.payment.operations.record_payment import record_payment
from coax.payment.queries.payments import get_payment
from coax.payment.rules import PaymentRefused, check_details, choose_mode
from coax.payment.types import NewPayment, PaymentState
from coax.process.bills.numbers import compose_bill_number, parse_bill_number
from coax.process.bills.reading import read_operator
from coax.process.payments.context import MoneyContext, make_money_context, write_money
from coax.process.payments.describe import describe_payment

OPERATION: Final = "receive_payment"
REFERENCE_CHARS_MAX: Final = 200


class PaymentNotPositive(DomainError):
    """Money received is above zero; money given back is a refund."""

    code: ClassVar[str] = "payment_not_positive"


class PaymentInTheFuture(DomainError):
    """A payment cannot be received after the operator's today."""

    code: ClassVar[str] = "payment_in_the_future"


class ReferenceTooLong(DomainError):
    """The reference of a payment is longer than can be kept."""

    code: ClassVar[str] = "reference_too_long"


class BillOfAnotherAccount(DomainError):
    """The bill that the payment is meant for is not the account's."""

    code: ClassVar[str] = "bill_of_another_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """What a person or a program asks; `amount` in major units, `on` the operator's today when left out.

    `details` tell what the mode asks for: a cheque's number, a bank's receipt.
    """

    account_code: str
    amount: str
    on: date | None = None
    reference: str = ""
    against_bill: str | None = None
    mode: str = "cash"
    payer: Payer = Payer.SUBSCRIBER
    details: Mapping[str, str] = field(default_factory=dict)


def receive_payment(
    *, tenant: Tenant, request: PaymentRequest, actor: str = "", idempotency_key: str | None = None
) -> tuple[dict[str, Any], bool]:
    """Post a payment and return the receipt, plain data with amounts as decimals, and whether it was a repetition.

    With a key the payment is posted once, however often it is asked (architecture 3.12). A mode that wants a second
    person's approval leaves it pending.

    Raises: AccountUnknown, InvalidAmount, PaymentNotPositive, AmountRefused, PaymentInTheFuture, ReferenceTooLong,
    PaymentRefused, BillUnknown, InvalidBillNumber, BillOfAnotherAccount, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id):
        return perform_once(
            tenant_id=tenant.id,
            operation=OPERATION,
            key=idempotency_key,
            request=asdict(request),
            action=lambda: _receive(make_money_context(tenant, actor=actor), request),
        )


def _receive(context: MoneyContext, request: PaymentRequest) -> dict[str, Any]:
    tenant = context.tenant
    account = get_account(tenant.id, request.account_code)
    amount_minor = _read_amount(request.amount, account.currency)
    if len(request.reference) > REFERENCE_CHARS_MAX:
        raise ReferenceTooLong(f"A reference has at most {REFERENCE_CHARS_MAX} characters.", given=request.reference)
    mode = choose_mode(request.mode, context.modes, request.payer)
    check_details(mode, request.reference, request.details)
    prefix = read_operator(tenant.id).bill_number_prefix
    against = _find_debit(tenant, request, account, prefix)
    payment = NewPayment(
        payment_id=0,
        account_id=account.account_id,
        mode=mode.code,
        payer=request.payer,
        state=PaymentState.PENDING if mode.needs_approval else PaymentState.POSTED,
        money=LedgerAccountKind(mode.money.value),
        amount_minor=amount_minor,
        currency=account.currency,
        received_on=_decide_date(tenant, request.on),
        reference=request.reference,
        details=request.details,
        against_bill=against[0] if against else None,
        recorded_by=context.actor,
    )
    lock_balance(tenant_id=tenant.id, account_id=account.account_id)
    check_overpayment(context, payment)
    if mode.needs_approval:
        payment = replace(payment, payment_id=next_ids("base_document_seq", 1)[0])
    else:
        payment = post_received(context, payment)
    record_payment(payment, tenant_id=tenant.id, at=context.now)
    return describe_payment(
        get_payment(tenant_id=tenant.id, payment_id=payment.payment_id), prefix, tenant_id=tenant.id
    )


def post_received(context: MoneyContext, payment: NewPayment) -> NewPayment:
    """Post a payment in the open transaction; return it with the key of its transaction."""
    posted = post_payment(
        tenant_id=context.tenant.id,
        account_id=payment.account_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        on=payment.received_on,
        reference=payment.reference,
        money=payment.money,
        against=(payment.against_bill, None) if payment.against_bill is not None else None,
    )
    return replace(payment, payment_id=posted.origin_id)


def check_overpayment(context: MoneyContext, payment: NewPayment) -> None:
    """Refuse money above the bill that it is meant for, where the operator does; the balance is locked.

    Raises: PaymentRefused.
    """
    if payment.against_bill is None or not context.refuses_overpayment:
        return
    items = find_open_items(tenant_id=context.tenant.id, account_ids=[payment.account_id])
    open_minor = sum(item.open_minor for item in items if item.is_debit and item.origin_id == payment.against_bill)
    if payment.amount_minor > open_minor:
        left = write_money(open_minor, payment.currency)
        text = f"amount: of the bill {left} {payment.currency} are open; more is not accepted."
        raise PaymentRefused(text, field="amount", value=write_money(payment.amount_minor, payment.currency))


def _read_amount(text: str, currency: str) -> int:
    amount_minor = parse_minor(text, currency)
    if amount_minor <= 0:
        raise PaymentNotPositive(f"A payment of {text} {currency} is not above zero.", amount=text)
    return amount_minor


def _decide_date(tenant: Tenant, on: date | None) -> date:
    today = tenant_today(tenant.id)
    if on is not None and on > today:
        raise PaymentInTheFuture(
            f"A payment cannot be received on {on}; the operator's clock shows {today}.", on=on, today=today
        )
    return on or today


def _find_debit(tenant: Tenant, request: PaymentRequest, account: AccountRow, prefix: str) -> tuple[int, None] | None:
    """Return what names all invoices of the bill that the payment is meant for."""
    if request.against_bill is None:
        return None
    bill = get_bill(tenant_id=tenant.id, number=parse_bill_number(prefix, request.against_bill))
    if bill.key.account_id != account.account_id:
        number = compose_bill_number(prefix, bill.number)
        raise BillOfAnotherAccount(
            f"Bill {number} is of account {bill.account_code}, not of {account.code}.",
            bill=bill.number,
            account=bill.account_code,
        )
    return bill.key.run_id, None
