"""Who may call the API: tokens, OAuth2 clients, scopes, expiry, rotation, revocation, and how much."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import override_settings

from coax.base.clock import tenant_now
from coax.base.db import fetch_rows
from coax.base.tenancy import RUN_ALIAS, tenant_transaction
from coax.interfaces.api.rest import access
from coax.party.operations.count_failure import count_failure
from coax.party.operations.count_request import count_request
from coax.party.operations.save_credentials import ACCESS_TOKEN_S, revoke_credential, rotate_credential
from coax.party.queries.credentials import find_caller
from coax.party.types import CredentialKind, IssuedSecret, SecretPurpose
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.integrators import AnIntegrator, Answered, a_credential, an_integrator, ask_for_token

TOKEN, CLIENT = CredentialKind.TOKEN, CredentialKind.CLIENT
FORM = "application/x-www-form-urlencoded"
NOON = datetime(2026, 7, 10, 12, 0, 10, tzinfo=UTC)


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    operator = a_broadcaster()
    operator.subscribe(tmp_path, [{"account_code": "A", "product": "silver"}])
    operator.on("2026-07-10")
    return operator


def send_form(body: str, secret: str | None = None) -> Answered:
    return AnIntegrator(secret).ask("POST", "/oauth/token", body=body, content_type=FORM)


def rotate(zx: ABroadcaster, name: str, kind: CredentialKind, hours: int) -> IssuedSecret:
    with tenant_transaction(zx.tenant.id):
        return rotate_credential(
            tenant_id=zx.tenant.id, kind=kind, name=name, grace_hours=hours, now=tenant_now(zx.tenant.id)
        )


def test_without_a_valid_token_nothing_is_told(zx: ABroadcaster) -> None:
    nobody = AnIntegrator(None).get("/accounts")
    assert (nobody.status, nobody.code, nobody.headers["WWW-Authenticate"]) == (
        401,
        "token_missing",
        'Bearer realm="coax"',
    )
    for secret in ("coax_token_nothing", "guess", "coax_token_" + "ä" * 20, "coax_token_" + "x" * 5000, "a\x00b"):
        wrong = AnIntegrator(secret.encode("utf-8").decode("latin-1")).get("/accounts")
        assert (wrong.status, wrong.code) == (401, "token_invalid")
        assert wrong.headers["WWW-Authenticate"] == 'Bearer realm="coax", error="invalid_token"'
    client = a_credential(zx.tenant, kind=CLIENT)
    assert AnIntegrator(client.secret).get("/accounts").code == "token_invalid"  # it opens the token endpoint alone
    basic = AnIntegrator(None).ask("GET", "/accounts", headers={"Authorization": "Basic YTpi"})
    assert basic.code == "token_missing"


def test_only_hashes_are_kept(zx: ABroadcaster) -> None:
    secret = a_credential(zx.tenant).secret
    rows = fetch_rows("SELECT hash FROM party_api_secret WHERE tenant_id = %s", [zx.tenant.id], using=RUN_ALIAS)
    assert rows == [(hashlib.sha256(secret.encode()).hexdigest(),)]
    audited = fetch_rows(
        "SELECT source, after::text FROM base_audit_entry WHERE tenant_id = %s AND source LIKE 'party_api%%'",
        [zx.tenant.id],
        using=RUN_ALIAS,
    )
    assert [source for source, _ in audited] == ["party_api_credential"]
    assert secret not in audited[0][1]


def test_a_scope_opens_what_it_says(zx: ABroadcaster) -> None:
    reader = an_integrator(zx.tenant, "accounts:read", name="reader")
    assert reader.get("/accounts/A").status == 200
    assert reader.get("/contacts/A").status == 200
    for answer, scope in (
        (reader.get("/subscriptions"), "subscriptions:read"),
        (reader.post("/accounts", {"account": "B"}), "accounts:write"),
        (reader.post("/accounts/A/payments", {"amount": "1"}, key="k"), "payments:write"),
        (reader.get("/configuration"), "configuration:read"),
    ):
        assert (answer.status, answer.code) == (403, "insufficient_scope")
        assert answer.headers["WWW-Authenticate"].endswith(f'error="insufficient_scope", scope="{scope}"')
        assert "'reader'" in answer.json["detail"]


def test_a_token_ends_on_its_day(zx: ABroadcaster) -> None:
    with tenant_transaction(zx.tenant.id):
        until = tenant_now(zx.tenant.id) + timedelta(days=1)
    program = an_integrator(zx.tenant, expires_at=until)
    assert program.get("/accounts").status == 200
    zx.on("2026-07-11", hour=8)
    assert program.get("/accounts").status == 200
    zx.on("2026-07-11", hour=9)
    assert program.get("/accounts").code == "token_invalid"


def test_a_new_secret_leaves_the_former_one_its_grace(zx: ABroadcaster) -> None:
    first = an_integrator(zx.tenant, name="billing")
    issued = rotate(zx, "billing", TOKEN, 24)
    second = AnIntegrator(issued.secret)
    zx.on("2026-07-11", hour=8)
    assert (first.get("/accounts").status, second.get("/accounts").status) == (200, 200)
    third = AnIntegrator(rotate(zx, "billing", TOKEN, 24).secret)  # the first is two secrets ago
    statuses = [program.get("/accounts").status for program in (first, second, third)]
    assert statuses == [401, 200, 200]
    zx.on("2026-07-12", hour=8)
    statuses = [program.get("/accounts").status for program in (first, second, third)]
    assert statuses == [401, 401, 200]
    fourth = AnIntegrator(rotate(zx, "billing", TOKEN, 0).secret)
    assert (third.get("/accounts").status, fourth.get("/accounts").status) == (401, 200)


def test_what_is_revoked_opens_nothing(zx: ABroadcaster) -> None:
    program = an_integrator(zx.tenant, name="billing")
    client = a_credential(zx.tenant, kind=CLIENT, name="billing")
    access = AnIntegrator(ask_for_token(client.client_id, client.secret).json["access_token"])
    assert (program.get("/accounts").status, access.get("/accounts").status) == (200, 200)
    with tenant_transaction(zx.tenant.id):
        for kind in CredentialKind:
            revoke_credential(tenant_id=zx.tenant.id, kind=kind, name="billing", now=tenant_now(zx.tenant.id))
    assert (program.get("/accounts").status, access.get("/accounts").status) == (401, 401)
    assert ask_for_token(client.client_id, client.secret).json["error"] == "invalid_client"
    assert an_integrator(zx.tenant, name="billing").get("/accounts").status == 200  # the name is free again


@pytest.mark.parametrize("basic", [True, False])
def test_a_client_exchanges_its_secret_for_a_token(zx: ABroadcaster, basic: bool) -> None:
    client = a_credential(zx.tenant, "accounts:read", "bills:read", kind=CLIENT)
    answer = ask_for_token(client.client_id, client.secret, basic=basic)
    assert answer.status == 200
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert {name: answer.json[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_S,
        "scope": "accounts:read bills:read",
    }
    program = AnIntegrator(answer.json["access_token"])
    assert program.get("/accounts").status == 200
    assert program.get("/subscriptions").status == 403
    narrow = ask_for_token(client.client_id, client.secret, basic=basic, scope="bills:read")
    assert narrow.json["scope"] == "bills:read"
    assert AnIntegrator(narrow.json["access_token"]).get("/accounts").code == "insufficient_scope"
    zx.on("2026-07-10", hour=10)
    assert program.get("/accounts").code == "token_invalid"


def test_the_token_endpoint_refuses_as_the_rfc_says(zx: ABroadcaster) -> None:
    client = a_credential(zx.tenant, "accounts:read", kind=CLIENT, name="shop")
    other = a_credential(zx.tenant, "accounts:read", kind=CLIENT)
    token = a_credential(zx.tenant)
    name, secret = client.client_id, client.secret
    for answer, status, error in (
        (ask_for_token(name, "coax_client_wrong"), 401, "invalid_client"),
        (ask_for_token(other.client_id, secret), 401, "invalid_client"),
        (ask_for_token(name, token.secret), 401, "invalid_client"),
        (ask_for_token("ä", secret, basic=False), 401, "invalid_client"),
        (ask_for_token("", "", basic=False), 401, "invalid_client"),
        (ask_for_token(name, secret, grant_type="password"), 400, "unsupported_grant_type"),
        (ask_for_token(name, secret, grant_type=""), 400, "invalid_request"),
        (ask_for_token(name, secret, scope="accounts:write"), 400, "invalid_scope"),
        (ask_for_token(name, secret, scope='"\\'), 400, "invalid_scope"),
        (ask_for_token(name, secret, client_secret=secret), 400, "invalid_request"),
        (AnIntegrator(None).post("/oauth/token", {"grant_type": "client_credentials"}), 400, "invalid_request"),
        (send_form("grant_type=x", secret="x"), 401, "invalid_client"),
        (send_form("grant_type=client_credentials&grant_type=client_credentials"), 400, "invalid_request"),
    ):
        assert (answer.status, answer.json["error"]) == (status, error)
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    issued = rotate(zx, "shop", CLIENT, 1)
    assert ask_for_token(name, secret).status == ask_for_token(name, issued.secret).status == 200
    zx.on("2026-07-10", hour=10)
    assert (ask_for_token(name, secret).status, ask_for_token(name, issued.secret).status) == (401, 200)


def test_too_many_requests_are_refused(zx: ABroadcaster) -> None:
    program, other = an_integrator(zx.tenant), an_integrator(zx.tenant)
    with override_settings(API_REQUESTS_PER_MINUTE=3):
        answers = [program.post("/locations", {"location": "l", "name": "l"}, key="l") for _ in range(8)]
        assert other.get("/locations").status == 200
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) >= 2  # even where a new minute begins in between
    for answer in answers:
        assert answer.headers["RateLimit-Limit"] == "3"
        assert (answer.status == 201) == ("Retry-After" not in answer.headers)
    first = [answer.headers["RateLimit-Remaining"] for answer in answers if answer.status == 201]
    assert set(first) <= {"2", "1", "0"}
    assert refused[0].code == "too_many_requests"
    assert refused[0].headers["Retry-After"] == refused[0].headers["RateLimit-Reset"]
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60


def test_who_fails_too_often_is_refused_and_a_good_token_of_the_same_address_is_not(
    zx: ABroadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "FAILURES_PER_MINUTE_MAX", 2)
    client = a_credential(zx.tenant, kind=CLIENT)
    nobody = AnIntegrator(None)
    guessing = AnIntegrator("coax_token_guess", address=nobody.address)
    good = AnIntegrator(a_credential(zx.tenant).secret, address=nobody.address)
    answers = [program.get("/accounts") for program in (nobody, guessing) * 4]
    assert [answer.status for answer in answers[:2]] == [401, 401]
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) >= 4  # even where a new minute begins in between
    for answer in refused:
        assert answer.code == "too_many_failures"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert good.get("/accounts").status == 200
    assert AnIntegrator(None).get("/accounts").status == 401  # another address
    guessed = ask_for_token(client.client_id, "coax_client_guess", address=nobody.address)
    assert guessed.status in {401, 429}
    assert ask_for_token(client.client_id, client.secret, address=nobody.address).status == 200


def test_failures_are_counted_by_the_minute_and_the_site(database: str) -> None:
    def count(address: str, seconds: int) -> tuple[int, int]:
        return count_failure(address, most=2, now=NOON + timedelta(seconds=seconds))

    assert [count("192.0.2.1", second) for second in (0, 1, 2, 3)] == [(1, 50), (2, 49), (3, 48), (3, 47)]
    assert count("192.0.2.2", 4) == (1, 46)
    assert count("::ffff:192.0.2.2", 4) == (2, 46)
    assert [count(address, 5) for address in ("2001:db8::1", "2001:db8::2:1", "2001:db8:0:1::1")] == [
        (1, 45),
        (2, 45),
        (1, 45),
    ]
    assert count("192.0.2.1", 60) == (1, 50)
    sql = "SELECT address, failures FROM party_api_failure WHERE window_start < %s"
    kept = fetch_rows(sql, [NOON + timedelta(minutes=2)], using="owner")
    assert kept == [("192.0.2.1", 1)]  # who failed in earlier minutes is forgotten


def test_requests_are_counted_by_the_minute(zx: ABroadcaster) -> None:
    def count(seconds: int, program: str) -> tuple[int, int]:
        with tenant_transaction(zx.tenant.id):
            return count_request(callers[program], now=NOON + timedelta(seconds=seconds))

    callers = {}
    for name in ("a", "b"):
        secret = a_credential(zx.tenant, name=name).secret
        with tenant_transaction(zx.tenant.id):
            now = tenant_now(zx.tenant.id)
            found = find_caller(tenant_id=zx.tenant.id, secret=secret, purpose=SecretPurpose.TOKEN, now=now)
        assert found is not None
        callers[name] = found
    assert [count(0, "a"), count(20, "a"), count(30, "b"), count(49, "a")] == [(1, 50), (2, 30), (1, 20), (3, 1)]
    assert [count(50, "a"), count(51, "b")] == [(1, 60), (1, 59)]
