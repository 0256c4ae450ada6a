"""The console in Chromium: pages that everybody can use, by keyboard and on a phone, and that ask nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import waitress
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from coax.base.tenancy import Tenant, create_tenant, tenant_transaction
from coax.configuration.types.documents import SourceDocument
from coax.interfaces.site.wsgi import application
from coax.party.types import StaffRole
from coax.process.jobs.order import order_job
from coax.process.operators import apply_documents
from coax.process.recurring.queries import get_process
from coax.process.recurring.request import request_run, request_stop
from coax.subscription.types.jobs import JobRequest
from tests.builders.billed_operators import a_billed_operator
from tests.builders.consoles import PASSWORD, ensure_staff
from tests.builders.integrators import a_credential

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CHROMIUM = "/usr/bin/chromium"
WIDTHS = (1440, 390)
HEIGHT = 900
BLOCKING = {"serious", "critical"}
PAGES = (
    "",
    "accounts/",
    "accounts/?q=a",
    "accounts/of/ada",
    "accounts/contact/ada",
    "accounts/terms/ada",
    "accounts/journal/ada",
    "accounts/preview/ada?bill_as_of=2026-10-01",
    "accounts/then/ada?on=2026-08-01",
    "subscriptions/sell/ada",
    "subscriptions/act/swap_service/S-1",
    "subscriptions/act/add_service_usage/S-1",
    "subscriptions/scheduled",
    "jobs/",
    "jobs/order/for/ada",
    "jobs/order/errand/ada",
    "jobs/of/J-1/",
    "bills/",
    "bills/of/ZX-00000006",
    "processes/",
    "processes/log",
    "processes/of/1/",
    "runs/",
    "runs/1/",
    "runs/new",
    "configuration/",
    "configuration/price_plan/",
    "configuration/price_plan/new",
    "configuration/price_plan/of/main/",
    "configuration/price_plan/of/main/history",
    "configuration/price_plan/of/main/yaml",
    "configuration/billing_term_scheme/of/normal/",
    "configuration/normal_billing_run_definition/of/main/",
    "configuration/receivable_definition/of/main/",
    "staff/",
    "staff/new",
    "staff/of/administrator",
    "programs/",
    "programs/new",
    "programs/token/shop/secret",
    "audit/",
    "audit/?source=party_contact&subject=1",
    "password/",
    "nowhere/",
)


@dataclass
class AScreen:
    """A page with what went wrong on it and whom it asked."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}/console/{path}")
        self.page.wait_for_load_state("networkidle")

    def problems(self) -> list[str]:
        """Return what axe finds serious or critical, and whether the page is wider than the screen."""
        found = [
            f"{violation['id']}: {node['html'][:120]}"
            for violation in Axe().run(self.page).response["violations"]
            if violation["impact"] in BLOCKING
            for node in violation["nodes"]
        ]
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return [*found, *(["wider than the screen"] if width > 0 else [])]


@pytest.fixture(scope="module")
def billed(database: str, tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    tenant = a_billed_operator(Path(tmp_path_factory.mktemp("console")))
    # With a second operator the log-in page asks for the operator.
    create_tenant(code=f"{tenant.code}-b", name="Other", currency="EUR", time_zone="UTC", locale="en")
    for role in StaffRole:
        ensure_staff(tenant, role)
    a_credential(tenant, name="shop")
    kind = SourceDocument("jobs.yaml", "job_types: [{ code: errand, name: Errand, billable: false }]")
    with tenant_transaction(tenant.id):
        apply_documents(tenant=tenant, documents=[kind], as_of=date(2026, 7, 1), actor="test")
    order_job(tenant=tenant, request=JobRequest(account_code="ada", job_type="errand"), actor="test")
    with tenant_transaction(tenant.id):
        request_stop(tenant, request_run(tenant, get_process(tenant, "billing"), actor="test"))
    return tenant


@pytest.fixture(scope="module")
def address(billed: Tenant) -> Iterator[str]:
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    server.task_dispatcher.shutdown()


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[Browser]:
    """Chromium; begun after all work on the database, which may not happen under Playwright's event loop."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def screen(browser: Browser, address: str, billed: Tenant) -> Iterator[AScreen]:
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": HEIGHT}, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    page = context.new_page()
    screen = AScreen(page, address)
    page.on("pageerror", lambda error: screen.errors.append(str(error)))
    page.on("request", lambda request: screen.hosts.add(urlsplit(request.url).netloc))
    screen.open("login/")
    page.fill("#operator", billed.code)
    page.fill("#username", "administrator")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/")
    yield screen
    assert screen.errors == []
    assert screen.hosts == {urlsplit(address).netloc}
    context.close()


def test_the_log_in_page_is_for_everybody(browser: Browser, address: str) -> None:
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": HEIGHT})
        screen = AScreen(page, address)
        screen.open("login/")
        assert screen.problems() == []
        page.fill("#username", "nobody")
        page.fill("#password", "nothing")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert], #operator:invalid")
        assert screen.problems() == []
        page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_for_everybody(screen: AScreen, width: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": HEIGHT})
    found = {}
    for path in PAGES:
        screen.open(path)
        assert screen.page.locator("main").count() == 1, path
        assert screen.page.locator("h1").count() == 1, path
        found[path] = screen.problems()
    assert {path: problems for path, problems in found.items() if problems} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_form_with_faults_is_for_everybody(screen: AScreen, width: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": HEIGHT})
    screen.open("configuration/price_plan/of/main/")
    screen.page.fill("[name='rates.0.price']", "12,5")
    screen.page.click("text=Save >> nth=-1")
    screen.page.wait_for_selector(".faults")
    assert screen.page.evaluate("document.activeElement.className") == "faults"
    assert screen.problems() == []
    screen.page.click(".faults a >> nth=0")
    assert screen.page.evaluate("document.activeElement.name") == "rates.0.price"
    assert screen.page.get_attribute("[name='rates.0.price']", "aria-invalid") == "true"


def test_a_plan_is_written_with_the_keyboard_alone(screen: AScreen) -> None:
    page = screen.page
    screen.open("configuration/price_plan/new")
    page.fill("[name=code]", "keyboard")
    page.fill("[name=name]", "By keyboard")
    page.fill("[name=currency]", "EUR")
    for place in range(2):
        page.focus("[data-add=rates]")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"[name='rates.{place}.product']:focus")
    page.focus("[data-remove='rates.0']")
    page.keyboard.press("Enter")
    assert page.locator("[name='rates.0.product']").count() == 0
    assert page.evaluate("document.activeElement.dataset.remove") == "rates.1"
    page.select_option("[name='rates.1.product']", "points")
    page.select_option("[name='rates.1.model']", "quantity_tiered")
    for place, (start, end, price) in enumerate((("1", "5", "3"), ("5", "", "2.50"))):
        page.focus("[data-add='rates.1.tiers']")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"[name='rates.1.tiers.{place}.from']:focus")
        page.keyboard.type(start)
        page.keyboard.press("Tab")
        page.keyboard.type(end)
        page.keyboard.press("Tab")
        page.keyboard.type(price)
    assert screen.problems() == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/of/keyboard/")
    assert "Saved: version 1" in page.inner_text(".notes")
    assert page.input_value("[name='rates.0.tiers.1.price']") == "2.50"


def test_a_slash_leads_to_the_search_and_a_name_to_the_account(screen: AScreen) -> None:
    page = screen.page
    screen.open("bills/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("ada")
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/of/ada")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_the_menu_opens_on_a_phone(screen: AScreen) -> None:
    page = screen.page
    page.set_viewport_size({"width": WIDTHS[1], "height": HEIGHT})
    screen.open("")
    assert not page.is_visible("#menu")
    page.click("[data-menu]")
    assert page.get_attribute("[data-menu]", "aria-expanded") == "true"
    page.click("#menu >> text=Billing runs")
    page.wait_for_url("**/runs/")
    assert screen.problems() == []


def test_the_head_of_a_long_list_stays_in_sight(screen: AScreen) -> None:
    screen.page.set_viewport_size({"width": WIDTHS[0], "height": 400})
    screen.open("audit/")
    screen.page.evaluate("window.scrollTo(0, 900)")
    top = screen.page.eval_on_selector("thead th", "head => head.getBoundingClientRect().top")
    assert 0 < top < 60


def test_figures_stand_right_and_line_up(screen: AScreen) -> None:
    screen.open("bills/")
    looks = screen.page.eval_on_selector_all(
        "td.figure",
        "cells => [...new Set(cells.map(cell => {"
        "  const style = getComputedStyle(cell); return `${style.textAlign} ${style.fontVariantNumeric}` }))]",
    )
    assert looks == ["right tabular-nums"]


def test_a_run_is_watched_and_posted_after_a_question(screen: AScreen) -> None:
    page = screen.page
    questions: list[str] = []

    def answer(dialog: object) -> None:
        questions.append(dialog.message)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", answer)
    screen.open("runs/new")
    page.fill("#id_execution_date", "2026-09-20")
    page.fill("#id_bill_as_of", "2026-10-01")
    page.click("text=Begin the run")
    page.wait_for_selector("#staged-head")
    assert screen.problems() == []
    page.click("button[value=formatting]")
    page.wait_for_selector("text=Bills of this run")
    assert questions == ["Post 6 bills of run 3? What is posted stays posted."]
    assert screen.problems() == []
    page.click("text=Bills of this run")
    page.wait_for_selector("text=ZX-00000012")


def test_the_page_of_the_api_shows_its_operations(screen: AScreen, address: str) -> None:
    screen.page.goto(f"{address}/api/v1/docs")
    screen.page.wait_for_selector(".opblock-post")
    assert screen.page.locator(".opblock").count() > 40


def test_the_arithmetic_of_an_item_opens_where_it_is_asked_for(screen: AScreen) -> None:
    page = screen.page
    screen.open("bills/of/ZX-00000006")
    assert not page.is_visible("#item-1 ul")
    page.click("[data-open=item-1]")
    assert page.is_visible("#item-1 ul")
    assert screen.problems() == []
