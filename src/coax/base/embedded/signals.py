"""Termination signals as exceptions, so that a server started here is stopped on the way out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None] | signal.Handlers

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, SIGTERM and SIGHUP SystemExit(128 + number).

    Nothing is changed outside the main thread, where Python takes no signals, and for a signal that the
    program ignores or handles itself.
    """
    defaults = (signal.SIG_DFL, signal.default_int_handler)
    with _handling(_interrupt, [number for number in STOPPING if signal.getsignal(number) in defaults]):
        yield


@contextmanager
def signals_ignored() -> Iterator[None]:
    """Let nothing interrupt an orderly stop."""
    with _handling(signal.SIG_IGN, STOPPING):
        yield


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


@contextmanager
def _handling(handler: Handler, numbers: Sequence[signal.Signals]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            signal.signal(number, handler)
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
