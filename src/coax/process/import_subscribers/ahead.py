"""Check the next chunk while the database writes the one before."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from coax.process.import_subscribers.catalogue import Catalogue
from coax.process.import_subscribers.checking import Checked, check_chunk
from coax.process.import_subscribers.chunks import Outline, read_chunks
from coax.process.import_subscribers.reading import ImportFile
from coax.process.import_subscribers.stored import Store


def check_ahead(
    file: ImportFile, outline: Outline, catalogue: Catalogue, store: Store
) -> Iterator[tuple[int, Checked]]:
    """Return the number of rows and the result of each chunk, in order; one chunk is checked in advance.

    Chunks share no contact, account or subscription, so what one writes cannot matter to another: the thread's
    own connection, which sees only what is committed, sees enough.

    Raises: FileUnreadable.
    """
    results = _check_chunks(file, outline, catalogue, store)
    if outline.chunk_count <= 1:
        yield from results
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="check") as pool:
        try:
            ahead = pool.submit(next, results, None)
            while (found := ahead.result()) is not None:
                ahead = pool.submit(next, results, None)
                yield found
        finally:
            pool.submit(_close_connection, store.using)


def _check_chunks(
    file: ImportFile, outline: Outline, catalogue: Catalogue, store: Store
) -> Iterator[tuple[int, Checked]]:
    for texts in read_chunks(file, outline):
        yield texts.height, check_chunk(texts, outline.problems, catalogue, store)


def _close_connection(alias: str) -> None:
    """Close the connection of the thread that this is called in."""
    connections[alias].close()
