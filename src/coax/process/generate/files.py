"""Write generated subscribers as an import file, block by block, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final

import polars as pl

from coax.base.errors import DomainError
from coax.configuration.types.documents import ConfigurationRow
from coax.process.generate.subscribers import generate_subscribers

BLOCK_SUBSCRIBERS: Final = 50_000
SUBSCRIBERS_MAX: Final = 10_000_000

Progress = Callable[[str, int, int], None]


class CountRefused(DomainError):
    """So many subscribers cannot be generated."""

    code: ClassVar[str] = "count_refused"


class FileNotWritten(DomainError):
    """The file cannot be written, or is not one of Parquet."""

    code: ClassVar[str] = "file_not_written"


def write_subscribers(
    path: Path,
    *,
    versions: Sequence[ConfigurationRow],
    currency: str,
    count: int,
    seed: int,
    as_of: date,
    progress: Progress | None = None,
) -> int:
    """Write `count` subscribers to a Parquet file and return the number of its rows.

    Raises: CountRefused, FileNotWritten, NothingToSell.
    """
    if not 1 <= count <= SUBSCRIBERS_MAX:
        raise CountRefused(f"From 1 to {SUBSCRIBERS_MAX} subscribers can be generated, not {count}.", count=count)
    if path.suffix.lower() != ".parquet":
        raise FileNotWritten(f"{path.name}: a .parquet file is written.", file=path.name)
    rows = 0
    try:
        with TemporaryDirectory(dir=path.parent, prefix=".coax-generate-") as scratch:
            blocks: list[Path] = []
            for first in range(0, count, BLOCK_SUBSCRIBERS):
                size = min(BLOCK_SUBSCRIBERS, count - first)
                block = generate_subscribers(
                    versions=versions, currency=currency, count=size, seed=seed, as_of=as_of, first=first
                )
                blocks.append(Path(scratch) / f"{first:09}.parquet")
                block.write_parquet(blocks[-1])
                rows += block.height
                if progress:
                    progress("Generating", first + size, count)
            pl.scan_parquet(blocks, glob=False).sink_parquet(path)
    except OSError as error:
        raise FileNotWritten(f"{path} cannot be written: {error.strerror or error}.", file=path.name) from error
    return rows
