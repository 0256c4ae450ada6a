"""Money of accounts: payments and refunds with what became of them, credit notes, write-offs."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from ninja import Path, Query
from pydantic import Field

from coax.configuration.types.payment_mode import Payer, PaymentDetail
from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest, get_exchange
from coax.interfaces.api.rest.resource import Key, Resource
from coax.interfaces.api.rest.values import Amount, Code, Currency, Day, Model, Money, Reason, Text
from coax.ledger.types import TransactionKind
from coax.party.queries.accounts import get_account
from coax.party.types import ApiScope
from coax.payment.queries.payments import find_payments, get_payment
from coax.payment.queries.refunds import find_refunds, get_refund
from coax.payment.types import PaymentState, RefundState
from coax.process.adjust_account import AdjustmentRequest, adjust_account
from coax.process.bills.reading import read_operator
from coax.process.payments.allocate import allocate_payment
from coax.process.payments.approve import approve_payment, reject_payment
from coax.process.payments.cancel import cancel_payment
from coax.process.payments.describe import describe_payment, describe_payment_briefly, describe_refund
from coax.process.payments.receive import PaymentRequest, receive_payment
from coax.process.payments.refund import RefundRequest, approve_refund, refund, reject_refund
from coax.process.payments.transfer import transfer_payment

of_accounts = Resource("Payments")
resource = Resource("Payments")
refunds = Resource("Refunds")
NUMBER_MAX: Final = 2**63 - 1
PaymentNumber = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
BILLS_MAX: Final = 100
On = Annotated[Day | None, Field(description="By default the operator's today.")]
Against = Annotated[Code | None, Field(description="Bill to settle first; by default the oldest debt.")]


class PaymentToReceive(Model):
    """Money received; `details` tell what its mode asks for."""

    amount: Amount
    on: On = None
    mode: Annotated[Code, Field(description="How it was paid.")] = "cash"
    payer: Payer = Payer.SUBSCRIBER
    details: Annotated[dict[PaymentDetail, Text], Field(description="Such as cheque_number.")] = Field(
        default_factory=dict
    )
    reference: Annotated[Text, Field(description="What the payer or the bank wrote.")] = ""
    against_bill: Against = None


class SettledBill(Model):
    """So much of a payment settles a bill, or a debit without one."""

    bill: str | None
    amount: Money


class PaymentInList(Model):
    """A payment, and what became of it."""

    payment: int
    account: str
    mode: str
    payer: Payer
    state: PaymentState
    amount: Money
    moved: Annotated[Money, Field(description="So much of it went to other accounts.")]
    currency: Currency
    received_on: date
    reference: str
    details: dict[str, str]
    came_from_payment: Annotated[int | None, Field(description="The payment of another account that it came from.")]
    recorded_by: str
    recorded_at: datetime
    decided_by: str | None
    decided_on: date | None
    reason: str


class Payment(PaymentInList):
    """A payment with what it settles now, and how its account stands."""

    settled: list[SettledBill]
    not_allocated: Money
    balance: Money


class PaymentPage(Page[PaymentInList]):
    """A page of payments, the latest first."""


class PaymentFilter(Model):
    """Which payments are wanted."""

    account: Annotated[Code | None, Field(description="Only of this account.")] = None
    state: PaymentState | None = None
    mode: Annotated[Code | None, Field(description="Only by this mode.")] = None
    received_from: Annotated[Day | None, Field(description="Only from this day on.")] = None
    received_until: Annotated[Day | None, Field(description="Only up to this day.")] = None


class Cancellation(Model):
    """Why, and as of which day."""

    reason: Reason
    on: On = None


class Transfer(Model):
    """Where the money goes, and how much of it."""

    account: Code
    amount: Annotated[Amount | None, Field(description="By default all that is left of it.")] = None
    reason: Text = ""


class BillToSettle(Model):
    """So much of a payment is to settle a bill."""

    bill: Code
    amount: Amount


class Settlement(Model):
    """What a payment is to settle, in place of what it did."""

    bills: Annotated[list[BillToSettle], Field(max_length=BILLS_MAX)]


class Decision(Model):
    """Why something is approved."""

    reason: Text = ""


class Rejection(Model):
    """Why something is rejected."""

    reason: Reason


class RefundToMake(Model):
    """Money to be given back of what an account has too much."""

    amount: Amount
    reason: Reason
    mode: Annotated[Code | None, Field(description="By default as the payment came, or cash.")] = None
    payment: Annotated[int | None, Field(strict=True, ge=1, le=NUMBER_MAX, description="Whose money it is.")] = None
    on: On = None


class Refund(Model):
    """Money given back, or to be once a second person approves it."""

    refund: int
    account: str
    mode: str
    state: RefundState
    amount: Money
    currency: Currency
    on: date
    reason: str
    payment: int | None
    asked_by: str
    decided_by: str | None
    decision_reason: str


class RefundPage(Page[Refund]):
    """A page of refunds, the latest first."""


class RefundFilter(Model):
    """Which refunds are wanted."""

    account: Annotated[Code | None, Field(description="Only of this account.")] = None
    state: RefundState | None = None


class CreditNote(Model):
    """Revenue and tax that are taken back."""

    net: Amount
    tax: Amount = "0"
    reason: Reason
    on: On = None
    against_bill: Against = None


class WriteOff(Model):
    """What an account will not pay."""

    amount: Amount
    reason: Reason
    on: On = None
    against_bill: Against = None


class Adjustment(Model):
    """A credit note or write-off that was posted."""

    kind: TransactionKind
    transaction: int
    account: str
    amount: Money
    currency: Currency
    reason: str
    on: date
    balance: Money


@of_accounts.write(
    "/{path:account}/payments",
    scope=ApiScope.PAYMENTS_WRITE,
    answer=Payment,
    status=HTTPStatus.CREATED,
    key=Key.REQUIRED_BELOW,
)
def add_payment(request: ApiRequest, account: Code, body: PaymentToReceive) -> dict[str, Any]:
    """Post a payment of an account and settle what it owes; some modes wait for a second person."""
    details = {detail.value: text for detail, text in body.details.items()}
    done, get_exchange(request).is_repeated = receive_payment(
        tenant=request.tenant,
        request=PaymentRequest(account_code=account, **{**body.model_dump(), "details": details}),
        actor=request.caller.actor,
        idempotency_key=request.idempotency_key,
    )
    return done


@of_accounts.write(
    "/{path:account}/refunds",
    scope=ApiScope.PAYMENTS_WRITE,
    answer=Refund,
    status=HTTPStatus.CREATED,
    key=Key.REQUIRED_BELOW,
)
def add_refund(request: ApiRequest, account: Code, body: RefundToMake) -> dict[str, Any]:
    """Give back what an account has too much; above the operator's limit it waits for a second person."""
    done, get_exchange(request).is_repeated = refund(
        tenant=request.tenant,
        request=RefundRequest(account_code=account, **body.model_dump()),
        actor=request.caller.actor,
        idempotency_key=request.idempotency_key,
    )
    return done


@resource.read("", scope=ApiScope.ACCOUNTS_READ, answer=PaymentPage)
def list_payments(request: ApiRequest, wanted: Query[PaymentFilter], page: Query[PageRequest]) -> dict[str, Any]:
    """List payments."""
    tenant_id = request.tenant.id
    rows = find_payments(
        tenant_id=tenant_id,
        account_id=get_account(tenant_id, wanted.account).account_id if wanted.account else None,
        state=wanted.state,
        mode=wanted.mode,
        received_from=wanted.received_from,
        received_until=wanted.received_until,
        before=read_place(request, page),
        limit=page.limit + 1,
    )
    return make_page(request, page, rows, place=lambda row: row.payment_id, describe=describe_payment_briefly)


@resource.read("/{payment}", scope=ApiScope.ACCOUNTS_READ, answer=Payment)
def get_one_payment(request: ApiRequest, payment: PaymentNumber) -> dict[str, Any]:
    """Show a payment with what it settles."""
    tenant_id = request.tenant.id
    row = get_payment(tenant_id=tenant_id, payment_id=payment)
    return describe_payment(row, read_operator(tenant_id).bill_number_prefix, tenant_id=tenant_id)


@resource.write("/{payment}/cancel", scope=ApiScope.PAYMENTS_WRITE, answer=Payment, key=Key.REQUIRED_BELOW)
def cancel_one_payment(request: ApiRequest, payment: PaymentNumber, body: Cancellation) -> dict[str, Any]:
    """Cancel a payment, such as a cheque that bounced; what it settled is open again."""
    done, get_exchange(request).is_repeated = cancel_payment(
        tenant=request.tenant,
        payment_id=payment,
        reason=body.reason,
        on=body.on,
        actor=request.caller.actor,
        idempotency_key=request.idempotency_key,
    )
    return done


@resource.write(
    "/{payment}/transfer",
    scope=ApiScope.PAYMENTS_WRITE,
    answer=Payment,
    status=HTTPStatus.CREATED,
    key=Key.REQUIRED_BELOW,
)
def transfer_one_payment(request: ApiRequest, payment: PaymentNumber, body: Transfer) -> dict[str, Any]:
    """Move a payment, or so much of it, to another account; the answer is the payment that it makes there."""
    done, get_exchange(request).is_repeated = transfer_payment(
        tenant=request.tenant,
        payment_id=payment,
        to_account=body.account,
        amount=body.amount,
        reason=body.reason,
        actor=request.caller.actor,
        idempotency_key=request.idempotency_key,
    )
    return done


@resource.write("/{payment}/allocation", scope=ApiScope.PAYMENTS_WRITE, answer=Payment)
def settle_by_payment(request: ApiRequest, payment: PaymentNumber, body: Settlement) -> dict[str, Any]:
    """Say which bills a payment settles; what is left of it settles nothing until the account's next posting."""
    bills = [(one.bill, one.amount) for one in body.bills]
    return allocate_payment(tenant=request.tenant, payment_id=payment, bills=bills, actor=request.caller.actor)


@resource.write("/{payment}/approve", scope=ApiScope.PAYMENTS_WRITE, answer=Payment)
def approve_one_payment(request: ApiRequest, payment: PaymentNumber, body: Decision) -> dict[str, Any]:
    """Post a payment that waits; whoever recorded it cannot."""
    actor = request.caller.actor
    return approve_payment(tenant=request.tenant, payment_id=payment, actor=actor, reason=body.reason)


@resource.write("/{payment}/reject", scope=ApiScope.PAYMENTS_WRITE, answer=Payment)
def reject_one_payment(request: ApiRequest, payment: PaymentNumber, body: Rejection) -> dict[str, Any]:
    """Reject a payment that waits."""
    actor = request.caller.actor
    return reject_payment(tenant=request.tenant, payment_id=payment, actor=actor, reason=body.reason)


@refunds.read("", scope=ApiScope.ACCOUNTS_READ, answer=RefundPage)
def list_refunds(request: ApiRequest, wanted: Query[RefundFilter], page: Query[PageRequest]) -> dict[str, Any]:
    """List refunds."""
    tenant_id = request.tenant.id
    rows = find_refunds(
        tenant_id=tenant_id,
        account_id=get_account(tenant_id, wanted.account).account_id if wanted.account else None,
        state=wanted.state,
        before=read_place(request, page),
        limit=page.limit + 1,
    )
    return make_page(request, page, rows, place=lambda row: row.refund_id, describe=describe_refund)


@refunds.read("/{refund}", scope=ApiScope.ACCOUNTS_READ, answer=Refund)
def get_one_refund(request: ApiRequest, refund: PaymentNumber) -> dict[str, Any]:
    """Show a refund."""
    return describe_refund(get_refund(tenant_id=request.tenant.id, refund_id=refund))


@refunds.write("/{refund}/approve", scope=ApiScope.PAYMENTS_WRITE, answer=Refund)
def approve_one_refund(request: ApiRequest, refund: PaymentNumber, body: Decision) -> dict[str, Any]:
    """Give back the money of a refund that waits; whoever asked for it cannot."""
    return approve_refund(tenant=request.tenant, refund_id=refund, actor=request.caller.actor, reason=body.reason)


@refunds.write("/{refund}/reject", scope=ApiScope.PAYMENTS_WRITE, answer=Refund)
def reject_one_refund(request: ApiRequest, refund: PaymentNumber, body: Rejection) -> dict[str, Any]:
    """Reject a refund that waits."""
    return reject_refund(tenant=request.tenant, refund_id=refund, actor=request.caller.actor, reason=body.reason)


@of_accounts.write(
    "/{path:account}/credit-notes",
    scope=ApiScope.PAYMENTS_WRITE,
    answer=Adjustment,
    status=HTTPStatus.CREATED,
    key=Key.REQUIRED_BELOW,
)
def add_credit_note(request: ApiRequest, account: Code, body: CreditNote) -> dict[str, Any]:
    """Credit an account: revenue and tax are taken back."""
    return _adjust(
        request, AdjustmentRequest(kind=TransactionKind.CREDIT_NOTE, account_code=account, **body.model_dump())
    )


@of_accounts.write(
    "/{path:account}/write-offs",
    scope=ApiScope.PAYMENTS_WRITE,
    answer=Adjustment,
    status=HTTPStatus.CREATED,
    key=Key.REQUIRED_BELOW,
)
def add_write_off(request: ApiRequest, account: Code, body: WriteOff) -> dict[str, Any]:
    """Write off what an account will not pay."""
    given = body.model_dump(exclude={"amount"})
    adjustment = AdjustmentRequest(kind=TransactionKind.WRITE_OFF, account_code=account, net=body.amount, **given)
    return _adjust(request, adjustment)


def _adjust(request: ApiRequest, adjustment: AdjustmentRequest) -> dict[str, Any]:
    done, get_exchange(request).is_repeated = adjust_account(
        tenant=request.tenant, request=adjustment, idempotency_key=request.idempotency_key
    )
    return done
