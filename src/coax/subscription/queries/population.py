"""Which accounts a read is of."""

from __future__ import annotations

from dataclasses import dataclass

from coax.base.bulk import ReadSize


@dataclass(frozen=True, slots=True)
class Population:
    """Which part of an operator's accounts is read; no keys mean all."""

    tenant_id: int
    first_bucket: int
    last_bucket: int
    account_ids: tuple[int, ...] = ()
    subscription_ids: tuple[int, ...] = ()
    size: ReadSize = ReadSize.MANY
    needs_types: bool = False
