"""Freeze the versions that documents name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from coax.configuration.models import ConfigurationVersion


def mark_used(version_ids: Iterable[int], at: datetime, *, using: str = "default") -> int:
    """Mark versions as used from an instant on, in the open transaction; return how many were not yet.

    Mark first and read the versions then: until they are marked they may still be changed.
    """
    ids = sorted(set(version_ids))
    return ConfigurationVersion.objects.using(using).filter(pk__in=ids, used_at__isnull=True).update(used_at=at)
