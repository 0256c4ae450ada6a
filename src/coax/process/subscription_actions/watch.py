"""What came of actions on many subscriptions, and who is told of them as they go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from coax.subscription.operations.perform_actions import Outcome


@dataclass(slots=True)
class BulkResult:
    """How many actions were performed, and those that were refused, by subscription."""

    performed: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Count outcomes."""
        for one in outcomes:
            if one.refusal:
                self.refused.append((one.request.subscription_code, one.refusal.message))
            else:
                self.performed += 1


class Watch:
    """Who is told of a bulk process as it goes; this one takes no notice."""

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Take note of what became of a group, in its transaction."""

    def advance(self, done: int, total: int) -> None:
        """Take note of how far it is, between two groups; what is raised here ends it."""


UNWATCHED: Final = Watch()
