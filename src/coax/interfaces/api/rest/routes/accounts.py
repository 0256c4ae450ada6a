"""Accounts: listed, shown with what they owe, opened, changed; the next bill and all postings of one."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from ninja import Query
from pydantic import Field

from coax.base.clock import tenant_today
from coax.configuration.queries import find_versions
from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest, get_exchange
from coax.interfaces.api.rest.resource import Key, Resource, describe_request
from coax.interfaces.api.rest.routes.bills import BillPreview
from coax.interfaces.api.rest.values import Amount, CivilDate, Code, Currency, Day, Model, Money, Text
from coax.ledger.queries import find_statement
from coax.ledger.types import CreditStatus, TransactionKind
from coax.party.queries.accounts import find_accounts, get_account
from coax.party.types import AccountState, ApiScope
from coax.process.account_statement import BILLS_SHOWN, POSTINGS_SHOWN, get_account_statement
from coax.process.billing_run.describe import describe_preview
from coax.process.billing_run.plan import RunRequest
from coax.process.billing_run.preview import preview_bill
from coax.process.bills.reading import read_operator
from coax.process.change_account import CLASSIFICATION, change_account
from coax.process.describe_account import describe_account, describe_account_row, describe_posting
from coax.process.open_account import NewAccount, open_account
from coax.subscription.types import SubscriptionState

resource = Resource("Accounts")
PERIOD_DAYS_MAX: Final = 32_767


class AccountContact(Model):
    """Whose an account is."""

    code: str
    name: str
    email: str
    phone: str
    street: str
    postal_code: str
    city: str
    country: str
    locale: str


class Account(Model):
    """An account receivable in a list."""

    account: str
    state: AccountState
    currency: Currency
    classification: str | None
    credit_limit: Money | None
    credit_rating: str
    credit_period_days: int
    contact: AccountContact


class AccountPage(Page[Account]):
    """A page of accounts in the order of their codes."""


class AccountService(Model):
    """A service of an account's subscription."""

    service: str
    product: str
    quantity: int
    state: str
    state_from: date | None
    effective_from: date
    effective_to: date | None
    billable_from: date
    billing_effective_date: date
    rated_up_to: date
    agreed_price: Money | None


class AccountSubscription(Model):
    """A subscription of an account."""

    subscription: str
    state: SubscriptionState
    frequency: str | None
    cycle_day: int | None
    services: list[AccountService]


class AccountBill(Model):
    """A bill of an account, with how far it is settled."""

    bill: str
    run: int
    transaction_date: date
    due_date: date
    classification: str
    total: Money
    to_pay: Money
    status: str | None
    unsettled: Money | None


class Posting(Model):
    """A financial transaction of an account, with the balance after it."""

    date: CivilDate
    kind: TransactionKind
    bill: str | None
    reference: str
    due_date: CivilDate | None
    amount: Money
    balance: Money
    open: Money
    transaction: str
    posted_at: datetime


class PostingPage(Page[Posting]):
    """A page of an account's postings, the latest first."""


class AccountStatement(Model):
    """How an account stands today: whose it is, what it has, what it owes. Bills and postings latest first."""

    account: str
    state: AccountState
    as_of: date
    currency: Currency
    contact: AccountContact
    balance: Money
    unsettled: Money
    outstanding: Money = Field(description="What is past due.")
    unallocated: Money = Field(description="Received, and settling nothing yet.")
    credit_limit: Money | None
    credit_status: CreditStatus
    subscriptions: list[AccountSubscription]
    bills: list[AccountBill]
    postings: list[Posting]


class NewContact(Model):
    """A contact that is made with its first account."""

    name: Text = ""
    email: Text = ""
    phone: Text = ""
    street: Text = ""
    postal_code: Text = ""
    city: Text = ""
    country: Text = ""
    locale: Annotated[Text, Field(description="Such as de_DE.")] = ""


class AccountToOpen(Model):
    """A new account; give `contact` for a new contact, or `contact_code` alone for a known one."""

    account: Code
    contact_code: Annotated[Code | None, Field(description="By default the account's code.")] = None
    contact: NewContact | None = None
    classification: Code | None = None
    credit_limit: Annotated[Amount | None, Field(description="By default the operator's.")] = None
    credit_rating: Text = ""
    credit_period_days: Annotated[int, Field(strict=True, ge=-PERIOD_DAYS_MAX, le=PERIOD_DAYS_MAX)] = 0


class AccountTerms(Model):
    """Terms of an account; null for none, for no days of credit zero."""

    classification: Code | None = None
    credit_limit: Amount | None = None
    credit_rating: Text | None = None
    credit_period_days: Annotated[int | None, Field(strict=True, ge=-PERIOD_DAYS_MAX, le=PERIOD_DAYS_MAX)] = None


class AccountChange(AccountTerms):
    """What changes of an account: members left out stay, null clears (RFC 7396)."""

    expected: Annotated[
        AccountTerms | None, Field(description="Terms as you saw them; where one is another by now nothing changes.")
    ] = None


class OpenedAccount(Model):
    """The codes of a new account and its contact."""

    account: str
    contact: str


class AccountFilter(Model):
    """Which accounts are wanted."""

    text: Annotated[
        Text, Field(description="Beginning of code, name or e-mail, or part of the phone number of the contact.")
    ] = ""


class StatementSize(Model):
    """How much of an account's past is shown."""

    bills: Annotated[int, Field(ge=0, le=1000)] = BILLS_SHOWN
    postings: Annotated[int, Field(ge=0, le=10_000)] = POSTINGS_SHOWN


class PreviewDates(Model):
    """For which days a bill is previewed."""

    on: Annotated[Day | None, Field(description="Execution date; by default today.")] = None
    bill_as_of: Annotated[Day | None, Field(description="By default as defined.")] = None


@resource.read("", scope=ApiScope.ACCOUNTS_READ, answer=AccountPage)
def list_accounts(request: ApiRequest, wanted: Query[AccountFilter], page: Query[PageRequest]) -> dict[str, Any]:
    """List accounts."""
    rows = find_accounts(
        tenant_id=request.tenant.id, text=wanted.text, limit=page.limit + 1, after=read_place(request, page) or ""
    )
    names = _name_classifications()
    return make_page(
        request, page, rows, place=lambda row: row.code, describe=lambda row: describe_account_row(row, names)
    )


@resource.write(
    "", scope=ApiScope.ACCOUNTS_WRITE, answer=OpenedAccount, status=HTTPStatus.CREATED, key=Key.ACCEPTED_BELOW
)
def create_account(request: ApiRequest, body: AccountToOpen) -> dict[str, Any]:
    """Open an account, of a known contact or a new one."""
    given = body.model_dump(exclude={"account", "contact"})
    done, get_exchange(request).is_repeated = open_account(
        tenant=request.tenant,
        request=NewAccount(
            account_code=body.account, contact=body.contact.model_dump() if body.contact else None, **given
        ),
        asked=describe_request(request),
        idempotency_key=request.idempotency_key,
    )
    return done


@resource.read("/{path:account}/next-bill", scope=ApiScope.ACCOUNTS_READ, answer=BillPreview)
def preview_next_bill(request: ApiRequest, account: Code, dates: Query[PreviewDates]) -> dict[str, Any]:
    """Show what the next bill of an account would be.

    It is made by the run's own code and taken back; nothing is billed.
    """
    found = preview_bill(
        tenant=request.tenant,
        account_id=get_account(request.tenant.id, account).account_id,
        request=RunRequest(
            execution_date=dates.on or tenant_today(request.tenant.id),
            bill_as_of=dates.bill_as_of,
            actor=request.caller.actor,
        ),
    )
    return describe_preview(found)


@resource.read("/{path:account}/postings", scope=ApiScope.ACCOUNTS_READ, answer=PostingPage)
def list_postings_of_account(request: ApiRequest, account: Code, page: Query[PageRequest]) -> dict[str, Any]:
    """List all postings of an account, each with the balance after it."""
    row = get_account(request.tenant.id, account)
    place = read_place(request, page)
    rows = find_statement(
        tenant_id=request.tenant.id,
        account_id=row.account_id,
        limit=page.limit + 1,
        after=(datetime.fromisoformat(place[0]), place[1], place[2]) if place else None,
    )
    prefix = read_operator(request.tenant.id).bill_number_prefix
    return make_page(
        request,
        page,
        rows,
        place=lambda posting: [posting.posted_at.isoformat(), posting.origin_id, posting.line],
        describe=lambda posting: describe_posting(posting, row=row, prefix=prefix),
    )


@resource.write("/{path:account}", scope=ApiScope.ACCOUNTS_WRITE, answer=Account, method="PATCH")
def alter_account(request: ApiRequest, account: Code, body: AccountChange) -> dict[str, Any]:
    """Change the terms of an account: classification and what decides about credit.

    A run that has read the account before sets it aside, and bills it the next time.
    """
    change_account(
        tenant=request.tenant,
        account_code=account,
        wanted=_list_terms(body),
        expected=_list_terms(body.expected) if body.expected else None,
        actor=request.caller.actor,
    )
    return describe_account_row(get_account(request.tenant.id, account), _name_classifications())


@resource.read("/{path:account}", scope=ApiScope.ACCOUNTS_READ, answer=AccountStatement)
def get_account_as_statement(request: ApiRequest, account: Code, size: Query[StatementSize]) -> dict[str, Any]:
    """Show an account with its balance, subscriptions, last bills and postings."""
    return describe_account(
        get_account_statement(tenant=request.tenant, account_code=account, bills=size.bills, postings=size.postings)
    )


def _list_terms(given: AccountTerms) -> dict[str, Any]:
    """Return the terms that were given, null as it is stored."""
    empty = {"credit_rating": "", "credit_period_days": 0}
    terms = given.model_dump(exclude={"expected"}, exclude_unset=True)
    return {name: empty.get(name) if value is None else value for name, value in terms.items()}


def _name_classifications() -> dict[int, str]:
    return {row.entity_id: row.code for row in find_versions(CLASSIFICATION)}
