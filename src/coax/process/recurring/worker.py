"""The worker: looks what has fallen due, wakes itself or another worker for it, executes, and leaves in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

import procrastinate
from django.db import DatabaseError, OperationalError
from procrastinate.exceptions import ConnectorException

from coax.base.db import connection_parameters
from coax.base.tenancy import RUN_ALIAS, Tenant, get_tenant, list_tenant_codes, tenant_transaction
from coax.process.recurring.jobs import OWN_QUEUE, close_connections, defer_process, open_worker, queue_of
from coax.process.recurring.plan import give_up_late, plan_occurrences
from coax.process.recurring.queries import find_ready, is_worker_alive
from coax.process.recurring.types import ProcessRunRow

POLL_S: Final = 5
STOPPING: Final = (signal.SIGINT, signal.SIGTERM)
_LOG: Final = logging.getLogger(__name__)

Report = Callable[[Tenant, ProcessRunRow], None]


def work(*, tenant: Tenant | None, at_once: int, report: Report, ready: Callable[[], None]) -> None:
    """Work for an operator, or for all, until SIGINT or SIGTERM: then what is under way ends after its group.

    `ready` is called when signals are heeded; `report` hears of every execution that has ended.
    """
    _run(_Worker(tenant, at_once, report).serve(ready))


def work_once(*, tenant: Tenant | None, at_once: int, report: Report) -> None:
    """Execute what is due or was left by a worker that is gone, and return."""
    _run(_Worker(tenant, at_once, report).catch_up())


def wake_for_due(tenants: Sequence[Tenant]) -> int:
    """Record what has fallen due, ask for what waits, and return how many processes are to be executed."""
    found = 0
    for tenant in tenants:
        with tenant_transaction(tenant.id, using=RUN_ALIAS):
            plan_occurrences(tenant, using=RUN_ALIAS)
            for key in find_ready(tenant.id, using=RUN_ALIAS):
                found += 1
                defer_process(tenant=tenant, key=key, using=RUN_ALIAS)
    return found


def _run(working: Coroutine[Any, Any, None]) -> None:
    """Run to the end. Raises: OperationalError, where the database went away."""

    async def quietly() -> None:
        asyncio.get_running_loop().set_exception_handler(_note_fault)
        await working

    try:
        asyncio.run(quietly())
    except ConnectorException as lost:
        raise OperationalError(f"the worker has lost its connection: {lost.__cause__ or lost}") from lost


def _note_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say in one line what nobody waited for: a job whose end could not be noted is done again."""
    _LOG.warning("%s: %s", context["message"], context.get("exception"))


class _Worker:
    """One process: a poll of what is due, and procrastinate's worker with its threads."""

    def __init__(self, tenant: Tenant | None, at_once: int, report: Report) -> None:
        self._tenant = tenant
        self._leave = threading.Event()
        self._report = report
        self._ended = 0
        parameters: dict[str, Any] = {**connection_parameters("run"), "application_name": "coax worker"}
        self._app: procrastinate.App = open_worker(parameters)
        self._options: dict[str, Any] = {
            "concurrency": at_once,
            "queues": [queue_of(tenant.id), OWN_QUEUE] if tenant else None,
            "delete_jobs": "always",  # the log is ours
            "install_signal_handlers": False,
            "additional_context": {"leave": self._leave, "report": self._count},
        }

    async def serve(self, ready: Callable[[], None]) -> None:
        """Poll and execute until a signal."""
        async with self._app.open_async():
            await asyncio.to_thread(self._in_thread, self._begin)
            worker = asyncio.create_task(self._app.run_worker_async(**self._options))
            self._heed_signals(worker.cancel)
            ready()
            poll = asyncio.create_task(self._poll())
            with suppress(asyncio.CancelledError):
                await worker
            poll.cancel()
            with suppress(asyncio.CancelledError):
                await poll
            if not self._leave.is_set():
                raise OperationalError("the worker has lost its connection")

    async def catch_up(self) -> None:
        """Execute until nothing waits, or nothing more can be done here: somebody else may be at the rest."""
        async with self._app.open_async():
            await asyncio.to_thread(self._in_thread, self._begin)
            before = -1
            while self._ended > before and await asyncio.to_thread(self._in_thread, self._wake):
                before = self._ended
                worker = asyncio.create_task(
                    self._app.run_worker_async(**self._options, wait=False, listen_notify=False)
                )
                self._heed_signals(worker.cancel)
                with suppress(asyncio.CancelledError):
                    await worker

    def _count(self, tenant: Tenant, run: ProcessRunRow) -> None:
        self._ended += not self._leave.is_set()
        self._report(tenant, run)

    def _heed_signals(self, cancel: Callable[[], object]) -> None:
        """Let a signal end the worker: it fetches no more, and what it executes is told to leave off."""

        def stop() -> None:
            self._leave.set()
            cancel()

        if threading.current_thread() is threading.main_thread():
            for number in STOPPING:
                asyncio.get_running_loop().add_signal_handler(number, stop)

    async def _poll(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._in_thread, self._wake)
            except DatabaseError as lost:
                _LOG.warning("could not look what is due: %s", lost)
            await asyncio.sleep(POLL_S)

    def _begin(self) -> None:
        """Give up what waits since too long, unless another worker is there for whom it waits."""
        if is_worker_alive(using=RUN_ALIAS):
            return
        for tenant in self._list_tenants():
            with tenant_transaction(tenant.id, using=RUN_ALIAS):
                give_up_late(tenant, using=RUN_ALIAS)

    def _wake(self) -> int:
        return wake_for_due(self._list_tenants())

    def _list_tenants(self) -> list[Tenant]:
        return [self._tenant] if self._tenant else [get_tenant(code) for code in list_tenant_codes()]

    def _in_thread(self, function: Callable[[], Any]) -> Any:
        """Call a function that uses the database, in a thread that keeps no connection."""
        try:
            return function()
        finally:
            close_connections()
