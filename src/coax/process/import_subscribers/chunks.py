"""Cut a file into parts of bounded size so that all rows of a contact and of its accounts lie in one part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from coax.process.import_subscribers.columns import COLUMN_NAMES
from coax.process.import_subscribers.problems import list_problems
from coax.process.import_subscribers.reading import ImportFile, collect_rows

CHUNK_ROWS: Final = 250_000
KEYS: Final = ("contact_code", "account_code", "subscription_code")


@dataclass(frozen=True, slots=True)
class Outline:
    """A file's rows by their keys: `chunk` of each `line`, and the problems that only the whole file shows."""

    lines: pl.DataFrame
    chunk_count: int
    problems: pl.DataFrame

    @property
    def row_count(self) -> int:
        return self.lines.height


def outline_file(file: ImportFile, *, chunk_rows: int = CHUNK_ROWS) -> Outline:
    """Read the keys of all rows, empty rows left out, and deal the rows into chunks.

    A contact's rows stay together, so a chunk has more than `chunk_rows` rows only if a contact has.

    Raises: FileUnreadable.
    """
    is_filled = pl.any_horizontal(pl.col(name).is_not_null() for name in COLUMN_NAMES)
    keys = collect_rows(file, file.rows.filter(is_filled).select("line", *KEYS))
    if keys.height <= chunk_rows:
        lines = keys.select("line", pl.lit(0, pl.Int32).alias("chunk"))
    else:
        lines = _deal_rows(keys, chunk_rows)
    last = lines["chunk"].max()
    return Outline(lines, 0 if last is None else int(str(last)) + 1, _find_shared_subscriptions(keys))


def read_chunks(file: ImportFile, outline: Outline) -> Iterator[pl.DataFrame]:
    """Return the rows of each chunk, by line.

    Raises: FileUnreadable.
    """
    first_line = collect_rows(file, file.rows.select("line").head(1))["line"].to_list()
    for number in range(outline.chunk_count):
        lines = outline.lines.filter(pl.col("chunk") == number).select("line")
        low, high = lines["line"][0], lines["line"][-1]
        rows = file.rows.slice(low - first_line[0], high - low + 1)
        if lines.height <= high - low:
            rows = rows.join(lines.lazy(), on="line", how="semi")
        yield collect_rows(file, rows).sort("line")


def _deal_rows(keys: pl.DataFrame, chunk_rows: int) -> pl.DataFrame:
    """Return the chunk of each line; contacts are dealt in the order of their first rows."""
    given = keys.drop_nulls("contact_code").unique("account_code", keep="first")
    owners = given.select("account_code", pl.col("contact_code").alias("owner"))
    owned = keys.join(owners, on="account_code", how="left", nulls_equal=True, maintain_order="left")
    contact = pl.coalesce("owner", "account_code").fill_null("").alias("contact")
    contacts = owned.select("line", contact)
    sizes = contacts.group_by("contact", maintain_order=True).len()
    before = pl.col("len").cum_sum() - pl.col("len")
    chunk = (before // chunk_rows).rank("dense").cast(pl.Int32) - 1
    dealt = contacts.join(
        sizes.select("contact", chunk.alias("chunk")), on="contact", how="left", maintain_order="left"
    )
    return dealt.select("line", "chunk")


def _find_shared_subscriptions(keys: pl.DataFrame) -> pl.DataFrame:
    """Return a problem for every row of a subscription that more than one account claims."""
    known = keys.drop_nulls(["subscription_code", "account_code"])
    pairs = known.select("subscription_code", "account_code").unique()
    several = pairs.filter(pl.col("subscription_code").is_duplicated())
    shared = several.group_by("subscription_code").agg(
        pl.col("account_code").min().alias("one"), pl.col("account_code").max().alias("other")
    )
    rows = known.join(shared, on="subscription_code", how="inner", maintain_order="left")
    reason = pl.format("stands under accounts {} and {}; a subscription has one", "one", "other")
    return list_problems(rows, "subscription_code", reason)
