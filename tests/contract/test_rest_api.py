"""The API does what its OpenAPI document says, whatever it is sent: schemathesis against the site over a socket.

Each operation gets requests that are right in every way it declares, wrong in every single one, and a few drawn ones;
what answers is no fault, a declared status, of the declared type, headers and schema, with and without a token.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
import waitress
from django.conf import settings as site_settings
from hypothesis import HealthCheck, settings
from hypothesis.strategies import dates
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from coax.base.tenancy import create_tenant
from coax.interfaces.api.rest import access
from coax.interfaces.api.rest.urls import api
from coax.interfaces.api.rest.values import FIRST_DAY, LAST_DAY
from coax.interfaces.site.wsgi import application
from tests.builders.broadcasters import ABroadcaster, a_broadcaster
from tests.builders.integrators import a_credential, an_integrator

EXAMPLES = 4
schemathesis.openapi.format("date", dates(FIRST_DAY, LAST_DAY).map(str))
SCHEMA = schemathesis.openapi.from_dict(api.get_openapi_schema())
POSITIVE = SchemathesisConfig.from_dict(
    {"generation": {"mode": "positive"}, "phases": {"coverage": {"enabled": False}, "examples": {"enabled": False}}}
)
POSITIVE_SCHEMA = schemathesis.openapi.from_dict(api.get_openapi_schema(), config=POSITIVE)
# Addresses that name something of an operator; what kinds of configuration there are is the same for all.
OF_AN_OPERATOR = r"\{(?!section\}$)"


@dataclass
class Site:
    """A server at an address, the secret of a program that may do all, and what there is to be named."""

    address: str
    secret: str
    foreign_secret: str
    known: dict[str, Any]
    zx: ABroadcaster
    session: requests.Session = field(default_factory=requests.Session)
    asked: dict[str, int] = field(default_factory=dict)

    def name_path(self, path: str) -> dict[str, Any]:
        """Return for each part of an address that names something a thing that there is."""
        return {name: self.known[name] for name in re.findall(r"{(\w+)}", path)}


@pytest.fixture(scope="module")
def site(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    operator = a_broadcaster()
    operator.subscribe(tmp_path_factory.mktemp("zx"), [{"account_code": "A", "product": "silver"}])
    operator.on("2026-07-10")
    operator.bill("2026-07-10", "2026-07-01")
    program = an_integrator(operator.tenant)
    program.post("/locations", {"location": "store", "name": "Store"})
    received = {"serial": "D1", "good": "decoder", "location": "store", "reason": "bought"}
    assert program.post("/items", received).status == 201
    later = {"behaviour": "cancel", "performed_on": "2026-08-01"}
    action = program.post("/subscriptions/S-A/actions", later).json["action"]
    job = program.post("/jobs", {"account": "A", "type": "visit"}, key="job").json["job"]
    known = {"account": "A", "contact": "A", "subscription": "S-A", "service": "silver", "bill": "1", "run": 1}
    known |= {"job": job, "line": 1, "process": "billing/main"}
    for key, path in (("payment", "payments"), ("refund", "refunds")):
        body = {"amount": "1000" if key == "payment" else "1", "reason": "asked"}
        sent = {"amount": body["amount"]} if key == "payment" else body
        known[key] = program.post(f"/accounts/A/{path}", sent, key=key).json[key]
    assert program.post("/processes/billing/main/run", key="process").status == 202
    known |= {"serial": "D1", "action": action, "section": "products", "code": "silver"}
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=2)
    threading.Thread(target=_listen, args=[server], daemon=True).start()
    limit, site_settings.API_REQUESTS_PER_MINUTE = site_settings.API_REQUESTS_PER_MINUTE, 1_000_000
    other = create_tenant(
        code=f"{operator.tenant.code}-other", name="Other", currency="EUR", time_zone="UTC", locale="en"
    )
    secrets = (a_credential(tenant).secret for tenant in (operator.tenant, other))
    failures, access.FAILURES_PER_MINUTE_MAX = access.FAILURES_PER_MINUTE_MAX, 1_000_000
    yield Site(f"http://127.0.0.1:{server.effective_port}", *secrets, known, operator)
    site_settings.API_REQUESTS_PER_MINUTE, access.FAILURES_PER_MINUTE_MAX = limit, failures
    for thread in threading.enumerate():
        if thread.name.startswith("run "):  # begun by a request; none outlives the test
            thread.join()
    server.task_dispatcher.shutdown()
    server.close()
    server.task_dispatcher.shutdown()


def _listen(server: Any) -> None:
    """Serve until the sockets are closed under it."""
    with suppress(OSError, ValueError):
        server.run()


def keep_contract(case: Case, site: Site) -> None:
    """Send a request, and hold the answer to the document; every other right one names what there is."""
    label = case.operation.label
    site.asked[label] = site.asked.get(label, 0) + 1
    if site.asked[label] % 2 and case.meta.generation.mode is GenerationMode.POSITIVE:
        case.path_parameters.update(site.name_path(case.path))
    case.call_and_validate(
        base_url=site.address,
        session=site.session,
        headers={"Authorization": f"Bearer {site.secret}"},
        excluded_checks=[positive_data_acceptance],  # what is well-formed may still be refused by a rule
    )


def find_nothing(case: Case, site: Site) -> None:
    """Ask with the token of another operator for what there is."""
    case.path_parameters = site.name_path(case.path)
    case.query = {}
    before = site.zx.everything()
    answer = case.call(base_url=site.address, headers={"Authorization": f"Bearer {site.foreign_secret}"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, ["application/problem+json"]), answer.text
    assert answer.json()["code"].endswith(("_unknown", "_not_found")), answer.text
    assert site.zx.everything() == before


def make_test(schema: OpenApiSchema, check: Callable[[Case, Site], None], examples: int) -> Callable[..., None]:
    """Return a test of one operation. Each has a name of its own, by which workers in parallel tell them apart."""

    @schema.parametrize()
    @settings(max_examples=examples, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    def test(case: Case, site: Site) -> None:
        check(case, site)

    return test


for operation in (found.ok() for found in SCHEMA.get_all_operations()):
    name = operation.definition.raw["operationId"]
    globals()[f"test_{name}_keeps_its_contract"] = make_test(SCHEMA.include(operation_id=name), keep_contract, EXAMPLES)
    if re.search(OF_AN_OPERATOR, operation.path):
        globals()[f"test_{name}_finds_nothing_of_another_operator"] = make_test(
            POSITIVE_SCHEMA.include(operation_id=name), find_nothing, 1
        )


def test_every_read_answers_what_exists(site: Site) -> None:
    for operation in (found.ok() for found in SCHEMA.get_all_operations()):
        if operation.method == "get":
            case = operation.Case(path_parameters=site.name_path(operation.path))
            answer = case.call(base_url=site.address, headers={"Authorization": f"Bearer {site.secret}"})
            case.validate_response(answer, excluded_checks=[ignored_auth])
            assert answer.status_code == 200, (operation.label, answer.text)
