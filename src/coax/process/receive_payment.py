"""A payment received at the counter or from a bank statement: posted once, settling what it is meant for."""

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
from coax.ledger.operations.post_payment import post_payment
from coax.ledger.queries import find_settled
from coax.party.queries.accounts import get_account
from coax.party.types import AccountRow
from coax.process.bills.numbers import compose_bill_number, parse_bill_number
from coax.process.bills.reading import read_operator

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
    """What a person or a program asks; `amount` in major units, `on` the operator's today when left out."""

    account_code: str
    amount: str
    on: date | None = None
    reference: str = ""
    against_bill: str | None = None


def receive_payment(
    *, tenant: Tenant, request: PaymentRequest, idempotency_key: str | None = None
) -> tuple[dict[str, Any], bool]:
    """Post a payment and return the receipt, plain data with amounts as decimals, and whether it was a repetition.

    With a key the payment is posted once, however often it is asked (architecture 3.12).

    Raises: AccountUnknown, InvalidAmount, PaymentNotPositive, AmountRefused, PaymentInTheFuture, ReferenceTooLong,
    BillUnknown, InvalidBillNumber, BillOfAnotherAccount, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id):
        return perform_once(
            tenant_id=tenant.id,
            operation=OPERATION,
            key=idempotency_key,
            request=asdict(request),
            action=lambda: _post(tenant, request),
        )


def _post(tenant: Tenant, request: PaymentRequest) -> dict[str, Any]:
    account = get_account(tenant.id, request.account_code)
    amount_minor = _read_amount(request.amount, account.currency)
    if len(request.reference) > REFERENCE_CHARS_MAX:
        raise ReferenceTooLong(f"A reference has at most {REFERENCE_CHARS_MAX} characters.", given=request.reference)
    prefix = read_operator(tenant.id).bill_number_prefix
    posted = post_payment(
        tenant_id=tenant.id,
        account_id=account.account_id,
        amount_minor=amount_minor,
        currency=account.currency,
        on=(on := _decide_date(tenant, request.on)),
        reference=request.reference,
        against=_find_debit(tenant, request, account, prefix),
    )
    settled = find_settled(tenant_id=tenant.id, account_id=account.account_id, origin_id=posted.origin_id)

    def money(minor: int) -> str:
        return str(minor_to_decimal(minor, account.currency))

    return {
        "payment": posted.origin_id,
        "account": account.code,
        "amount": money(amount_minor),
        "currency": account.currency,
        "received_on": on.isoformat(),
        "reference": request.reference,
        "settled": [
            {
                "bill": compose_bill_number(prefix, row.bill_number) if row.bill_number else None,
                "amount": money(row.amount_minor),
            }
            for row in settled
        ],
        "not_allocated": money(amount_minor - sum(row.amount_minor for row in settled)),
        "balance": money(posted.balance_minor),
    }


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
