"""Change the terms of an account: classification and what decides about credit, by the rules of an import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coax.base.audit import acting_as
from coax.base.clock import tenant_today
from coax.base.money import InvalidAmount, parse_minor
from coax.base.tenancy import Tenant, tenant_transaction
from coax.configuration.queries import find_versions
from coax.party.operations.update_account import update_account
from coax.party.queries.accounts import get_account
from coax.process.check_customer import (
    read_classification,
    read_credit_limit,
    read_credit_period,
    read_credit_rating,
)
from coax.process.import_subscribers.catalogue import Catalogue, build_catalogue

CLASSIFICATION: Final = "account_classification"
TERMS: Final = {
    "classification": "classification_id",
    "credit_limit": "credit_limit_minor",
    "credit_rating": "credit_rating",
    "credit_period_days": "credit_period_days",
}
_NEVER: Final = -1  # stands for what cannot be stored: no key and no credit limit is below zero


@dataclass(frozen=True, slots=True)
class AllowedTerms:
    """What the terms of an account may be today: names of classifications by code, ratings, days of credit."""

    classifications: dict[str, str]
    credit_ratings: tuple[str, ...]
    credit_period_bounds: tuple[int, int]


def change_account(
    *,
    tenant: Tenant,
    account_code: str,
    wanted: Mapping[str, Any],
    actor: str,
    expected: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Change some terms of an account; return the names of those that changed.

    `TERMS`: `classification` a code or None, `credit_limit` text of major units or None, `credit_rating` text,
    empty for none, `credit_period_days`. What is not named stays, and what is there already is not asked about. Of
    `expected`, terms as somebody saw them, all have to be there still. A change raises the account's revision: a run
    that has read the account before sets it aside, and bills it the next time.

    Raises: AccountUnknown, AccountRefused, AccountTermsChanged.
    """
    with tenant_transaction(tenant.id), acting_as(actor):
        row = get_account(tenant.id, account_code)
        catalogue = _read_catalogue(tenant)
        keys = {found.code: found.entity_id for found in find_versions(CLASSIFICATION)}
        columns = {}
        for name, value in wanted.items():
            there = getattr(row, TERMS[name])
            is_there = _to_column(name, value, keys, row.currency) == there
            columns[TERMS[name]] = there if is_there else _read_allowed(name, value, catalogue)
        return update_account(
            tenant_id=tenant.id,
            code=account_code,
            wanted=columns,
            expected={
                TERMS[name]: _to_column(name, value, keys, row.currency) for name, value in (expected or {}).items()
            },
        )


def find_allowed_terms(tenant: Tenant) -> AllowedTerms:
    """Return what the terms of an account may be today; a transaction is open."""
    catalogue = _read_catalogue(tenant)
    names = {row.entity_id: row.spec.name for row in find_versions(CLASSIFICATION)}
    return AllowedTerms(
        classifications={code: names[key] for code, key in catalogue.classifications.items()},
        credit_ratings=catalogue.credit_ratings,
        credit_period_bounds=catalogue.credit_period_bounds,
    )


def _read_catalogue(tenant: Tenant) -> Catalogue:
    return build_catalogue(find_versions(), currency=tenant.currency, as_of=tenant_today(tenant.id))


def _read_allowed(name: str, value: Any, catalogue: Catalogue) -> Any:
    """Return a new term as it is stored. Raises: AccountRefused."""
    if name == "classification":
        return read_classification(value, catalogue)
    if name == "credit_limit":
        return None if value is None else read_credit_limit(value, catalogue)
    if name == "credit_rating":
        return read_credit_rating(value, catalogue)
    return read_credit_period(value, catalogue)


def _to_column(name: str, value: Any, keys: Mapping[str, int], currency: str) -> Any:
    """Return a term as it would be stored, allowed or not; `_NEVER` for what cannot be there."""
    if value is None:
        return None
    if name == "classification":
        return keys.get(value, _NEVER)
    if name == "credit_limit":
        try:
            return parse_minor(value, currency)
        except InvalidAmount:
            return _NEVER
    return value
