"""Programs that may use the API: added, given new secrets and revoked, at the console and at the keyboard."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.cache import cache
from typer.testing import CliRunner

from coax.base.clock import tenant_now
from coax.base.tenancy import Tenant
from coax.interfaces.cli.main import app
from coax.party.operations.save_credentials import CredentialNameTaken, CredentialValueInvalid, add_credential
from coax.party.queries.credentials import CredentialUnknown, get_credential
from coax.party.types import ApiScope, CredentialKind
from tests.builders.consoles import AConsole, at_console
from tests.builders.integrators import AnIntegrator, ask_for_token

SECRET = re.compile(r"coax_(?:token|client)_[\w-]{43}")


@pytest.fixture
def console(empty_tenant: Tenant) -> AConsole:
    cache.clear()
    return at_console(empty_tenant)


def run(tenant: Tenant, *words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*words, "--tenant", tenant.code, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.output)


def test_a_token_at_the_keyboard(empty_tenant: Tenant) -> None:
    made = run(empty_tenant, "token", "add", "shop", "--scope", "accounts:read", "--scope", "bills:read")
    assert SECRET.fullmatch(made["secret"])
    first = AnIntegrator(made["secret"])
    assert first.get("/accounts").json == {"data": [], "next": None}
    (listed,) = run(empty_tenant, "token", "list")
    assert (listed["name"], listed["state"], listed["scopes"]) == ("shop", "valid", ["accounts:read", "bills:read"])
    assert listed["last_used_at"] is not None
    assert made["secret"] not in json.dumps(listed)
    rotated = run(empty_tenant, "token", "rotate", "shop", "--grace-hours", "0")
    assert (first.get("/accounts").status, AnIntegrator(rotated["secret"]).get("/accounts").status) == (401, 200)
    assert run(empty_tenant, "token", "revoke", "shop") == {"name": "shop", "state": "revoked"}
    assert AnIntegrator(rotated["secret"]).get("/accounts").status == 401
    assert run(empty_tenant, "token", "revoke", "shop", code=1)["code"] == "credential_unknown"
    past = run(empty_tenant, "token", "add", "old", "--scope", "bills:read", "--expires", "2001-01-01", code=1)
    assert past["code"] == "credential_value_invalid"
    assert [row["state"] for row in run(empty_tenant, "token", "list")] == ["revoked"]


def test_a_client_at_the_keyboard(empty_tenant: Tenant) -> None:
    made = run(empty_tenant, "client", "add", "erp", "--scope", "accounts:read", "--expires", "2199-01-01")
    assert ask_for_token(made["client_id"], made["secret"]).status == 200
    rotated = run(empty_tenant, "client", "rotate", "erp")
    assert rotated["client_id"] == made["client_id"]
    assert rotated["former_until"] is not None
    assert {ask_for_token(made["client_id"], secret["secret"]).status for secret in (made, rotated)} == {200}
    assert run(empty_tenant, "token", "list") == []
    plain = CliRunner().invoke(app, ["client", "list", "--tenant", empty_tenant.code])
    assert "erp" in plain.output


def test_a_program_at_the_console(console: AConsole, empty_tenant: Tenant) -> None:
    assert "No program may use the API yet." in console.get("programs/").text
    form = {"name": "shop", "kind": "token", "scopes": ["accounts:read"]}
    shown = console.post("programs/new", form)
    assert (shown.status, "no-store" in shown.headers["Cache-Control"]) == (200, True)
    (secret,) = SECRET.findall(shown.text)
    assert AnIntegrator(secret).get("/accounts").status == 200
    assert secret not in console.get("programs/").text
    assert "accounts:read" in console.get("programs/").text
    for changes, fault in (
        ({}, "there is a token 'shop' already"),
        ({"name": "A B"}, "small letters, digits"),
        ({"name": "b", "scopes": []}, "This field is required."),
        ({"name": "b", "expires_on": "2001-01-01"}, "the operator's present time"),
    ):
        refused = console.post("programs/new", {**form, **changes})
        assert refused.status == 422
        assert any(fault in found for found in refused.faults), refused.faults
    (second,) = SECRET.findall(console.post("programs/token/shop/secret", {"grace_hours": "1"}).text)
    assert {AnIntegrator(known).get("/accounts").status for known in (secret, second)} == {200}
    assert "shop is revoked." in console.follow(console.post("programs/token/shop/revoke")).text
    assert "there is no token" in console.follow(console.post("programs/token/shop/revoke")).text
    assert AnIntegrator(second).get("/accounts").status == 401
    assert console.get("programs/none/shop/secret").status == 200
    assert console.post("programs/none/shop/secret", {"grace_hours": "1"}).status == 404


def test_what_a_credential_may_not_be(tenant: Tenant) -> None:
    def add(name: str = "shop", scopes: tuple[ApiScope, ...] = (ApiScope.BILLS_READ,)) -> None:
        now = tenant_now(tenant.id)
        add_credential(tenant_id=tenant.id, kind=CredentialKind.TOKEN, name=name, scopes=scopes, actor="anna", now=now)

    add()
    with pytest.raises(CredentialNameTaken):
        add()
    for name in ("", "A", "a b", "a" * 65, "-a", "ä"):
        with pytest.raises(CredentialValueInvalid, match="name"):
            add(name)
    with pytest.raises(CredentialValueInvalid, match="scopes: none"):
        add("other", ())
    with pytest.raises(CredentialUnknown):
        get_credential(tenant_id=tenant.id, kind=CredentialKind.CLIENT, name="shop")
