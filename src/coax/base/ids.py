"""Identifiers: which bucket a row lies in, and how account identifiers are composed (architecture section 3.2)."""

from __future__ import annotations

from typing import Final

BUCKETS: Final = 1024
BUCKET_MASK: Final = BUCKETS - 1


def bucket_of(account_id: int) -> int:
    """Return the bucket (0..1023) of everything that the account owns."""
    return account_id & BUCKET_MASK


def compose_account_id(sequence: int, bucket: int | None = None) -> int:
    """Return an account identifier unique by `sequence`, in `bucket` or, without one, in the next bucket in turn.

    A contact's second account is composed with the first one's bucket, so that both lie together.
    """
    return sequence * BUCKETS + (sequence & BUCKET_MASK if bucket is None else bucket)
