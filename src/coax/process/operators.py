"""An operator as a whole: create it, bring its record and configuration to what files say, read it back."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django.db import transaction

from coax.base.audit import set_actor
from coax.base.clock import tenant_today
from coax.base.db import execute, fetch_dicts
from coax.base.errors import DomainError
from coax.base.money import currency_scale
from coax.base.tenancy import Tenant, TenantUnknown, create_tenant, get_tenant, list_tenant_codes, set_tenant
from coax.configuration.operations.apply_configuration import apply_configuration
from coax.configuration.rules.parse import parse_sources
from coax.configuration.types.documents import ApplyResult, SourceDocument
from coax.configuration.types.operator import ClockKind, OperatorSpec
from coax.ledger.operations.open_ledger import open_ledger
from coax.process.recurring.plan import plan_occurrences

LOGO_BYTES_MAX: Final = 1_000_000
LOGO_SUFFIXES: Final = (".svg", ".png", ".jpg", ".jpeg")


class OperatorUnnamed(DomainError):
    """Files without an operator section need to be told whose they are."""

    code: ClassVar[str] = "operator_unnamed"


class OperatorFieldFixed(DomainError):
    """A field of an operator cannot change any more."""

    code: ClassVar[str] = "operator_field_fixed"


class LogoUnusable(DomainError):
    """The logo cannot be read or is no picture that bills can show."""

    code: ClassVar[str] = "logo_unusable"


def apply_files(
    *,
    documents: Sequence[SourceDocument],
    operator_code: str | None,
    as_of: date | None,
    actor: str,
    dry_run: bool = False,
    directory: Path | None = None,
) -> tuple[Tenant, ApplyResult]:
    """Create or update the operator that the files name, and apply their configuration: all of it or nothing.

    Raises: OperatorUnnamed, TenantUnknown, OperatorFieldFixed, LogoUnusable, ConfigurationRefused, VersionInUse.
    """
    spec = parse_sources(documents).operator
    with transaction.atomic():
        set_actor(actor)
        tenant = _find_or_create(spec, operator_code)
        set_tenant(tenant.id)
        if spec is not None:
            _store_operator(tenant, spec, directory)
        open_ledger(tenant_id=tenant.id)
        today = as_of or tenant_today(tenant.id)
        result = apply_documents(tenant=tenant, documents=documents, as_of=today, actor=actor, dry_run=dry_run)
        if dry_run:
            transaction.set_rollback(True)
    return tenant, result


def apply_documents(
    *, tenant: Tenant, documents: Sequence[SourceDocument], as_of: date, actor: str, dry_run: bool = False
) -> ApplyResult:
    """Apply a configuration in the operator's open transaction; what had fallen due before is due as it was declared.

    Raises: ConfigurationRefused, VersionInUse.
    """
    plan_occurrences(tenant, is_settled=True)
    result = apply_configuration(documents=documents, as_of=as_of, actor=actor, dry_run=dry_run)
    plan_occurrences(tenant, is_settled=True)
    return result


def get_operator(tenant_id: int) -> OperatorSpec:
    """Return the operator's record in the shape of the files; the transaction of the tenant is open."""
    row = fetch_dicts("SELECT * FROM base_operator WHERE tenant_id = %s", [tenant_id])[0]
    profile = row["profile"] if isinstance(row["profile"], dict) else json.loads(row["profile"])
    known = {name: profile[name] for name in OperatorSpec.model_fields if name in profile}
    head = {name: row[name] for name in ("code", "name", "currency", "time_zone", "locale")}
    return OperatorSpec.model_validate_json(json.dumps({**known, **head, "clock": row["clock_mode"]}, default=str))


def _find_or_create(spec: OperatorSpec | None, code: str | None) -> Tenant:
    if spec is None:
        return get_tenant(code or _only_code())
    if code is not None and code != spec.code:
        raise OperatorUnnamed(f"The files are for the operator {spec.code!r}, not for {code!r}.", operator=spec.code)
    try:
        return get_tenant(spec.code)
    except TenantUnknown:
        currency_scale(spec.currency)
        return create_tenant(
            code=spec.code,
            name=spec.name,
            currency=spec.currency,
            time_zone=spec.time_zone,
            locale=spec.locale,
        )


def _only_code() -> str:
    codes = list_tenant_codes()
    if len(codes) != 1:
        known = ", ".join(codes) or "none yet"
        raise OperatorUnnamed(f"The files have no operator section: name one with --tenant; there are: {known}.")
    return codes[0]


def _store_operator(tenant: Tenant, spec: OperatorSpec, directory: Path | None) -> None:
    if spec.currency != tenant.currency:
        raise OperatorFieldFixed(
            f"operator.currency: {spec.currency!r} cannot replace {tenant.currency!r}; accounts are kept in it.",
            field="currency",
            value=spec.currency,
        )
    profile = json.loads(spec.model_dump_json(by_alias=True))
    profile["logo_data"] = _read_logo(spec, directory)
    is_simulated = spec.clock is ClockKind.SIMULATED
    start = datetime.combine(spec.clock_date or date(1970, 1, 1), time(8), ZoneInfo(spec.time_zone))
    execute(
        """UPDATE base_operator SET name = %s, time_zone = %s, locale = %s, profile = %s, clock_mode = %s,
               clock_at = CASE WHEN %s THEN coalesce(clock_at, %s) END, changed_at = now() WHERE tenant_id = %s""",
        [
            spec.name,
            spec.time_zone,
            spec.locale,
            json.dumps(profile),
            spec.clock.value,
            is_simulated,
            start.astimezone(UTC),
            tenant.id,
        ],
    )


def _read_logo(spec: OperatorSpec, directory: Path | None) -> dict[str, Any] | None:
    """Return the logo's format and bytes, which bills carry with them."""
    if spec.branding.logo is None or directory is None:
        return None
    path = directory / spec.branding.logo
    if path.suffix.lower() not in LOGO_SUFFIXES:
        raise LogoUnusable(f"operator.branding.logo: {path.name!r} is no picture; allowed: {', '.join(LOGO_SUFFIXES)}.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LogoUnusable(f"operator.branding.logo: cannot read {path.name!r}: {error.strerror}.") from error
    if len(content) > LOGO_BYTES_MAX:
        raise LogoUnusable(
            f"operator.branding.logo: {path.name!r} has {len(content)} bytes; allowed are {LOGO_BYTES_MAX}."
        )
    return {
        "format": path.suffix.lower().lstrip(".").replace("jpeg", "jpg"),
        "base64": base64.b64encode(content).decode(),
    }
