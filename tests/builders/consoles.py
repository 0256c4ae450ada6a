"""Somebody at the console: pages as text, forms filled in and sent as a browser would."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from coax.base.tenancy import Tenant, tenant_transaction
from coax.party.operations.save_staff import add_staff
from coax.party.queries.staff import find_staff
from coax.party.types import StaffRole

PASSWORD = "a sentence for tests"
WAIT_S = 60


class FormReader(HTMLParser):
    """What the form of class `sheet` on a page would send, and the words of its faults."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.faults: list[str] = []
        self._is_inside = self._is_fault = False
        self._select: str | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        classes = (known.get("class") or "").split()
        self._is_inside |= tag == "form" and "sheet" in classes
        self._is_fault = tag == "p" and "fault" in classes
        name = known.get("name")
        if not self._is_inside:
            return
        if tag == "input" and name and (known.get("type") != "checkbox" or "checked" in known):
            said = "on" if known.get("type") == "checkbox" else ""
            self.fields.setdefault(name, []).append(known.get("value") or said)
        if tag == "select":
            self._select = name
        if tag == "option" and self._select and "selected" in known:
            self.fields.setdefault(self._select, []).append(known.get("value") or "")
        if tag == "textarea":
            self._area = name

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        if tag == "p":
            self._is_fault = False
        if tag == "select":
            self._select = None
        if tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area and data.strip():
            self.fields.setdefault(self._area, []).append(data)
        if self._is_fault:
            self.faults.append(data.strip())


@dataclass(frozen=True)
class Shown:
    """An answer: its status, its text without entities, and where it leads."""

    status: int
    text: str
    location: str
    content: bytes
    headers: dict[str, str]

    def form(self, **changes: str | list[str]) -> dict[str, list[str]]:
        """Return what its form would send, some fields changed; `__` in a name stands for a point."""
        reader = FormReader()
        reader.feed(self.content.decode())
        changed = {
            name.replace("__", "."): value if isinstance(value, list) else [value] for name, value in changes.items()
        }
        return {**reader.fields, **changed}

    @property
    def faults(self) -> list[str]:
        reader = FormReader()
        reader.feed(self.content.decode())
        return reader.faults


@dataclass
class AConsole:
    """A browser of one person."""

    tenant: Tenant
    role: StaffRole
    client: Client = field(default_factory=lambda: Client(SERVER_NAME="localhost", raise_request_exception=False))

    def get(self, path: str, /, **query: str) -> Shown:
        return _show(self.client.get(f"/console/{path}", query))

    def post(self, path: str, data: dict[str, Any] | None = None) -> Shown:
        return _show(self.client.post(f"/console/{path}", data or {}))

    def follow(self, shown: Shown) -> Shown:
        assert shown.status == 302, (shown.status, shown.faults)
        return _show(self.client.get(shown.location))

    def wait_for(self, path: str, is_reached: Callable[[Shown], bool]) -> Shown:
        """Ask for a page again and again until it shows what is wanted."""
        until = time.monotonic() + WAIT_S
        while True:
            shown = self.get(path)
            if is_reached(shown):
                return shown
            assert time.monotonic() < until, shown.text
            time.sleep(0.05)


def at_console(tenant: Tenant, role: StaffRole = StaffRole.ADMINISTRATOR, username: str | None = None) -> AConsole:
    """Somebody of this role, logged in; they are added to the staff when new. `username` is one who is there."""
    console = AConsole(tenant, role)
    if username is None:
        ensure_staff(tenant, role)
    name = username or role.value
    answer = console.post("login/", {"operator": tenant.code, "username": name, "password": PASSWORD})
    assert answer.status == 302, answer.text
    return console


def ensure_staff(tenant: Tenant, role: StaffRole) -> None:
    """Have a member of staff of this role, called like it."""
    with tenant_transaction(tenant.id):
        if role.value not in {row.username for row in find_staff(tenant_id=tenant.id)}:
            add_staff(tenant_id=tenant.id, username=role.value, role=role, password=PASSWORD)


def _show(answer: Any) -> Shown:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = html.unescape(content.decode(errors="replace"))
    return Shown(answer.status_code, text, answer.headers.get("Location", ""), content, dict(answer.headers))
