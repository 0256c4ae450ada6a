"""Plan a run: its dates, its definition, the configuration it freezes, its tasks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final, cast

from coax.base.audit import set_actor
from coax.base.clock import now_utc
from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.billing.operations.runs import create_run
from coax.billing.queries.runs import find_previous_bill_as_of
from coax.billing.rules.dates import (
    decide_bill_as_of,
    decide_due_date,
    decide_transaction_date,
    parse_due_date_rule,
)
from coax.billing.types import RunCriteria, RunKind
from coax.configuration.operations.mark_used import mark_used
from coax.configuration.queries import find_versions
from coax.configuration.types.billing_term_scheme import BillingTermScheme
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.receivable_definition import DueDate, ReceivableDefinition
from coax.configuration.types.run_definition import NormalBillingRunDefinition
from coax.process.billing_run.context import FROZEN_KINDS
from coax.rating.frames.calendar import FIRST_YEAR, LAST_YEAR

ACCOUNTS_PER_PART: Final = 20_000
PARTS_MAX: Final = 1024
EVERYBODY: Final = RunCriteria()


class NoActiveRunDefinition(DomainError):
    """Without an active definition there is no run (reference 2.6)."""

    code: ClassVar[str] = "no_active_run_definition"


class NoActiveReceivableDefinition(DomainError):
    """Nothing says when bills are due."""

    code: ClassVar[str] = "no_active_receivable_definition"


class BillAsOfBeforePrevious(DomainError):
    """A run cannot bill as of a day before the previous run's."""

    code: ClassVar[str] = "bill_as_of_before_previous"


class CriterionUnknown(DomainError):
    """A criterion names something that the operator does not have."""

    code: ClassVar[str] = "criterion_unknown"


class RunDateOutOfRange(DomainError):
    """A date of the run lies outside the calendar."""

    code: ClassVar[str] = "run_date_out_of_range"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What a person asks of a run; what is left out follows from the definition."""

    execution_date: date
    bill_as_of: date | None = None
    transaction_date: date | None = None
    due: str | None = None
    criteria: RunCriteria = EVERYBODY
    kind: RunKind = RunKind.BATCH
    is_dry: bool = False
    actor: str = "system"


def plan_run(*, tenant: Tenant, request: RunRequest) -> int:
    """Create a run in state draft and return its key; the versions it may use are frozen from here on.

    Raises: NoActiveRunDefinition, NoActiveReceivableDefinition, BillAsOfUnknown, BillAsOfBeforePrevious,
    CriterionUnknown, DueDateRuleInvalid, RunDateOutOfRange, RunAlreadyOpen.
    """
    _check_dates(request)
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        set_actor(request.actor, using=RUN_ALIAS)
        versions = _freeze(tenant, request)
        definition_row = _active(tenant, versions, request.execution_date)
        definition = cast("NormalBillingRunDefinition", definition_row.spec)
        bill_as_of = _bill_as_of(tenant, request, definition)
        transaction_date = request.transaction_date or decide_transaction_date(
            definition, execution_date=request.execution_date
        )
        _check_criteria(request.criteria, versions)
        accounts = _count_accounts(tenant.id, request)
        return create_run(
            tenant_id=tenant.id,
            kind=request.kind,
            is_dry=request.is_dry,
            execution_date=request.execution_date,
            bill_as_of=bill_as_of,
            transaction_date=transaction_date,
            due_date=decide_due_date(
                _due_rule(request, versions), execution_date=request.execution_date, transaction_date=transaction_date
            ),
            criteria=request.criteria,
            definition=json.loads(definition.model_dump_json(by_alias=True)),
            catalogue={**_catalogue(versions, definition_row), "accounts": accounts},
            parts=min(PARTS_MAX, max(1, -(-accounts // ACCOUNTS_PER_PART))),
            actor=request.actor,
            using=RUN_ALIAS,
        )


def _check_dates(request: RunRequest) -> None:
    dates = {
        "execution date": request.execution_date,
        "bill as of": request.bill_as_of,
        "transaction date": request.transaction_date,
    }
    for name, day in dates.items():
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise RunDateOutOfRange(
                f"{name}: {day} is outside the calendar; allowed is {FIRST_YEAR}-01-01 to {LAST_YEAR}-12-31.", date=day
            )


def _freeze(tenant: Tenant, request: RunRequest) -> list[ConfigurationRow]:
    """Return all versions, those that the run may use frozen from here on; a dry run freezes nothing."""
    versions = find_versions(using=RUN_ALIAS)
    definition = _active(tenant, versions, request.execution_date)
    used = [row for row in versions if row.kind in FROZEN_KINDS or row.version_id == definition.version_id]
    fresh = [row.version_id for row in used if not row.is_used]
    if request.is_dry or not fresh:
        return versions
    mark_used(fresh, now_utc(), using=RUN_ALIAS)
    return find_versions(using=RUN_ALIAS)


def _active(tenant: Tenant, versions: list[ConfigurationRow], on: date) -> ConfigurationRow:
    row = _find_active(versions, "normal_billing_run_definition", on)
    if row is None:
        raise NoActiveRunDefinition(
            f"{tenant.name} has no active normal billing run definition on {on}: set one up and apply it first.",
            tenant=tenant.code,
        )
    return row


def _find_active(versions: list[ConfigurationRow], kind: str, on: date) -> ConfigurationRow | None:
    """Return the active entity of a kind whose version holds on a day."""
    holding = (
        row
        for row in versions
        if row.kind == kind
        and row.effective_date <= on
        and (row.expiration_date is None or on < row.expiration_date)
        and row.spec.is_active
    )
    return next(holding, None)


def find_next_bill_as_of(*, tenant: Tenant, execution_date: date) -> date:
    """Return up to when the next run of everybody would bill; the transaction of the tenant is open on `run`.

    Raises: NoActiveRunDefinition, BillAsOfUnknown.
    """
    definition = _active(tenant, find_versions(using=RUN_ALIAS), execution_date)
    request = RunRequest(execution_date=execution_date)
    return _bill_as_of(tenant, request, cast("NormalBillingRunDefinition", definition.spec))


def _bill_as_of(tenant: Tenant, request: RunRequest, definition: NormalBillingRunDefinition) -> date:
    """Return the date asked for, or the default.

    A batch run's default counts from the previous run with the same criteria, without one from the previous run of
    everybody. One account is billed as far as everybody is, or as of the day itself.
    """
    everybody = find_previous_bill_as_of(tenant_id=tenant.id, criteria=EVERYBODY, using=RUN_ALIAS)
    if request.kind is RunKind.INDIVIDUAL:
        latest = everybody[0] if everybody else request.execution_date
        return request.bill_as_of or max(latest, request.execution_date)
    alike = find_previous_bill_as_of(tenant_id=tenant.id, criteria=request.criteria, using=RUN_ALIAS)
    previous, anchor_day = alike or everybody or (None, None)
    wanted = request.bill_as_of or decide_bill_as_of(
        definition.rating.bill_as_of,
        execution_date=request.execution_date,
        previous=previous,
        anchor_day=anchor_day,
    )
    if alike is not None and wanted < alike[0]:
        raise BillAsOfBeforePrevious(
            f"Bill as of {wanted} is before the previous run's {alike[0]}; allowed is {alike[0]} or later.",
            bill_as_of=wanted,
            previous=alike[0],
        )
    return wanted


def _due_rule(request: RunRequest, versions: list[ConfigurationRow]) -> DueDate:
    if request.due:
        return parse_due_date_rule(request.due)
    row = _find_active(versions, "receivable_definition", request.execution_date)
    if row is None:
        raise NoActiveReceivableDefinition(
            "There is no active receivable definition to say when bills are due: apply one, or name the rule "
            "with --due.",
        )
    return cast("ReceivableDefinition", row.spec).due_date


def _check_criteria(criteria: RunCriteria, versions: list[ConfigurationRow]) -> None:
    kinds = {
        "schemes": "billing_term_scheme",
        "subscription_types": "subscription_type",
        "classifications": "account_classification",
    }
    codes = {name: {row.code for row in versions if row.kind == kind} for name, kind in kinds.items()}
    schemes = [cast("BillingTermScheme", row.spec) for row in versions if row.kind == "billing_term_scheme"]
    codes["frequencies"] = {frequency for scheme in schemes for frequency in scheme.frequencies}
    for name, found in codes.items():
        known = sorted(found)
        for code in getattr(criteria, name):
            if code not in known:
                raise CriterionUnknown(
                    f"{name}: {code!r} is unknown; there are: {', '.join(known) or 'none'}.", **{name: code}
                )


def _catalogue(versions: list[ConfigurationRow], definition_row: ConfigurationRow) -> dict[str, Any]:
    """Return what the run's record keeps of the configuration: keys of versions, names for the bills."""
    names = {(row.kind, row.code): row.spec.name for row in versions}
    assembling = cast("NormalBillingRunDefinition", definition_row.spec).assembling
    return {
        "version_ids": [row.version_id for row in versions if row.kind in FROZEN_KINDS],
        "definition_version_id": definition_row.version_id,
        "subscription_types": {row.code: row.entity_id for row in versions if row.kind == "subscription_type"},
        "rounding": {
            "product": names.get(("product", assembling.rounding_product), ""),
            "debit_adjustment_type": names.get(("financial_transaction_type", assembling.debit_adjustment_type), ""),
            "credit_adjustment_type": names.get(("financial_transaction_type", assembling.credit_adjustment_type), ""),
        },
    }


def _count_accounts(tenant_id: int, request: RunRequest) -> int:
    """Return how many accounts the run considers; the number of its tasks follows and is fixed from here on."""
    if request.criteria.account_ids:
        return len(set(request.criteria.account_ids))
    counted = fetch_rows("SELECT count(*) FROM party_account WHERE tenant_id = %s", [tenant_id], using=RUN_ALIAS)
    return int(counted[0][0])
