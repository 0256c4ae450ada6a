"""Payment modes: how money comes in, who may pay so, what has to be told of it (R171)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import Field

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import AtLeastOne, Choice, Many


class PaymentModeKind(Choice):
    """What a mode is by its nature; the operator's own modes are of one of these kinds."""

    CASH = "cash"
    CHEQUE = "cheque"
    DEBIT_CARD = "debit_card"
    CREDIT_CARD = "credit_card"
    BANK_CASH = "bank_cash"
    BANK_CHEQUE = "bank_cheque"
    DIRECT_DEBIT = "direct_debit"
    INTERNAL_VOUCHER = "internal_voucher"
    EXTERNAL_VOUCHER = "external_voucher"
    ATM = "atm"
    WALLET = "wallet"
    GATEWAY = "gateway"
    BANK_TRANSFER = "bank_transfer"


class Payer(Choice):
    """Who pays."""

    SUBSCRIBER = "subscriber"
    DEALER = "dealer"


class PaymentDetail(Choice):
    """What may be told of a payment beside its amount and day."""

    REFERENCE = "reference"
    CHEQUE_NUMBER = "cheque_number"
    BANK = "bank"
    BANK_ACCOUNT = "bank_account"
    CARD_LAST_FOUR = "card_last_four"
    AUTHORISATION = "authorisation"
    RECEIPT_NUMBER = "receipt_number"
    VOUCHER = "voucher"
    ISSUER = "issuer"
    TERMINAL = "terminal"


class MoneyAccount(Choice):
    """Where the money of a mode lies once it is received: the ledger account against the receivable."""

    CASH = "cash"
    BANK = "bank"
    CHEQUES = "cheques"
    CARDS = "cards"
    GATEWAY = "gateway"
    VOUCHERS = "vouchers"
    VOUCHER_ISSUERS = "voucher_issuers"
    WALLETS = "wallets"


class PaymentMode(Entity):
    """A way to pay; one that the operator does not describe is as it ships."""

    kind: PaymentModeKind = Field(description="What it is by its nature.")
    payers: AtLeastOne[Payer] = Field(description="Who may pay so; anybody else is refused.")
    required: Many[PaymentDetail] = Field(default=(), description="What each payment has to tell.")
    money: MoneyAccount = Field(description="Ledger account in which the money lies once received.")
    needs_approval: bool = Field(default=False, description="A second person approves it before it is posted.")
    refundable: bool = Field(default=True, description="Money may be given back this way.")


_BOTH: Final = (Payer.SUBSCRIBER, Payer.DEALER)
_D: Final = PaymentDetail
_K: Final = PaymentModeKind
_M: Final = MoneyAccount


def _mode(
    kind: PaymentModeKind,
    name: str,
    money: MoneyAccount,
    *,
    payers: tuple[Payer, ...] = _BOTH,
    required: tuple[PaymentDetail, ...] = (),
    needs_approval: bool = False,
    refundable: bool = True,
) -> PaymentMode:
    return PaymentMode(
        code=kind.value.replace("_", "-"),
        name=name,
        kind=kind,
        payers=payers,
        required=required,
        money=money,
        needs_approval=needs_approval,
        refundable=refundable,
    )


# The sample of R171 with wallet and gateway (issue: payment modes are data); an operator's own of the same code wins.
SHIPPED: Final = (
    _mode(_K.CASH, "Cash", _M.CASH),
    _mode(_K.CHEQUE, "Cheque", _M.CHEQUES, required=(_D.CHEQUE_NUMBER, _D.BANK)),
    _mode(_K.DEBIT_CARD, "Debit card", _M.CARDS, required=(_D.AUTHORISATION,)),
    _mode(_K.CREDIT_CARD, "Credit card", _M.CARDS, required=(_D.AUTHORISATION,)),
    _mode(_K.ATM, "ATM", _M.BANK, required=(_D.REFERENCE,), refundable=False),
    _mode(_K.INTERNAL_VOUCHER, "Internal voucher", _M.VOUCHERS, required=(_D.VOUCHER,), refundable=False),
    _mode(
        _K.EXTERNAL_VOUCHER,
        "External voucher",
        _M.VOUCHER_ISSUERS,
        required=(_D.VOUCHER, _D.ISSUER),
        refundable=False,
    ),
    _mode(
        _K.BANK_CASH,
        "Payment at bank in cash",
        _M.BANK,
        payers=(Payer.DEALER,),
        required=(_D.RECEIPT_NUMBER,),
        needs_approval=True,
        refundable=False,
    ),
    _mode(
        _K.BANK_CHEQUE,
        "Payment at bank by cheque",
        _M.BANK,
        payers=(Payer.DEALER,),
        required=(_D.RECEIPT_NUMBER, _D.CHEQUE_NUMBER),
        needs_approval=True,
        refundable=False,
    ),
    _mode(_K.DIRECT_DEBIT, "Direct debit", _M.BANK, payers=(Payer.SUBSCRIBER,), required=(_D.BANK_ACCOUNT,)),
    _mode(_K.BANK_TRANSFER, "Bank transfer", _M.BANK),
    _mode(_K.WALLET, "Wallet", _M.WALLETS, payers=(Payer.SUBSCRIBER,)),
    _mode(_K.GATEWAY, "Payment gateway", _M.GATEWAY, required=(_D.AUTHORISATION,)),
)


def merge_modes(own: Iterable[PaymentMode]) -> Mapping[str, PaymentMode]:
    """Return the modes that hold, by code: those that ship, and the operator's own in place of or beside them."""
    return {mode.code: mode for mode in (*SHIPPED, *own)}
