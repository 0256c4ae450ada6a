"""Open an account, of a contact that is known or new: checked by the rules of an import, one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final

import polars as pl

from coax.base.clock import tenant_today
from coax.base.errors import DomainError
from coax.base.idempotency import perform_once
from coax.base.ids import BUCKET_MASK
from coax.base.money import parse_minor
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.queries import find_versions
from coax.ledger.operations.open_balances import open_balances
from coax.party.operations import create_accounts
from coax.party.queries import CONTACT_TEXTS, find_stored_accounts, find_stored_contacts
from coax.process.import_subscribers.catalogue import Catalogue, build_catalogue, list_allowed
from coax.process.import_subscribers.columns import Cell
from coax.process.import_subscribers.parsing import TEXT_PATTERNS

OPERATION: Final = "open_account"
_CELLS: Final = {"code": Cell.CODE, "email": Cell.EMAIL, "locale": Cell.LOCALE}
_ACCOUNT_SCHEMA: Final[dict[str, Any]] = {
    "account_code": pl.String,
    "contact_code": pl.String,
    "contact_id": pl.Int64,
    "classification_id": pl.Int64,
    "currency": pl.String,
    "credit_limit_minor": pl.Int64,
    "credit_rating": pl.String,
    "credit_period_days": pl.Int64,
}


class AccountRefused(DomainError):
    """A value of a new account is not allowed; `field`, `value` and `allowed` say which and what is."""

    code: ClassVar[str] = "account_refused"


class AccountCodeTaken(DomainError):
    """There is an account, or a contact that was to be new, of this code already."""

    code: ClassVar[str] = "account_code_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What is asked of a new account.

    `contact`, the texts of a new contact by name (`CONTACT_TEXTS`), or None for one that is known; its code is
    `contact_code`, by default the account's. `credit_limit` in major units, by default what the operator's rules say.
    """

    account_code: str
    contact_code: str | None = None
    contact: dict[str, str] | None = field(default=None)
    classification: str | None = None
    credit_limit: str | None = None
    credit_rating: str = ""
    credit_period_days: int = 0


def open_account(
    *, tenant: Tenant, request: NewAccount, asked: dict[str, Any], idempotency_key: str | None = None
) -> tuple[dict[str, Any], bool]:
    """Create an account with a balance of zero, and its contact if that is new; return its codes and if repeated.

    `asked` is what two requests with the same key have in common. Raises: AccountRefused, AccountCodeTaken,
    AccountCodesTaken, InvalidAmount, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        return perform_once(
            tenant_id=tenant.id,
            operation=OPERATION,
            key=idempotency_key,
            request=asked,
            action=lambda: _open(tenant, request),
            using=RUN_ALIAS,
        )


def _open(tenant: Tenant, request: NewAccount) -> dict[str, Any]:
    today = tenant_today(tenant.id, using=RUN_ALIAS)
    catalogue = build_catalogue(find_versions(using=RUN_ALIAS), currency=tenant.currency, as_of=today)
    contact_code = request.contact_code or request.account_code
    _check_texts(request, contact_code)
    _check_code(tenant, request.account_code)
    contact_id = _find_contact(tenant, request, contact_code)
    _create(tenant, request, catalogue, (contact_code, contact_id), today)
    return {"account": request.account_code, "contact": contact_code}


def _create(
    tenant: Tenant, request: NewAccount, catalogue: Catalogue, contact: tuple[str, int | None], today: date
) -> None:
    contact_code, contact_id = contact
    texts = request.contact or {}
    people = {"contact_code": contact_code, **{name: texts.get(name, "") for name in CONTACT_TEXTS}}
    account = {
        "account_code": request.account_code,
        "contact_code": contact_code,
        "contact_id": contact_id,
        "currency": tenant.currency,
        **_decide_credit(request, catalogue),
    }
    schema = dict.fromkeys(people, pl.String)
    made = create_accounts(
        tenant_id=tenant.id,
        contacts=pl.DataFrame([people] if contact_id is None else [], schema=schema),
        accounts=pl.DataFrame([account], schema=_ACCOUNT_SCHEMA),
        created_on=today,
    )
    bucket = (pl.col("account_id") & BUCKET_MASK).alias("bucket")
    open_balances(rows=made.select(bucket, "account_id", pl.lit(tenant.id).alias("tenant_id")))


def _check_texts(request: NewAccount, contact_code: str) -> None:
    """Hold the texts to what an import allows. Raises: AccountRefused."""
    texts = [("code", "account", request.account_code), ("code", "contact_code", contact_code)]
    texts += [(name, f"contact.{name}", text) for name, text in (request.contact or {}).items() if text]
    for name, place, text in texts:
        pattern, length_max, allowed = TEXT_PATTERNS[_CELLS.get(name, Cell.TEXT)]
        if not pl.Series([text]).str.contains(pattern)[0] or len(text) > length_max:
            _refuse(place, text, allowed)


def _check_code(tenant: Tenant, code: str) -> None:
    known = find_stored_accounts(tenant_id=tenant.id, codes=pl.Series([code]), using=RUN_ALIAS)
    if known.height:
        raise AccountCodeTaken(f"account: there is an account {code!r} already.", field="account", value=code)


def _find_contact(tenant: Tenant, request: NewAccount, code: str) -> int | None:
    """Return the key of the contact, None where it is to be made. Raises: AccountRefused, AccountCodeTaken."""
    known = find_stored_contacts(tenant_id=tenant.id, codes=pl.Series([code]), using=RUN_ALIAS)
    found: int | None = known["contact_id"][0] if known.height else None
    if request.contact is None and found is None:
        _refuse("contact_code", code, "the code of a contact that there is; give `contact` for a new one")
    if request.contact is not None and found is not None:
        text = f"contact: there is a contact {code!r} already; leave `contact` out to open another account of it."
        raise AccountCodeTaken(text, field="contact_code", value=code)
    return found


def _decide_credit(request: NewAccount, catalogue: Catalogue) -> dict[str, Any]:
    """Return what decides about credit, from the request or from the operator's rules. Raises: AccountRefused."""
    names = catalogue.classifications
    if request.classification is not None and request.classification not in names:
        _refuse("classification", request.classification, list_allowed(names) or "none")
    ratings = catalogue.credit_ratings
    if request.credit_rating and request.credit_rating not in ratings:
        _refuse("credit_rating", request.credit_rating, list_allowed(ratings) or "none")
    low, high = catalogue.credit_period_bounds
    if request.credit_period_days and not low <= request.credit_period_days <= high:
        _refuse("credit_period_days", request.credit_period_days, f"{low} to {high}")
    limit = catalogue.default_credit_limit_minor
    if request.credit_limit is not None:
        limit = parse_minor(request.credit_limit, catalogue.currency)
        if limit < 0:
            _refuse("credit_limit", request.credit_limit, "an amount from zero on")
    return {
        "classification_id": names[request.classification] if request.classification else None,
        "credit_limit_minor": limit,
        "credit_rating": request.credit_rating,
        "credit_period_days": request.credit_period_days,
    }


def _refuse(field_name: str, value: object, allowed: str) -> None:
    message = f"{field_name}: {value!r} is not allowed; allowed is: {allowed}."
    raise AccountRefused(message, field=field_name, value=value, allowed=allowed)
