"""Configuration at the console: the forms say what the files say, and refuse what the files refuse."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from coax.base.tenancy import Tenant, tenant_transaction
from coax.configuration.operations.parse_documents import read_documents
from coax.configuration.queries import find_versions
from coax.configuration.types.documents import ConfigurationRow, SourceDocument
from coax.configuration.types.registry import KINDS
from coax.party.types import StaffRole
from coax.process.operators import apply_files
from tests.builders.billed_operators import a_billed_operator
from tests.builders.consoles import AConsole, at_console

EXAMPLES = Path(__file__).parents[2] / "examples"
LATER = "2027-01-01"


@pytest.fixture
def billed(database: str, tmp_path: Path) -> Tenant:
    return a_billed_operator(tmp_path)


@pytest.fixture
def console(billed: Tenant) -> AConsole:
    return at_console(billed)


def _versions(tenant: Tenant, kind: str, code: str) -> list[ConfigurationRow]:
    with tenant_transaction(tenant.id):
        return [row for row in find_versions(kind) if row.code == code]


def _an_operator_of(example: str, tenant: Tenant) -> None:
    documents = [
        document for document in read_documents([EXAMPLES / example]) if not document.name.endswith("operator.yaml")
    ]
    apply_files(documents=documents, operator_code=tenant.code, as_of=date(2026, 6, 1), actor="test")


@pytest.mark.parametrize("example", ["company-zx", "big-operator"])
def test_a_form_sent_as_it_is_shown_changes_nothing(empty_tenant: Tenant, example: str) -> None:
    _an_operator_of(example, empty_tenant)
    console = at_console(empty_tenant)
    with tenant_transaction(empty_tenant.id):
        rows = find_versions()
    for row in rows:
        path = f"configuration/{row.kind}/of/{row.code}/"
        saved = console.post(path, console.get(path).form())
        assert (row.code, saved.status, saved.faults) == (row.code, 302, [])
        assert "Nothing was changed." in console.follow(saved).text
    with tenant_transaction(empty_tenant.id):
        assert find_versions() == rows


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_list_and_an_empty_form_that_says_what_is_missing(empty_tenant: Tenant, kind: str) -> None:
    console = at_console(empty_tenant)
    assert console.get(f"configuration/{kind}/").status == 200
    empty = console.get(f"configuration/{kind}/new")
    assert empty.status == 200
    refused = console.post(f"configuration/{kind}/new", empty.form(code="", name=""))
    assert refused.status == 422
    assert refused.faults.count("Is required") >= 2


def test_a_new_entity_is_made_and_listed(console: AConsole, billed: Tenant) -> None:
    form = console.get("configuration/product/new").form(
        code="movies", name="Movies", **{"class": "termed"}, tax_class="standard"
    )
    saved = console.follow(console.post("configuration/product/new", form))
    assert "Saved: version 1, in force from the beginning." in saved.text
    (row,) = _versions(billed, "product", "movies")
    assert (row.spec.name, row.spec.class_, row.spec.unit) == ("Movies", "termed", "item")
    listed = console.get("configuration/product/", q="movi").text
    assert "movies" in listed
    assert "Sports" not in listed


def test_a_code_that_is_taken_is_refused(console: AConsole) -> None:
    form = console.get("configuration/product/new").form(code="sports", name="Other", **{"class": "termed"})
    refused = console.post("configuration/product/new", form)
    assert (refused.status, refused.faults) == (422, ["There is a product of this code already."])


def test_nested_rows_are_read_and_their_faults_stand_at_their_fields(console: AConsole, billed: Tenant) -> None:
    form = console.get("configuration/price_plan/new").form(code="tiered", name="Tiered", currency="EUR")
    rows = {
        "rates.4.product": "points",
        "rates.4.model": "quantity_tiered",
        "rates.4.tier_basis": "graduated",
        "rates.4.per.count": "1",
        "rates.4.per.unit": "month",
        "rates.4.tiers.0.from": "1",
        "rates.4.tiers.0.to": "5",
        "rates.4.tiers.0.price": "3",
        "rates.4.tiers.2.from": "7",
        "rates.4.tiers.2.price": "2.50",
        "discounts.0.percent": "10",
        "discounts.0.product": "points",
        "discounts.0.conditions.min_quantity": "3",
        "discounts.0.conditions.frequencies.0": "quarterly",
    }
    refused = console.post("configuration/price_plan/new", {**form, **rows})
    assert refused.status == 422
    assert refused.faults == ["Gap: the tier before ends at 5 (to is not in it), so begin at 5"]
    assert 'name="rates.0.tiers.1.from" value="7"' in refused.text
    assert 'id="f-rates-0-tiers-1-from-fault1"' in refused.text
    saved = console.post("configuration/price_plan/new", refused.form(rates__0__tiers__1__from="5"))
    assert saved.status == 302
    spec = _versions(billed, "price_plan", "tiered")[0].spec
    assert [(tier.from_, tier.to, str(tier.price)) for tier in spec.rates[0].tiers] == [(1, 5, "3"), (5, None, "2.50")]
    assert spec.discounts[0].conditions.frequencies == ("quarterly",)


def test_a_reference_to_nothing_is_named_at_its_field(console: AConsole) -> None:
    form = console.get("configuration/product/new").form(
        code="odd", name="Odd", **{"class": "termed"}, tax_class="imagined"
    )
    refused = console.post("configuration/product/new", form)
    assert refused.status == 422
    assert refused.faults[0].startswith("No tax class has this code")
    assert "imagined (unknown)" in refused.text


def test_a_price_in_use_is_replaced_from_a_date(console: AConsole, billed: Tenant) -> None:
    path = "configuration/price_plan/of/main/"
    shown = console.get(path)
    assert "in use" in shown.text
    refused = console.post(path, shown.form(rates__0__price="13.00"))
    assert refused.status == 422
    assert "This version is in use and stays as it is" in refused.text
    assert "changed: rates[0].price" in refused.text
    assert _versions(billed, "price_plan", "main")[0].spec.rates[0].price == 12.5
    saved = console.post(path, refused.form(_replace="1", _replace_from=LATER))
    assert f"New version 2, in force from {LATER}." in console.follow(saved).text
    first, second = _versions(billed, "price_plan", "main")
    assert (str(first.spec.rates[0].price), str(second.spec.rates[0].price)) == ("12.50", "13.00")
    assert second.effective_date == date(2027, 1, 1)


def test_the_history_shows_who_when_and_what(console: AConsole) -> None:
    path = "configuration/price_plan/of/main/"
    form = console.get(path).form(rates__0__price="13.00", effective_date=LATER)
    console.follow(console.post(path, form))
    form = console.get(path, version="2").form(name="Prices of 2027")
    console.follow(console.post(f"{path}?version=2", form))
    text = console.get(f"{path}history").text
    assert "by administrator" in text
    assert '<th scope="row">rates[0].price</th>' in text
    assert "<del>12.50</del>" in text
    assert "<ins>Prices of 2027</ins>" in text
    audit = console.get("audit/", actor="administrator").text
    assert "Price plan: main, version 2" in audit
    assert "Prices of 2027" in audit


def test_a_version_that_somebody_changed_meanwhile_is_not_overwritten(console: AConsole, billed: Tenant) -> None:
    path = "configuration/receivable_definition/of/main/"
    mine, other = console.get(path), console.get(path)
    assert console.post(path, other.form(name="Other")).status == 302
    refused = console.post(path, mine.form(name="Mine"))
    assert refused.status == 422
    assert "Somebody changed this version while you had it open" in refused.text
    assert _versions(billed, "receivable_definition", "main")[-1].spec.name == "Other"


def test_rows_are_added_and_removed_without_scripts_too(console: AConsole) -> None:
    path = "configuration/price_plan/new"
    form = console.get(path).form(code="rows", name="Rows", currency="EUR")
    added = console.post(path, {**form, "_add": "rates"})
    assert 'name="rates.0.product"' in added.text
    nested = console.post(path, {**added.form(), "_add": "rates.0.tiers"})
    assert 'name="rates.0.tiers.0.price"' in nested.text
    removed = console.post(path, {**nested.form(), "_remove": "rates.0"})
    assert 'name="rates.0.product"' not in removed.text


def test_a_row_is_given_for_the_script(console: AConsole) -> None:
    row = console.get("configuration/price_plan/row", path="rates.7.tiers.2")
    assert (row.status, 'name="rates.7.tiers.2.price"' in row.text) == (200, True)
    assert console.get("configuration/price_plan/row", path="rates.7").text.strip().startswith("<div")
    for wrong in ("", "rates", "rates.x", "rates.0.price", "imagined.0", "code.0"):
        assert console.get("configuration/price_plan/row", path=wrong).status == 404


def test_a_copy_begins_with_the_values_of_another(console: AConsole) -> None:
    form = console.get("configuration/price_plan/new", **{"from": "gross"}).form()
    assert form["code"] == [""]
    assert form["rates.0.price"] == ["14.99"]
    assert form["tax_inclusive"] == ["on"]


def test_readers_see_the_form_and_cannot_save(billed: Tenant) -> None:
    auditor = at_console(billed, StaffRole.AUDITOR)
    shown = auditor.get("configuration/price_plan/of/main/")
    assert '<fieldset class="bare" disabled>' in shown.text
    assert auditor.post("configuration/price_plan/of/main/", shown.form(name="Mine")).status == 403


def test_the_yaml_of_an_operator_applied_again_changes_nothing(console: AConsole, billed: Tenant) -> None:
    exported = console.get("configuration/export.yaml")
    assert "attachment" in exported.headers["Content-Disposition"]
    document = SourceDocument("exported.yaml", exported.content.decode())
    _, result = apply_files(documents=[document], operator_code=None, as_of=None, actor="test")
    assert (result.created, result.changed) == ((), ())
    one = console.get("configuration/price_plan/of/main/yaml", download="")
    assert yaml.safe_load(one.content)["price_plans"][0]["code"] == "main"
    assert "price_plans:" in console.get("configuration/price_plan/of/main/yaml").text
