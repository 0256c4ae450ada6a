"""Money of an account: payments received, credit notes and write-offs, bills made at once. All want a key."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from coax.interfaces.api.rest.request import ApiRequest, get_exchange
from coax.interfaces.api.rest.resource import Key, Resource
from coax.interfaces.api.rest.values import Amount, Code, Currency, Day, Model, Money, Reason, Text
from coax.ledger.types import TransactionKind
from coax.party.types import ApiScope
from coax.process.adjust_account import AdjustmentRequest, adjust_account
from coax.process.receive_payment import PaymentRequest, receive_payment

resource = Resource("Payments")
On = Annotated[Day | None, Field(description="By default the operator's today.")]
Against = Annotated[Code | None, Field(description="Bill to settle first; by default the oldest debt.")]


class Payment(Model):
    """Money received."""

    amount: Amount
    on: On = None
    reference: Annotated[Text, Field(description="What the payer or the bank wrote.")] = ""
    against_bill: Against = None


class SettledBill(Model):
    """So much of a payment settles a bill, or a debit without one."""

    bill: str | None
    amount: Money


class Receipt(Model):
    """A payment that was posted."""

    payment: int
    account: str
    amount: Money
    currency: Currency
    received_on: date
    reference: str
    settled: list[SettledBill]
    not_allocated: Money
    balance: Money


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


@resource.write(
    "/{path:account}/payments",
    scope=ApiScope.PAYMENTS_WRITE,
    answer=Receipt,
    status=HTTPStatus.CREATED,
    key=Key.REQUIRED_BELOW,
)
def add_payment(request: ApiRequest, account: Code, body: Payment) -> dict[str, Any]:
    """Post a payment of an account and settle what it owes."""
    done, get_exchange(request).is_repeated = receive_payment(
        tenant=request.tenant,
        request=PaymentRequest(account_code=account, **body.model_dump()),
        idempotency_key=request.idempotency_key,
    )
    return done


@resource.write(
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


@resource.write(
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
