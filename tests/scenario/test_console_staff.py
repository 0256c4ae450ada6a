"""Staff, passwords and the audit trail: at the console and at the keyboard."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from typer.testing import CliRunner, Result

from coax.base.tenancy import Tenant, tenant_transaction
from coax.interfaces.cli.staff import PASSWORD_VARIABLE, app
from coax.party.queries.staff import find_staff
from coax.party.types import StaffRole
from tests.builders.consoles import PASSWORD, AConsole, at_console

NEW = "quite another sentence"


@pytest.fixture
def console(empty_tenant: Tenant) -> AConsole:
    cache.clear()
    return at_console(empty_tenant)


def _staff(tenant: Tenant) -> dict[str, tuple[str, bool]]:
    with tenant_transaction(tenant.id):
        return {row.username: (row.role.value, row.is_active) for row in find_staff(tenant_id=tenant.id)}


def _log_in(tenant: Tenant, username: str, password: str) -> bool:
    console = AConsole(tenant, StaffRole.CLERK)
    return console.post("login/", {"operator": tenant.code, "username": username, "password": password}).status == 302


def _form(**changes: str) -> dict[str, str]:
    return {"username": "ann", "role": "clerk", "is_active": "on", "password": NEW, **changes}


def test_somebody_is_added_changed_and_shut_out(console: AConsole, empty_tenant: Tenant) -> None:
    assert "ann is added." in console.follow(console.post("staff/new", _form(full_name="Ann Example"))).text
    assert _log_in(empty_tenant, "ann", NEW)
    changed = console.post("staff/of/ann", _form(role="supervisor", password="", full_name="Ann Example"))
    assert "ann is saved." in console.follow(changed).text
    assert _staff(empty_tenant)["ann"] == ("supervisor", True)
    assert _log_in(empty_tenant, "ann", NEW)
    console.post("staff/of/ann", {"username": "ann", "role": "supervisor"})
    assert _staff(empty_tenant)["ann"] == ("supervisor", False)
    assert not _log_in(empty_tenant, "ann", NEW)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"password": "short"}, "This password is too short"),
        ({"password": "password1234"}, "This password is too common"),
        ({"password": ""}, "This field is required."),
        ({"username": "Ann Example"}, "The user name 'Ann Example' is not allowed"),
        ({"username": "administrator"}, "There is a member of staff 'administrator' already."),
        ({"role": "king"}, "Select a valid choice."),
        ({"email": "nowhere"}, "Enter a valid email address."),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    console: AConsole, empty_tenant: Tenant, changes: dict[str, str], fault: str
) -> None:
    refused = console.post("staff/new", _form(**changes))
    assert refused.status == 422
    assert refused.faults[0].startswith(fault)
    assert list(_staff(empty_tenant)) == ["administrator"]


def test_the_last_administrator_stays(console: AConsole, empty_tenant: Tenant) -> None:
    refused = console.post("staff/of/administrator", {"username": "administrator", "role": "clerk", "is_active": "on"})
    assert "administrator is the only active administrator" in refused.text
    assert _staff(empty_tenant)["administrator"] == ("administrator", True)
    console.post("staff/new", _form(role="administrator"))
    console.post("staff/of/administrator", {"username": "administrator", "role": "clerk", "is_active": "on"})
    assert _staff(empty_tenant)["administrator"] == ("clerk", True)


def test_a_name_cannot_be_changed_by_a_crafted_form(console: AConsole, empty_tenant: Tenant) -> None:
    console.post("staff/new", _form())
    console.post("staff/of/ann", _form(username="administrator", role="auditor", password=""))
    assert _staff(empty_tenant) == {"administrator": ("administrator", True), "ann": ("auditor", True)}


def test_everybody_chooses_their_own_password(console: AConsole, empty_tenant: Tenant) -> None:
    other = at_console(empty_tenant)
    wrong = console.post("password/", {"present": "guess", "new": NEW, "again": NEW})
    assert wrong.faults == ["This is not your present password."]
    unlike = console.post("password/", {"present": PASSWORD, "new": NEW, "again": PASSWORD})
    assert unlike.faults == ["This is not the same as above."]
    weak = console.post("password/", {"present": PASSWORD, "new": "short", "again": "short"})
    assert weak.faults[0].startswith("This password is too short")
    changed = console.post("password/", {"present": PASSWORD, "new": NEW, "again": NEW})
    assert "Your password is changed." in console.follow(changed).text
    assert other.get("").status == 302
    assert not _log_in(empty_tenant, "administrator", PASSWORD)
    assert _log_in(empty_tenant, "administrator", NEW)


def test_the_audit_trail_names_who_changed_whom(console: AConsole, empty_tenant: Tenant) -> None:
    console.post("staff/new", _form())
    console.post("staff/of/ann", _form(role="auditor"))
    text = at_console(empty_tenant, StaffRole.AUDITOR).get("audit/", source="party_staff_member").text
    assert "<del>clerk</del> <ins>auditor</ins>" in text
    assert '<span class="quiet">password</span> <ins>set</ins>' in text
    assert "pbkdf2" not in text
    assert NEW not in text
    mine = console.get("audit/", actor="administrator").text
    assert "ann" in mine
    assert "Nothing is recorded that fits." in console.get("audit/", actor="nobody").text


@contextmanager
def _password(text: str) -> Iterator[None]:
    os.environ[PASSWORD_VARIABLE] = text
    try:
        yield
    finally:
        del os.environ[PASSWORD_VARIABLE]


def _run(tenant: Tenant, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--tenant", tenant.code])


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_first_administrator_comes_from_the_keyboard(empty_tenant: Tenant) -> None:
    with _password(NEW):
        added = _json(_run(empty_tenant, "add", "olga", "--role", "administrator", "--name", "Olga", "--json"))
    assert added == {"username": "olga", "role": "administrator", "operator": empty_tenant.code}
    assert _log_in(empty_tenant, "olga", NEW)
    (row,) = _json(_run(empty_tenant, "list", "--json"))
    assert (row["username"], row["role"], row["may_log_in"]) == ("olga", "administrator", "yes")
    assert "olga" in _run(empty_tenant, "list").stdout


def test_a_password_is_reset_at_the_keyboard(empty_tenant: Tenant) -> None:
    at_console(empty_tenant)
    with _password(NEW):
        assert _run(empty_tenant, "password", "administrator").exit_code == 0
        missing = _run(empty_tenant, "password", "nobody")
    assert (missing.exit_code, "There is no member of staff 'nobody'." in missing.stderr) == (1, True)
    assert _log_in(empty_tenant, "administrator", NEW)


def test_a_weak_password_and_a_taken_name_are_refused_at_the_keyboard(empty_tenant: Tenant) -> None:
    with _password("short"):
        weak = _run(empty_tenant, "add", "olga")
    assert (weak.exit_code, "too short" in weak.stderr) == (1, True)
    with _password(NEW):
        _run(empty_tenant, "add", "olga")
        taken = _run(empty_tenant, "add", "olga")
    assert (taken.exit_code, "already" in taken.stderr) == (1, True)
    assert list(_staff(empty_tenant)) == ["olga"]
