"""The demo's operators: configured from the examples, filled with subscribers."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from coax.base.clock import set_simulated_clock, tenant_now, tenant_today
from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.tenancy import Tenant, get_tenant, list_tenant_codes, tenant_transaction
from coax.configuration.operations.parse_documents import read_documents
from coax.configuration.queries import find_versions
from coax.configuration.types.documents import SourceDocument
from coax.party.queries import has_contacts
from coax.process.demo.types import DemoOrder, Progress, Screen
from coax.process.generate import write_subscribers
from coax.process.import_subscribers import import_subscribers
from coax.process.operators import apply_files

SMALL: Final = "demo-zx"
LARGE: Final = "demo-cable"
# The directory of an operator's example, and the code that it has there.
EXAMPLES: Final = {SMALL: ("company-zx", "company-zx"), LARGE: ("big-operator", "northern-cable")}
SUBSCRIBERS_FILE: Final = "subscribers.csv"
MORNING: Final = time(8)


class ExamplesMissing(DomainError):
    """The examples that the demo is made from are not there."""

    code: ClassVar[str] = "examples_missing"


class DemoDataRefused(DomainError):
    """The import did not take the demo's own subscribers."""

    code: ClassVar[str] = "demo_data_refused"


def find_examples() -> Path:
    """Return the directory of the examples: beside the source, or below the working directory.

    Raises: ExamplesMissing.
    """
    places = [Path(__file__).parents[4] / "examples", Path.cwd() / "examples"]
    for place in places:
        if all((place / directory).is_dir() for directory, _ in EXAMPLES.values()):
            return place
    raise ExamplesMissing(
        f"The examples are neither in {places[0]} nor in {places[1]}: start the demo in a copy of the repository."
    )


def prepare_small(order: DemoOrder, screen: Screen) -> Tenant:
    """Company ZX with the cases of its worked example."""
    tenant = _apply(SMALL, order, screen)
    if not _has_subscribers(tenant):
        with screen.stage(f"{tenant.name}: import its subscribers") as progress:
            _import(tenant, order.examples / EXAMPLES[SMALL][0] / SUBSCRIBERS_FILE, progress)
    return tenant


def prepare_large(order: DemoOrder, screen: Screen, *, as_of: date) -> Tenant:
    """Northern Cable with generated subscribers as they stand on a day."""
    tenant = _apply(LARGE, order, screen)
    if _has_subscribers(tenant):
        screen.note(f"{tenant.name} has its {_count_accounts(tenant):,} accounts already.")
        return tenant
    advance_clock(tenant, as_of)
    with (
        screen.stage(f"{tenant.name}: generate and import {order.subscribers:,} subscribers") as progress,
        TemporaryDirectory(prefix="coax-demo-") as scratch,
    ):
        path = Path(scratch) / "subscribers.parquet"
        with tenant_transaction(tenant.id):
            versions = find_versions()
        write_subscribers(
            path,
            versions=versions,
            currency=tenant.currency,
            count=order.subscribers,
            seed=order.seed,
            as_of=as_of,
            progress=progress,
        )
        _import(tenant, path, progress)
    return tenant


def advance_clock(tenant: Tenant, day: date) -> None:
    """Move the operator's clock to the morning of a day, unless it is later already."""
    at = datetime.combine(day, MORNING, ZoneInfo(tenant.time_zone)).astimezone(UTC)
    with tenant_transaction(tenant.id):
        if tenant_now(tenant.id) < at:
            set_simulated_clock(tenant_id=tenant.id, at=at)


def _apply(code: str, order: DemoOrder, screen: Screen) -> Tenant:
    """Return the operator, made from its example under the demo's code; one that exists stays as it is."""
    if code in list_tenant_codes():
        return get_tenant(code)
    name, own_code = EXAMPLES[code]
    directory = order.examples / name
    documents = [
        SourceDocument(document.name, document.text.replace(f"  code: {own_code}\n", f"  code: {code}\n", 1))
        for document in read_documents([directory])
    ]
    with screen.stage(f"Apply examples/{name} as operator {code}"):
        tenant, _ = apply_files(
            documents=documents, operator_code=code, as_of=None, actor=order.actor, directory=directory
        )
    return tenant


def _has_subscribers(tenant: Tenant) -> bool:
    with tenant_transaction(tenant.id):
        return has_contacts(tenant_id=tenant.id)


def _count_accounts(tenant: Tenant) -> int:
    with tenant_transaction(tenant.id):
        return int(fetch_rows("SELECT count(*) FROM party_account WHERE tenant_id = %s", [tenant.id])[0][0])


def _import(tenant: Tenant, path: Path, progress: Progress) -> None:
    with tenant_transaction(tenant.id):
        today = tenant_today(tenant.id)
    outcome = import_subscribers(tenant=tenant, path=path, as_of=today, progress=progress)
    if outcome.is_refused:
        problem = outcome.problems.row(0, named=True)
        raise DemoDataRefused(
            f"{path.name}, line {problem['line']}: {problem['field']} {problem['value']!r}: {problem['reason']}. "
            "Have the examples been changed?",
            file=path.name,
        )
