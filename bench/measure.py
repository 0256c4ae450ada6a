"""Wall time, and CPU time and peak memory of a process and its children, from the operating system."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

SAMPLE_S = 0.25


@dataclass
class Measured:
    """Seconds, and bytes of the largest resident set of each process seen (its private part)."""

    wall_s: float = 0.0
    peaks: dict[int, int] = field(default_factory=dict)

    @property
    def peak_bytes(self) -> int:
        return sum(self.peaks.values())


@contextmanager
def measured() -> Iterator[Measured]:
    """Measure this process and its descendants while the block runs."""
    result, stop = Measured(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(result, stop), daemon=True)
    watcher.start()
    start = time.perf_counter()
    try:
        yield result
    finally:
        result.wall_s = time.perf_counter() - start
        stop.set()
        watcher.join()


def _watch(result: Measured, stop: threading.Event) -> None:
    me = psutil.Process(os.getpid())
    while not stop.wait(SAMPLE_S):
        for process in [me, *me.children(recursive=True)]:
            try:
                memory = process.memory_info()
            except psutil.Error:
                continue
            resident = memory.rss - getattr(memory, "shared", 0)
            result.peaks[process.pid] = max(result.peaks.get(process.pid, 0), resident)
