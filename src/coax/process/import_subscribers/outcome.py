"""What an import did, or why it did nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from coax.process.import_subscribers.checking import Checked
from coax.process.import_subscribers.problems import PROBLEM_SCHEMA, join_problems


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """Counts of rows and of what was created, and every problem (line, field, value, reason, allowed).

    `is_refused`: there were bad rows and none were to be skipped, so nothing was written and the counts of
    created things are 0. `skipped_rows` are the bad rows and those of the same subscription or account.
    """

    is_refused: bool = False
    rows: int = 0
    bad_rows: int = 0
    skipped_rows: int = 0
    contacts: int = 0
    accounts: int = 0
    subscriptions: int = 0
    services: int = 0
    unchanged_services: int = 0
    problems: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PROBLEM_SCHEMA))

    def with_chunk(self, checked: Checked) -> ImportOutcome:
        """Return the outcome with a chunk's counts and problems added."""
        return replace(
            self,
            bad_rows=self.bad_rows + checked.problems["line"].n_unique(),
            skipped_rows=self.skipped_rows + checked.skipped_rows,
            contacts=self.contacts + checked.contacts.height,
            accounts=self.accounts + checked.accounts.height,
            subscriptions=self.subscriptions + checked.subscriptions.height,
            services=self.services + checked.services.height,
            unchanged_services=self.unchanged_services + checked.unchanged_services,
            problems=pl.concat([self.problems, checked.problems]),
        )

    def finish(self, *, is_refused: bool) -> ImportOutcome:
        """Return the outcome of the whole file, its problems in order; a refused one has created nothing."""
        whole = replace(self, is_refused=is_refused, problems=join_problems([self.problems]))
        if not is_refused:
            return whole
        return replace(whole, contacts=0, accounts=0, subscriptions=0, services=0, skipped_rows=self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain data, without the problems."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "problems"}


def write_report(outcome: ImportOutcome, path: Path) -> None:
    """Write the problems as CSV: line, field, value, reason, allowed."""
    outcome.problems.write_csv(path)
