"""One task posted: documents, entries, balances and dates in one transaction, exactly what was staged.

An account that was billed or changed by somebody else since is refused with that reason and stays due; one that
merely paid is billed with its present balance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final

import polars as pl
from django.db import transaction

from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.numbers import return_numbers
from coax.base.tenancy import RUN_ALIAS, tenant_transaction
from coax.billing.frames import classify
from coax.billing.operations.runs import BILL_SERIES
from coax.billing.operations.staging import claim_part, fetch_part, finish_part
from coax.billing.operations.store_bills import store_bills, store_outcomes
from coax.billing.queries.runs import PartRow
from coax.billing.types import Outcome, RunRow
from coax.ledger.operations.allocate_credits import allocate_credits
from coax.ledger.operations.move_balances import move_balances
from coax.ledger.operations.post_invoices import post_invoices
from coax.ledger.queries import get_ledger_accounts
from coax.process.billing_run.context import load_context
from coax.process.billing_run.steps import Frames, RunContext
from coax.rating.operations.store_items import store_items
from coax.subscription.operations.advance_services import (
    ServicesMoved,
    advance_services,
    find_accounts_moved,
    find_accounts_with_marked,
    mark_charges,
)

ATTEMPTS_MAX: Final = 5
_PRESENT: Final = """
SELECT a.account_id, b.balance_minor, b.unallocated_minor, b.debited_since_bill_minor,
       b.credited_since_bill_minor, b.last_bill_run_id, a.revision, a.state
FROM party_account a JOIN ledger_account_balance b ON b.bucket = a.bucket AND b.account_id = a.account_id
WHERE a.tenant_id = %s AND a.bucket = ANY(%s) AND a.account_id = ANY(%s)
ORDER BY a.bucket, a.account_id FOR UPDATE OF b
"""
_PRESENT_TYPES: Final = {
    "account_id": pl.Int64,
    "balance_minor": pl.Int64,
    "unallocated_minor": pl.Int64,
    "debited_between_minor": pl.Int64,
    "credited_between_minor": pl.Int64,
    "previous_run_id": pl.Int64,
    "present_revision": pl.Int32,
    "state": pl.String,
}


class BalancesMoved(DomainError):
    """Accounts no longer stand as they were read."""

    code: ClassVar[str] = "balances_moved"


class AccountsKeepMoving(DomainError):
    """The accounts of a task changed again and again while it was being posted."""

    code: ClassVar[str] = "accounts_keep_moving"


@dataclass(frozen=True, slots=True)
class Posting:
    """A task on its way: its run and its frames."""

    run: RunRow
    context: RunContext
    frames: Frames
    posted_at: datetime


def post_part(run_id: int, part: PartRow) -> None:
    """Post a staged task. Safe to run twice or twice at once: the second finds it posted.

    Raises: AccountsKeepMoving.
    """
    run, context = load_context(run_id)
    with tenant_transaction(run.tenant_id, using=RUN_ALIAS):
        if claim_part(run_id=run_id, part=part.part, using=RUN_ALIAS) == "posted":
            return
        frames = fetch_part(run_id=run_id, part=part.part, using=RUN_ALIAS)
        post_frames(frames, run=run, part=part, context=context)


def post_frames(frames: Frames, *, run: RunRow, part: PartRow, context: RunContext) -> None:
    """Post a task's frames in the open transaction; accounts that changed since they were read are set aside.

    Raises: AccountsKeepMoving.
    """
    posting = Posting(run, context, frames, _posted_at())
    for _ in range(ATTEMPTS_MAX):
        try:
            with transaction.atomic(using=RUN_ALIAS):
                _post(posting, part)
        except (ServicesMoved, BalancesMoved):
            posting = _set_aside(posting)
        else:
            return
    raise AccountsKeepMoving(f"Task {part.part} of run {run.number} could not be posted; resume the run later.")


def _posted_at() -> datetime:
    instant: datetime = fetch_rows("SELECT now()", using=RUN_ALIAS)[0][0]
    return instant


def _post(posting: Posting, part: PartRow) -> None:
    run, frames = posting.run, posting.frames
    bills = _finish_bills(posting, part)
    keys = {"tenant_id": run.tenant_id, "run_id": run.id, "using": RUN_ALIAS}
    advance_services(moves=frames["moves"], using=RUN_ALIAS)
    mark_charges(charges=frames["charges"], run_id=run.id, using=RUN_ALIAS)
    if not move_balances(bills=bills, **keys):  # type: ignore[arg-type]
        raise BalancesMoved("Some accounts changed since they were read.")
    store_items(items=frames["items"], **keys)  # type: ignore[arg-type]
    invoices = frames["invoices"].join(bills.select("account_id", "due_date"), on="account_id", how="left")
    invoices = invoices.sort("bucket", "account_id", "invoice_line")
    post_invoices(
        invoices=invoices,
        currency=posting.context.currency,
        transaction_date=run.transaction_date,
        posted_at=posting.posted_at,
        ledger_accounts=get_ledger_accounts(run.tenant_id, using=RUN_ALIAS),
        **keys,  # type: ignore[arg-type]
    )
    store_bills(bills=bills, **keys)  # type: ignore[arg-type]
    outcomes = _outcomes(posting)
    store_outcomes(outcomes=outcomes, **keys)  # type: ignore[arg-type]
    _allocate(posting, bills, invoices)
    finish_part(run_id=run.id, part=part.part, sums=_sums(posting, bills, outcomes), using=RUN_ALIAS)


def _finish_bills(posting: Posting, part: PartRow) -> pl.DataFrame:
    """Give the bills their numbers, dates, balances and classification; return the numbers not needed."""
    run = posting.run
    bills = posting.frames["bills"]
    numbers = [number for first, last in part.numbers for number in range(first, last + 1)]
    return_numbers(tenant_id=run.tenant_id, series=BILL_SERIES, numbers=numbers[bills.height :], using=RUN_ALIAS)
    dated = bills.with_columns(
        pl.Series("number", numbers[: bills.height], dtype=pl.Int64),
        pl.col("balance_minor").alias("brought_forward_minor"),
        pl.lit(run.transaction_date).alias("transaction_date"),
        (pl.lit(run.due_date) + pl.duration(days=pl.col("credit_period_days"))).cast(pl.Date).alias("due_date"),
        pl.col("items").cast(pl.Int16),
    )
    return classify(dated, posting.context.assembly)


def _outcomes(posting: Posting) -> pl.DataFrame:
    """Return what is pending and what was refused, at rating or because its account changed."""
    refused = posting.frames["refused"].with_columns(
        pl.lit(Outcome.REFUSED.value).alias("outcome"), pl.lit(0, pl.Int64).alias("amount_micro")
    )
    pending = posting.frames["pending"].with_columns(
        pl.lit(Outcome.PENDING.value).alias("outcome"),
        pl.lit("under_minimum").alias("reason"),
        pl.lit("").alias("detail"),
    )
    columns = ["bucket", "account_id", "service_id", "outcome", "reason", "detail", "amount_micro"]
    types = {"bucket": pl.Int16, "account_id": pl.Int64, "service_id": pl.Int64, "amount_micro": pl.Int64}
    typed = [pl.col(name).cast(types[name]) if name in types else pl.col(name) for name in columns]
    return pl.concat([frame.select(typed) for frame in (refused, pending)])


def _allocate(posting: Posting, bills: pl.DataFrame, invoices: pl.DataFrame) -> None:
    """Settle with open credits, old ones and new credit notes, where an account has any."""
    with_credit = bills.filter(pl.col("unallocated_minor") > 0).select("account_id")
    credited = invoices.filter(pl.col("amount_minor") < 0).select("account_id")
    accounts = pl.concat([with_credit, credited]).unique().sort("account_id")["account_id"].to_list()
    allocate_credits(
        tenant_id=posting.run.tenant_id,
        account_ids=accounts,
        origin_id=posting.run.id,
        on=posting.run.transaction_date,
        using=RUN_ALIAS,
    )


def _sums(posting: Posting, bills: pl.DataFrame, outcomes: pl.DataFrame) -> dict[str, int]:
    items = posting.frames["items"]
    refused = outcomes.filter(pl.col("outcome") == Outcome.REFUSED.value).height
    billed = items["service_id"].n_unique()
    return {
        "due": billed + outcomes.height,
        "billed": billed,
        "pending": outcomes.height - refused,
        "refused": refused,
        "accounts": bills.height,
        "invoices": posting.frames["invoices"].height,
        "items": items.height,
        "net_micro": int(items["net_micro"].sum()),
        "tax_micro": int(items["tax_micro"].sum()),
        "rounding_micro": int(bills["rounding_micro"].sum()),
        "total_minor": int(bills["total_minor"].sum()),
    }


def _set_aside(posting: Posting) -> Posting:
    """Read how the accounts stand now, under lock; take out those that changed, re-balance those that paid."""
    bills = posting.frames["bills"]
    accounts = bills["account_id"].to_list()
    present = pl.DataFrame(
        fetch_rows(
            _PRESENT,
            [posting.run.tenant_id, sorted(set(bills["bucket"].to_list())), accounts],
            using=RUN_ALIAS,
        ),
        schema=_PRESENT_TYPES,
        orient="row",
    )
    moved = find_accounts_moved(moves=posting.frames["moves"], using=RUN_ALIAS)
    moved += find_accounts_with_marked(charges=posting.frames["charges"], using=RUN_ALIAS)
    joined = bills.drop(list(_PRESENT_TYPES)[1:6]).join(present, on="account_id", how="left")
    stands = (
        (pl.col("present_revision") == pl.col("revision"))
        & (pl.col("state") == "active")
        & ~pl.col("account_id").is_in(moved)
    ).fill_null(value=False)
    changed = [*joined.filter(~stands)["account_id"].to_list(), *moved]  # a service may move without a bill
    kept = joined.filter(stands).select(bills.columns)
    return replace(posting, frames={**_without(posting.frames, changed), "bills": kept})


def _without(frames: Frames, account_ids: list[int]) -> Frames:
    """Take accounts out of a task's frames; their services are refused."""
    keys = pl.DataFrame({"account_id": account_ids}, schema={"account_id": pl.Int64}).unique()
    gone = frames["items"].join(keys, on="account_id", how="semi")
    refused = (
        gone.select("bucket", "account_id", "service_id")
        .unique(maintain_order=True)
        .with_columns(
            pl.lit("account_changed").alias("reason"),
            pl.lit("changed after it was rated; it stays due").alias("detail"),
        )
    )
    rest = {
        name: frames[name].join(keys, on="account_id", how="anti", maintain_order="left")
        for name in ("items", "moves", "charges", "invoices")
    }
    return {**frames, **rest, "refused": pl.concat([frames["refused"], refused])}
