"""Move services to the day up to which they are now billed."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from coax.base.errors import DomainError
from coax.subscription.batch.advance import apply_moves, find_moved_accounts
from coax.subscription.batch.charges import Keys, find_billed, find_credited, mark_billed, mark_credited


class ServicesMoved(DomainError):
    """Services were billed or changed by somebody else since they were read; `account_ids` says whose."""

    code: ClassVar[str] = "services_moved"


def find_accounts_moved(*, moves: pl.DataFrame, using: str) -> list[int]:
    """Return the accounts whose services no longer stand where their moves begin; nothing is changed."""
    return find_moved_accounts(moves, using=using)


def mark_charges(*, charges: pl.DataFrame, run_id: int, using: str) -> None:
    """Compare-and-set every charge (bucket, account_id, service_id) as billed, or (`is_return`) as credited.

    Raises: ServicesMoved.
    """
    if not charges.height:
        return
    billed, returned = _split_keys(charges)
    marked = mark_billed(billed, run_id=run_id, using=using) + mark_credited(returned, run_id=run_id, using=using)
    if marked != charges.height:
        raise ServicesMoved(f"{charges.height - marked} charges were billed or taken back since they were read.")


def find_accounts_with_marked(*, charges: pl.DataFrame, using: str) -> list[int]:
    """Return the accounts of which a charge is billed, taken back or credited already."""
    if not charges.height:
        return []
    billed, returned = _split_keys(charges)
    return [*find_billed(billed, using=using), *find_credited(returned, using=using)]


def _split_keys(charges: pl.DataFrame) -> tuple[Keys, Keys]:
    billed, returned = (charges.filter(pl.col("is_return") == is_return) for is_return in (False, True))
    return _keys(billed), _keys(returned)


def _keys(charges: pl.DataFrame) -> Keys:
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
