"""`coax serve`: the console over a real socket."""

from __future__ import annotations

import http.cookiejar
import re
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg

from coax.base.db import connection_parameters, fetch_rows
from coax.base.tenancy import Tenant, create_tenant
from coax.party.types import StaffRole
from tests.builders.billed_operators import a_billed_operator
from tests.builders.commands import ACommand, run_coax, start_coax
from tests.builders.consoles import PASSWORD, ensure_staff

ROUNDS = 12


class ABrowser:
    """Cookies and a way to send forms; no scripts."""

    def __init__(self, address: str, **headers: str) -> None:
        self.address = address
        self.cookies = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https")))
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self._opener.addheaders = list(headers.items())

    def get(self, path: str) -> tuple[int, str]:
        try:
            with self._opener.open(f"{self.address}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def log_in(self, tenant: Tenant) -> None:
        page = self.get("/console/login/")[1]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None
        data = {
            "operator": tenant.code,
            "username": "clerk",
            "password": PASSWORD,
            "csrfmiddlewaretoken": token.group(1),
        }
        body = urllib.parse.urlencode(data).encode()
        with self._opener.open(f"{self.address}/console/login/", body, timeout=60) as answer:
            assert answer.url == f"{self.address}/console/", answer.read().decode()


@contextmanager
def served(*options: str) -> Iterator[tuple[str, ACommand]]:
    with start_coax("serve", "--port", "0", *options) as command:
        assert command.process.stdout is not None
        line = command.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found is not None, line
        yield found.group(), command


def _cut_connections() -> int:
    """End the console's sessions on the database and return how many there were."""
    ours = fetch_rows("SELECT pg_backend_pid()")[0][0]
    parameters = {name: value for name, value in connection_parameters("app").items() if name != "options"}
    with psycopg.connect(**parameters) as connection:  # type: ignore[arg-type]
        cut = connection.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'coax app' AND pid <> %s AND datname = current_database()""",
            [ours],
        ).fetchall()
    return len(cut)


def test_it_serves_until_it_is_told_to_stop(empty_tenant: Tenant) -> None:
    with served() as (address, command):
        browser = ABrowser(address)
        status, page = browser.get("/")
        assert (status, "Log in" in page) == (200, True)
        for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
            assert browser.get(path)[0] == 200, path
        assert browser.get("/static/console/nothing.css")[0] == 404
        command.process.send_signal(signal.SIGTERM)
        ended = command.finish()
    assert (ended.code, ended.out.strip()) == (0, "Stopped.")


def test_an_address_that_is_taken_is_named(empty_tenant: Tenant) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        ended = run_coax("serve", "--port", port)
    assert ended.code == 1
    assert f"Cannot listen at 127.0.0.1:{port}" in ended.message


def test_behind_a_proxy_with_tls_cookies_stay_on_tls(empty_tenant: Tenant) -> None:
    ensure_staff(empty_tenant, StaffRole.CLERK)
    through_tls = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    with served("--proxy", "127.0.0.1") as (address, _):
        origin = address.replace("http://", "https://")
        behind = ABrowser(address, Origin=origin, Referer=f"{origin}/console/login/", **through_tls)
        behind.log_in(empty_tenant)
        assert behind.get("/console/")[0] == 200
        assert {cookie.name: cookie.secure for cookie in behind.cookies} == {"csrftoken": True, "sessionid": True}
    with served() as (address, _):
        direct = ABrowser(address, **through_tls)
        direct.log_in(empty_tenant)
        assert not any(cookie.secure for cookie in direct.cookies)


def test_a_database_that_was_restarted_is_reached_again(empty_tenant: Tenant) -> None:
    ensure_staff(empty_tenant, StaffRole.CLERK)
    with served("--threads", "1") as (address, _):
        browser = ABrowser(address)
        browser.log_in(empty_tenant)
        assert browser.get("/console/accounts/")[0] == 200
        assert _cut_connections() >= 1  # other threads of this process may hold some too
        assert browser.get("/console/accounts/")[0] == 200


def test_two_operators_at_once_never_see_each_other(database: str, tmp_path: Path) -> None:
    billed = a_billed_operator(tmp_path)
    other = create_tenant(code=f"{billed.code}-b", name="Quite Another", currency="EUR", time_zone="UTC", locale="en")
    for tenant in (billed, other):
        ensure_staff(tenant, StaffRole.CLERK)

    def look(tenant: Tenant) -> set[tuple[str, int, bool]]:
        browser = ABrowser(address)
        browser.log_in(tenant)
        seen = set()
        for _ in range(ROUNDS):
            for path in ("accounts/of/ada", "bills/of/6", "runs/1/", "accounts/preview/ada?bill_as_of=2026-10-01"):
                status, text = browser.get(f"/console/{path}")
                seen.add((path, status, f">{tenant.name}</a>" in text))
        return seen

    with served("--threads", "4") as (address, _), ThreadPoolExecutor(4) as pool:
        found = list(pool.map(look, [billed, other, billed, other]))
    for seen, status in zip(found, (200, 404, 200, 404), strict=True):
        assert {(code, is_own) for _, code, is_own in seen} == {(status, True)}
        assert len(seen) == 4
