"""Move services to the day up to which they are now billed."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from coax.base.errors import DomainError
from coax.subscription.batch.advance import apply_moves, find_moved_accounts
from coax.subscription.batch.charges import find_billed, mark_billed


class ServicesMoved(DomainError):
    """Services were billed or changed by somebody else since they were read; `account_ids` says whose."""

    code: ClassVar[str] = "services_moved"


def find_accounts_moved(*, moves: pl.DataFrame, using: str) -> list[int]:
    """Return the accounts whose services no longer stand where their moves begin; nothing is changed."""
    return find_moved_accounts(moves, using=using)


def mark_charges_billed(*, charges: pl.DataFrame, run_id: int, using: str) -> None:
    """Compare-and-set `billed_by` of every charge (bucket, account_id, service_id). Raises: ServicesMoved."""
    if not charges.height:
        return
    marked = mark_billed(*_keys(charges), run_id=run_id, using=using)
    if marked != charges.height:
        raise ServicesMoved(f"{charges.height - marked} charges were billed since they were read.")


def find_accounts_with_billed(*, charges: pl.DataFrame, using: str) -> list[int]:
    """Return the accounts of which a charge is billed already."""
    return find_billed(*_keys(charges), using=using) if charges.height else []


def _keys(charges: pl.DataFrame) -> tuple[list[int], list[int], list[int]]:
    return charges["bucket"].to_list(), charges["account_id"].to_list(), charges["service_id"].to_list()


def advance_services(*, moves: pl.DataFrame, using: str) -> None:
    """Compare-and-set `rated_up_to` and generation of every service in `moves`.

    `moves`: bucket, account_id, service_id, rated_from, rated_to, generation, new_generation. The caller's
    transaction must be rolled back when this raises. Raises: ServicesMoved.
    """
    if not moves.height:
        return
    moved = apply_moves(moves, using=using)
    if moved != moves.height:
        raise ServicesMoved(
            f"{moves.height - moved} of {moves.height} services were billed or changed since they were read.",
            services=moves.height - moved,
        )
