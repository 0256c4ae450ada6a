"""Import a file of subscribers: check every row, then create what is new, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from django.db import transaction

from coax.base.db import execute
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.queries import find_versions
from coax.ledger.operations.open_balances import refresh_balance_statistics
from coax.party.operations import refresh_account_statistics
from coax.party.queries import has_contacts
from coax.process.import_subscribers.ahead import check_ahead
from coax.process.import_subscribers.catalogue import Catalogue, build_catalogue
from coax.process.import_subscribers.chunks import CHUNK_ROWS, Outline, outline_file
from coax.process.import_subscribers.outcome import ImportOutcome
from coax.process.import_subscribers.reading import ImportFile, open_file
from coax.process.import_subscribers.stored import Store
from coax.process.import_subscribers.writing import write_chunk
from coax.subscription.operations import refresh_subscription_statistics

STATISTICS_ROWS_MIN: Final = 10_000
# Imports of one operator go one after the other; two files may name the same new account.
IMPORT_LOCK: Final = 0x696D706F

Progress = Callable[[str, int, int], None]


def import_subscribers(
    *,
    tenant: Tenant,
    path: Path,
    as_of: date,
    skip_bad: bool = False,
    progress: Progress | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> ImportOutcome:
    """Import a CSV, Parquet or NDJSON file of services with their subscriptions, accounts and contacts.

    Bad rows are reported; they refuse the file, or with `skip_bad` are left out together with the rest of their
    subscription (of their account, when it is a cell about the account or contact). What is stored already and
    equal is unchanged; what differs is a bad row. `as_of` is the operator's day: what of the configuration is
    in force, and when accounts and subscriptions are created. `progress(step, done, total)` counts rows.

    Raises: FileUnreadable, ColumnsRefused, AccountCodesTaken, SubscriptionCodesTaken.
    """
    report = progress or _ignore
    file = open_file(path)
    report("Reading", 0, 0)
    outline = outline_file(file, chunk_rows=chunk_rows)
    report("Reading", outline.row_count, outline.row_count)
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        execute("SELECT pg_advisory_xact_lock(%s, %s)", [IMPORT_LOCK, tenant.id], using=RUN_ALIAS)
        catalogue = build_catalogue(find_versions(using=RUN_ALIAS), currency=tenant.currency, as_of=as_of)
        has_data = has_contacts(tenant_id=tenant.id, using=RUN_ALIAS)
        work = _Work(file, outline, catalogue, Store(tenant.id, RUN_ALIAS, has_data), as_of)
        outcome = _import_chunks(work, report, skip_bad=skip_bad)
        if outcome.is_refused:
            transaction.set_rollback(True, using=RUN_ALIAS)
    if outcome.services > STATISTICS_ROWS_MIN:
        refresh_account_statistics()
        refresh_subscription_statistics()
        refresh_balance_statistics()
    return outcome


@dataclass(frozen=True, slots=True)
class _Work:
    """What is imported, against which configuration, for whom, on which day."""

    file: ImportFile
    outline: Outline
    catalogue: Catalogue
    store: Store
    as_of: date


def _import_chunks(work: _Work, report: Progress, *, skip_bad: bool) -> ImportOutcome:
    """Check and write chunk by chunk; once the file is bound to be refused, only check."""
    total = work.outline.row_count
    outcome = ImportOutcome(rows=total)
    done = 0
    report("Importing", done, total)
    for rows, checked in check_ahead(work.file, work.outline, work.catalogue, work.store):
        outcome = outcome.with_chunk(checked)
        if skip_bad or not outcome.bad_rows:
            write_chunk(checked, tenant_id=work.store.tenant_id, created_on=work.as_of)
        done += rows
        report("Importing", done, total)
    return outcome.finish(is_refused=bool(outcome.bad_rows) and not skip_bad)


def _ignore(step: str, done: int, total: int) -> None:
    """Show no progress."""
