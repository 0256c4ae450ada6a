"""Accounts and bills at the console: what a clerk looks up, previews and bills."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import pypdf
import pytest

from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.runs import list_runs
from coax.party.types import StaffRole
from coax.process.bills.compose import compose_document
from coax.process.bills.documents import get_facts
from coax.process.bills.publish import to_json
from tests.builders.billed_operators import a_billed_operator, read, write
from tests.builders.consoles import AConsole, at_console


@pytest.fixture(scope="module")
def billed(database: str, tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    tenant = a_billed_operator(Path(tmp_path_factory.mktemp("console")))
    write(
        tenant,
        """UPDATE party_contact SET email = 'Ada@Example.org', phone = '+49 40 123456', city = 'Kiel'
           WHERE tenant_id = %s AND name = 'Ada'""",
        [tenant.id],
    )
    return tenant


@pytest.fixture
def clerk(billed: Tenant) -> AConsole:
    return at_console(billed, StaffRole.CLERK)


def _count(tenant: Tenant, table: str) -> int:
    return int(read(tenant, f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [tenant.id])[0][0])


@pytest.mark.parametrize("text", ["ad", "AD", "ada@ex", "+49 40 12", "4940123"])
def test_an_account_is_found_by_what_its_owner_says(clerk: AConsole, text: str) -> None:
    found = clerk.get("accounts/", q=text)
    assert found.status == 200
    assert 'href="/console/accounts/of/ada"' in found.text
    assert 'href="/console/accounts/of/ben"' not in found.text


def test_a_whole_code_or_bill_number_leads_there_at_once(clerk: AConsole) -> None:
    assert clerk.get("accounts/", q="ADA").location == "/console/accounts/of/ada"
    assert clerk.get("accounts/", q="ZX-00000006").location == "/console/bills/of/ZX-00000006"
    assert clerk.get("accounts/", q="6").location == "/console/bills/of/ZX-00000006"
    assert "begins with “zzz”" in clerk.get("accounts/", q="zzz").text


def test_an_account_shows_what_it_has_and_owes(clerk: AConsole) -> None:
    text = clerk.get("accounts/of/ada").text
    for part in ("Ada@Example.org", "Kiel", "S-1", "S-2", "Sports", "2026-08-01", "2026-09-30", "Not exceeded"):
        assert part in text, part
    assert text.count('<tr><th scope="row"><a href="/console/bills/of/') == 2
    assert "Invoice" in text


def test_debits_credits_and_balances_are_signed_as_an_accountant_reads_them(clerk: AConsole, billed: Tenant) -> None:
    balance = read(
        billed,
        """SELECT b.balance_minor FROM ledger_account_balance b JOIN party_account a USING (bucket, account_id)
           WHERE a.tenant_id = %s AND a.code = 'ben'""",
        [billed.id],
    )[0][0]
    text = clerk.get("accounts/of/ben").text
    assert f'<dd class="figure big">{balance / 100:,.2f} <small>EUR</small></dd>' in text


def test_the_journal_shows_every_leg_and_balances(clerk: AConsole, billed: Tenant) -> None:
    legs = read(
        billed,
        """SELECT e.amount_minor FROM ledger_entry e JOIN party_account a USING (bucket, account_id)
           WHERE a.tenant_id = %s AND a.code = 'ada'""",
        [billed.id],
    )
    text = clerk.get("accounts/journal/ada").text
    assert text.count("<td>Invoice</td>") == len(legs)
    assert "1100 Accounts receivable" in text
    debits = sum(amount for (amount,) in legs if amount > 0)
    assert text.split("Sums</th>")[1].count(f">{debits / 100:,.2f}</td>") == 2


def test_a_preview_shows_the_next_bill_and_keeps_nothing(clerk: AConsole, billed: Tenant) -> None:
    tables = ("billing_run", "billing_bill", "rating_rated_item", "ledger_transaction")
    before = [_count(billed, table) for table in tables]
    shown = clerk.get("accounts/preview/ada", bill_as_of="2026-10-01")
    assert shown.status == 200
    assert "Subscription S-1" in shown.text
    assert "2026-10-01 to 2026-10-31" in shown.text
    assert [_count(billed, table) for table in tables] == before
    assert "Bill account" not in shown.text
    wrong = clerk.get("accounts/preview/ada", bill_as_of="soon")
    assert "A date is wanted" in wrong.text


def test_an_account_is_billed_as_the_preview_said(billed: Tenant) -> None:
    supervisor = at_console(billed, StaffRole.SUPERVISOR)
    preview = supervisor.get("accounts/preview/eve", bill_as_of="2026-10-01").text
    answer = supervisor.post("accounts/bill/eve", {"bill_as_of": "2026-10-01"})
    assert answer.location == "/console/accounts/of/eve#bills"
    after = supervisor.get("accounts/of/eve").text
    assert "eve is billed." in after
    (total,) = {line for line in ("14.28", "42.84") if f'">{line}</td>' in preview and f'">{line}</td>' in after}
    assert total == "14.28"
    with tenant_transaction(billed.id):
        run = list_runs(tenant_id=billed.id)[0]
    assert (run.kind, run.created_by, run.bill_as_of) == ("individual", "supervisor", date(2026, 10, 1))
    assert (
        "Nothing of eve is due."
        in supervisor.follow(supervisor.post("accounts/bill/eve", {"bill_as_of": "2026-10-01"})).text
    )
    assert "a date is wanted" in supervisor.follow(supervisor.post("accounts/bill/eve", {"bill_as_of": "x"})).text


def test_a_bill_is_a_page_a_pdf_and_json(clerk: AConsole, billed: Tenant) -> None:
    page = clerk.get("bills/of/ZX-00000006")
    assert page.status == 200
    assert "Bill ZX-00000006" in page.text
    assert "How each item was worked out" in page.text
    assert "price: 12.50" in page.text
    pdf = clerk.get("bills/pdf/ZX-00000006")
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert "ZX-00000006" in pypdf.PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    data = clerk.get("bills/json/ZX-00000006")
    with tenant_transaction(billed.id):
        assert data.content == to_json(compose_document(get_facts(tenant_id=billed.id, number="6")))
    assert json.loads(data.content)["number"] == "ZX-00000006"


def test_a_number_that_is_no_bill_is_answered_in_words(clerk: AConsole) -> None:
    assert clerk.get("bills/of/ZX-00009999").status == 404
    assert "There is no bill 9999" in clerk.get("bills/of/9999").text
    assert clerk.get("bills/of/nonsense").status in {404, 409, 422}


def test_bills_are_listed_the_latest_first_and_filtered(clerk: AConsole) -> None:
    listed = clerk.get("bills/").text
    assert listed.index("ZX-00000007") < listed.index("ZX-00000006")
    of_run = clerk.get("bills/", run="1").text
    assert "ZX-00000005" in of_run
    assert "ZX-00000006" not in of_run
    of_account = clerk.get("bills/", account="ada").text
    assert of_account.count("/console/bills/pdf/") == 2
    assert clerk.get("bills/", run="99").status == 404
    assert clerk.get("bills/", account="zoe").status == 404
    assert "No bill fits" in clerk.get("bills/", **{"class": "exceptional"}).text


def test_the_overview_shows_the_last_run_and_the_months(clerk: AConsole) -> None:
    text = clerk.get("").text
    assert 'href="/console/runs/2/"' in text
    assert '<th scope="row">2026-08</th>' in text
    assert '<th scope="row">2026-07</th>' in text
    assert "No run is open." in text
