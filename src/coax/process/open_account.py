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
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.queries import find_versions
from coax.ledger.operations.open_balances import open_balances
from coax.party.operations import create_accounts
from coax.party.queries import CONTACT_TEXTS, find_stored_accounts, find_stored_contacts
from coax.process.check_customer import (
    find_allowed_text,
    read_classification,
    read_credit_limit,
    read_credit_period,
    read_credit_rating,
    refuse,
)
from coax.process.import_subscribers.catalogue import Catalogue, build_catalogue

OPERATION: Final = "open_account"
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
    AccountCodesTaken, IdempotencyKeyReused, IdempotencyKeyInvalid.
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
        allowed = find_allowed_text(name, text)
        if allowed is not None:
            refuse(place, text, allowed)


def _check_code(tenant: Tenant, code: str) -> None:
    known = find_stored_accounts(tenant_id=tenant.id, codes=pl.Series([code]), using=RUN_ALIAS)
    if known.height:
        raise AccountCodeTaken(f"account: there is an account {code!r} already.", field="account", value=code)


def _find_contact(tenant: Tenant, request: NewAccount, code: str) -> int | None:
    """Return the key of the contact, None where it is to be made. Raises: AccountRefused, AccountCodeTaken."""
    known = find_stored_contacts(tenant_id=tenant.id, codes=pl.Series([code]), using=RUN_ALIAS)
    found: int | None = known["contact_id"][0] if known.height else None
    if request.contact is None and found is None:
        refuse("contact_code", code, "the code of a contact that there is; give `contact` for a new one")
    if request.contact is not None and found is not None:
        text = f"contact: there is a contact {code!r} already; leave `contact` out to open another account of it."
        raise AccountCodeTaken(text, field="contact_code", value=code)
    return found


def _decide_credit(request: NewAccount, catalogue: Catalogue) -> dict[str, Any]:
    """Return what decides about credit, from the request or from the operator's rules. Raises: AccountRefused."""
    limit = catalogue.default_credit_limit_minor
    if request.credit_limit is not None:
        limit = read_credit_limit(request.credit_limit, catalogue)
    return {
        "classification_id": read_classification(request.classification, catalogue),
        "credit_limit_minor": limit,
        "credit_rating": read_credit_rating(request.credit_rating, catalogue),
        "credit_period_days": read_credit_period(request.credit_period_days, catalogue),
    }
