"""Everything that a clerk asks about an account, read in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from coax.base.clock import tenant_today
from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.bills import find_bills_of_accounts
from coax.billing.types.document import BillKey, BillRow, BillSettlement
from coax.configuration.queries import find_versions
from coax.ledger.queries import find_statement, get_position
from coax.ledger.types import AccountPosition, CreditStatus, StatementRow, decide_credit_status
from coax.party.queries.accounts import get_account
from coax.party.types import AccountRow
from coax.process.bills.ledger_reading import find_settlements
from coax.process.bills.reading import read_operator
from coax.subscription.queries import find_subscriptions
from coax.subscription.types import SubscriptionRow

BILLS_SHOWN: Final = 12
POSTINGS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatement:
    """How an account stands on `as_of`: whose it is, what it has, what it owes. Bills and postings latest first."""

    as_of: date
    account: AccountRow
    position: AccountPosition
    credit_status: CreditStatus
    subscriptions: tuple[SubscriptionRow, ...]
    product_names: dict[int, str]
    bills: tuple[BillRow, ...]
    settlements: dict[BillKey, BillSettlement]
    postings: tuple[StatementRow, ...]
    bill_number_prefix: str


def get_account_statement(
    *, tenant: Tenant, account_code: str, bills: int = BILLS_SHOWN, postings: int = POSTINGS_SHOWN
) -> AccountStatement:
    """Return the statement of an account as of the operator's today.

    Raises: AccountUnknown.
    """
    with tenant_transaction(tenant.id):
        account = get_account(tenant.id, account_code)
        as_of = tenant_today(tenant.id)
        position = get_position(tenant_id=tenant.id, account_id=account.account_id, as_of=as_of)
        latest = find_bills_of_accounts(tenant_id=tenant.id, account_ids=[account.account_id])[::-1][:bills]
        subscriptions = find_subscriptions(tenant_id=tenant.id, account_id=account.account_id)
        return AccountStatement(
            as_of=as_of,
            account=account,
            position=position,
            credit_status=decide_credit_status(position.balance_minor, account.credit_limit_minor),
            subscriptions=tuple(subscriptions),
            product_names={row.entity_id: row.spec.name for row in find_versions("product")},
            bills=tuple(latest),
            settlements=find_settlements(tenant_id=tenant.id, keys=[bill.key for bill in latest]),
            postings=tuple(find_statement(tenant_id=tenant.id, account_id=account.account_id, limit=postings)),
            bill_number_prefix=read_operator(tenant.id).bill_number_prefix,
        )
