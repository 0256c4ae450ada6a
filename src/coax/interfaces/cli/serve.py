"""`coax serve`: console and API over HTTP, in one process with a pool of threads.

Exit codes: 0 stopped; 1 the address is taken; 3 the database cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import typer
import waitress  # type: ignore[import-untyped]

from coax.base.embedded import signals_as_exceptions
from coax.base.errors import DomainError
from coax.interfaces.cli.shared import problems_reported
from coax.interfaces.site.bootstrap import open_database

THREADS_MAX = 64
BODY_BYTES_MAX = 20_000_000
PROXY_HEADERS = frozenset({"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"})


class AddressTaken(DomainError):
    """Another program listens at the address, or the system does not allow it."""

    code: ClassVar[str] = "address_taken"


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen at; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any free one.")] = 8000,
    threads: Annotated[int, typer.Option("--threads", min=1, max=THREADS_MAX, help="Requests at a time.")] = 8,
    proxy: Annotated[
        str | None, typer.Option("--proxy", help="Address of a proxy whose X-Forwarded-... headers are believed.")
    ] = None,
) -> None:
    """Serve console and API until Ctrl-C or SIGTERM; behind a proxy that speaks TLS when it leaves this machine."""
    with problems_reported(as_json=False):
        open_database()
        server = _make_server(host, port, threads, proxy)
        typer.echo(f"Coax listens at http://{_write_host(host)}:{server.effective_port}/console/")
        with signals_as_exceptions():
            try:
                server.run()  # ends at a signal
            finally:
                server.close()
        typer.echo("Stopped.")


def _make_server(host: str, port: int, threads: int, proxy: str | None) -> Any:
    from coax.interfaces.site.wsgi import application  # noqa: PLC0415 - loads every page, which other commands need not

    try:
        return waitress.create_server(
            application,
            host=host,
            port=port,
            threads=threads,
            max_request_body_size=BODY_BYTES_MAX,
            ident="coax",
            clear_untrusted_proxy_headers=True,
            **({"trusted_proxy": proxy, "trusted_proxy_headers": PROXY_HEADERS} if proxy else {}),
        )
    except OSError as error:
        raise AddressTaken(f"Cannot listen at {host}:{port}: {error.strerror}.", host=host, port=port) from error


def _write_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
