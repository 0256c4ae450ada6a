"""One task up to Assembling: read, compute, stage, in one transaction under its claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import polars as pl

from coax.base.bulk import ReadSize
from coax.base.tenancy import RUN_ALIAS, tenant_transaction
from coax.billing.operations.staging import claim_part, fetch_part, stage_part
from coax.billing.queries.runs import PartRow
from coax.billing.types import STEP_ORDER, RunRow, RunStep
from coax.ledger.queries import find_balances
from coax.process.billing_run.context import load_context
from coax.process.billing_run.steps import (
    Frames,
    RunContext,
    assemble_bills,
    identify,
    make_invoices,
    rate_services,
    summarize,
)
from coax.rating.queries import find_standing_charges
from coax.subscription.queries.due_charges import find_due_charges
from coax.subscription.queries.due_services import find_due_services
from coax.subscription.queries.population import Population

COMPUTED: Final = (RunStep.IDENTIFICATION, RunStep.RATING, RunStep.INVOICING, RunStep.ASSEMBLING)


def compute_part(run_id: int, part: PartRow, until: RunStep) -> None:
    """Bring a task to the step `until` (at most Assembling) and stage it; what is staged already is built upon.

    Safe to run twice or twice at once: the second waits for the claim and finds the work done.
    """
    run, context = load_context(run_id)
    with tenant_transaction(run.tenant_id, using=RUN_ALIAS):
        state = claim_part(run_id=run_id, part=part.part, using=RUN_ALIAS)
        steps = steps_to_do(state, until)
        if not steps:
            return
        frames = {} if state == "draft" else fetch_part(run_id=run_id, part=part.part, using=RUN_ALIAS)
        frames = perform_steps(steps, frames, run=run, part=part, context=context)
        stage_part(
            tenant_id=run.tenant_id,
            run_id=run_id,
            part=part.part,
            state=steps[-1].value,
            frames=frames,
            sums=summarize(frames),
            using=RUN_ALIAS,
        )


def steps_to_do(state: str, until: RunStep) -> list[RunStep]:
    """Return the computed steps after `state`, up to `until`."""
    if state == "posted":
        return []
    done = -1 if state == "draft" else STEP_ORDER[RunStep(state)]
    return [step for step in COMPUTED if done < STEP_ORDER[step] <= STEP_ORDER[until]]


def perform_steps(
    steps: Iterable[RunStep], frames: Frames, *, run: RunRow, part: PartRow, context: RunContext
) -> Frames:
    """Return the frames with these steps done."""
    for step in steps:
        frames = _perform_step(step, frames, run, part, context)
    return frames


def _perform_step(step: RunStep, frames: Frames, run: RunRow, part: PartRow, context: RunContext) -> Frames:
    actions: dict[RunStep, Callable[[], Frames]] = {
        RunStep.IDENTIFICATION: lambda: identify(*_read(run, part), context),
        RunStep.RATING: lambda: rate_services(frames, context, _standing_charges(run, frames)),
        RunStep.INVOICING: lambda: make_invoices(frames),
        RunStep.ASSEMBLING: lambda: _with_balances(assemble_bills(frames, context), run, part),
    }
    return actions[step]()


def _read(run: RunRow, part: PartRow) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the services that may be due, and what is to be billed once."""
    population = Population(
        run.tenant_id,
        part.first_bucket,
        part.last_bucket,
        run.criteria.account_ids,
        run.criteria.subscription_ids,
        size=_size(run),
        needs_types=bool(run.criteria.subscription_types),
    )
    return (
        find_due_services(population, as_of=run.bill_as_of),
        find_due_charges(population, as_of=run.bill_as_of),
    )


def _size(run: RunRow) -> ReadSize:
    if run.criteria.account_ids or run.criteria.subscription_ids:
        return ReadSize.FEW
    return ReadSize.RANGES if run.parts > 1 else ReadSize.MANY


def _standing_charges(run: RunRow, frames: Frames) -> pl.DataFrame | None:
    """Return the charges to credit, in most tasks none."""
    services = frames["services"]
    ended = services.filter(pl.col("credit_from").is_not_null()).unique("service_id", maintain_order=True)
    if not ended.height:
        return None
    ended = ended.with_columns(pl.col("credit_from").alias("effective_to"))
    return find_standing_charges(tenant_id=run.tenant_id, services=ended, size=_size(run))


def _with_balances(frames: Frames, run: RunRow, part: PartRow) -> Frames:
    """Join what each account owes before this bill; posting checks that it still does."""
    balances = find_balances(
        tenant_id=run.tenant_id,
        first_bucket=part.first_bucket,
        last_bucket=part.last_bucket,
        account_ids=run.criteria.account_ids,
        size=_size(run),
    )
    return {
        **frames,
        "bills": frames["bills"].join(balances, on="account_id", how="left", maintain_order="left"),
    }
