"""Applying files: all or nothing, twice the same as once, what is used stays."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from coax.base.db import execute, fetch_rows
from coax.base.tenancy import Tenant, create_tenant, set_tenant, tenant_transaction
from coax.configuration.operations.apply_configuration import apply_configuration
from coax.configuration.operations.mark_used import mark_used
from coax.configuration.operations.parse_documents import read_documents
from coax.configuration.queries import (
    EntityNotFound,
    export_configuration,
    find_active,
    find_versions,
    find_versions_by_id,
    get_entity,
)
from coax.configuration.rules.export import write_yaml
from coax.configuration.types.documents import (
    ApplyResult,
    ChangeAction,
    ConfigurationRefused,
    SourceDocument,
    VersionInUse,
)
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.price_plan import PricePlan

COMPANY_ZX = Path(__file__).parents[3] / "examples" / "company-zx"
TODAY = date(2026, 6, 1)
USED_AT = datetime(2026, 6, 20, 8, tzinfo=UTC)
UNIT = "organisational_units: [{code: %s, name: %s}]"


def apply(*texts: str, as_of: date = TODAY, dry_run: bool = False) -> ApplyResult:
    documents = [SourceDocument(f"{i}.yaml", text) for i, text in enumerate(texts)]
    return apply_configuration(documents=documents, as_of=as_of, actor="clerk", dry_run=dry_run)


def apply_company_zx(**options: Any) -> ApplyResult:
    return apply_configuration(documents=read_documents([COMPANY_ZX]), as_of=TODAY, actor="clerk", **options)


def stored() -> list[tuple[Any, ...]]:
    return fetch_rows(
        "SELECT kind, code, number, name, effective_date, state, body, used_at, created_by"
        "  FROM configuration_entity JOIN configuration_version ON entity_id = configuration_entity.id"
        " ORDER BY kind, code, number"
    )


def test_company_zx_is_applied_once(tenant: Tenant) -> None:
    first = apply_company_zx()
    before = stored()
    second = apply_company_zx()
    assert (len(first.created), first.changed, first.unchanged) == (len(before), (), ())
    assert (second.created, second.changed, len(second.unchanged)) == ((), (), len(before))
    assert stored() == before
    assert first.operator is not None
    assert first.operator.code == "company-zx"


def test_export_changes_nothing(tenant: Tenant) -> None:
    apply_company_zx()
    exported = export_configuration()
    again = apply(write_yaml(exported))
    assert (again.created, again.changed) == ((), ())
    assert export_configuration() == exported


def test_export_of_several_versions_changes_nothing(tenant: Tenant) -> None:
    apply(UNIT % ("a", "One"))
    mark_used([get_entity("organisational_unit", "a").version_id], USED_AT)
    apply(UNIT % ("a", "Two"))
    exported = export_configuration()
    assert [(row["name"], row["effective_date"]) for row in exported["organisational_units"]] == [
        ("One", "1970-01-01"),
        ("Two", "2026-06-01"),
    ]
    again = apply(write_yaml(exported))
    assert (again.created, again.changed, len(again.unchanged)) == ((), (), 2)


def test_a_dry_run_tells_and_changes_nothing(tenant: Tenant) -> None:
    done = apply_company_zx(dry_run=True)
    assert done.dry_run
    assert len(done.created) == 34
    assert stored() == []


def test_one_problem_stops_everything(tenant: Tenant) -> None:
    good, bad = UNIT % ("a", "One"), "products: [{code: p, name: P, class: termed, tax_class: none}]"
    with pytest.raises(ConfigurationRefused) as caught:
        apply(good, bad)
    assert [(p.file, p.path) for p in caught.value.problems] == [("1.yaml", "products[0].tax_class")]
    assert stored() == []


def test_references_to_stored_entities_hold(tenant: Tenant) -> None:
    apply("tax_classes: [{code: vat, name: VAT, rates: [{from: 2020-01-01, percent: 19}]}]")
    done = apply("products: [{code: p, name: P, class: termed, tax_class: vat}]")
    assert [change.code for change in done.created] == ["p"]


def test_a_change_is_checked_against_what_is_stored(tenant: Tenant) -> None:
    apply_company_zx()
    before = stored()
    with pytest.raises(ConfigurationRefused) as caught:
        apply("products: [{code: rounding, name: Rounding, class: expense, tax_class: standard}]")
    (problem,) = caught.value.problems
    assert (problem.file, problem.path) == (
        "(stored)",
        "normal_billing_run_definitions.main.assembling.rounding_product",
    )
    assert stored() == before


def test_unused_version_is_updated_in_place(tenant: Tenant) -> None:
    apply(UNIT % ("a", "One"))
    before = get_entity("organisational_unit", "a")
    (change,) = apply(UNIT % ("a", "Two")).changed
    assert change.action is ChangeAction.UPDATED
    assert [(d.path, d.before, d.after) for d in change.differences] == [("name", "One", "Two")]
    after = get_entity("organisational_unit", "a")
    assert (after.version_id, after.spec.name) == (before.version_id, "Two")
    assert fetch_rows("SELECT name FROM configuration_version") == [("Two",)]


def test_used_version_of_another_kind_gets_a_successor(tenant: Tenant) -> None:
    apply(UNIT % ("a", "One"))
    first = get_entity("organisational_unit", "a")
    mark_used([first.version_id], USED_AT)
    apply(UNIT % ("a", "Two"), as_of=date(2026, 7, 1))
    rows = find_versions("organisational_unit")
    assert [(row.number, row.effective_date, row.expiration_date, row.spec.name) for row in rows] == [
        (1, BEGINNING, date(2026, 7, 1), "One"),
        (2, date(2026, 7, 1), None, "Two"),
    ]
    assert rows[0].version_id == first.version_id
    assert get_entity("organisational_unit", "a", date(2026, 6, 30)).number == 1
    assert get_entity("organisational_unit", "a", date(2026, 7, 1)).number == 2


PLAN = """
tax_classes: [{code: vat, name: VAT, rates: [{from: 2020-01-01, percent: 19}]}]
products: [{code: tv, name: TV, class: termed, tax_class: vat}]
price_plans:
  - {code: main, name: Main, currency: EUR, rates: [{product: tv, price: %s}]%s}
"""


def test_used_price_plan_is_refused_and_then_replaced(tenant: Tenant) -> None:
    apply(PLAN % ("12.50", ""))
    mark_used([get_entity("price_plan", "main").version_id], USED_AT)
    before = stored()
    with pytest.raises(VersionInUse) as caught:
        apply(PLAN % ("13.50", ""))
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (5, "price_plans[0]")
    assert "rates[0].price" in problem.message
    assert stored() == before

    apply(PLAN % ("13.50", ", effective_date: 2026-08-01"))
    rows = find_versions("price_plan")
    prices = [(row.spec.rates[0].price, row.effective_date, row.expiration_date) for row in rows]
    assert [(str(price), start, end) for price, start, end in prices] == [
        ("12.50", BEGINNING, date(2026, 8, 1)),
        ("13.50", date(2026, 8, 1), None),
    ]


def test_marking_twice_keeps_the_first_instant(tenant: Tenant) -> None:
    apply(UNIT % ("a", "One"))
    row = get_entity("organisational_unit", "a")
    assert not row.is_used
    assert mark_used([row.version_id, row.version_id], USED_AT) == 1
    assert mark_used([row.version_id], datetime(2027, 1, 1, tzinfo=UTC)) == 0
    assert fetch_rows("SELECT used_at FROM configuration_version") == [(USED_AT,)]
    assert get_entity("organisational_unit", "a").is_used


def test_rows_are_parsed_specs(tenant: Tenant) -> None:
    apply(PLAN % ("0.000001", ""))
    row = get_entity("price_plan", "main")
    assert isinstance(row.spec, PricePlan)
    assert str(row.spec.rates[0].price) == "0.000001"
    assert find_versions_by_id([row.version_id]) == [row]
    assert find_versions(as_of=date(1969, 12, 31)) == []
    with pytest.raises(EntityNotFound, match="There is no price plan 'other'"):
        get_entity("price_plan", "other")


def test_the_active_definition(tenant: Tenant) -> None:
    assert find_active("normal_billing_run_definition", TODAY) is None
    apply_company_zx()
    found = find_active("normal_billing_run_definition", TODAY)
    assert found is not None
    assert found.code == "main"


def test_operators_do_not_see_each_other(empty_tenant: Tenant) -> None:
    other = create_tenant(code=f"{empty_tenant.code}-b", name="B", currency="EUR", time_zone="UTC", locale="en")
    with tenant_transaction(empty_tenant.id):
        apply(UNIT % ("a", "One"))
        set_tenant(other.id)
        assert find_versions() == []
        assert apply(UNIT % ("a", "Mine")).created[0].code == "a"
        assert [row.spec.name for row in find_versions()] == ["Mine"]
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "change",
    ["number = 0", "state = 'gone'", "tenant_id = tenant_id + 1"],
)
def test_the_table_refuses_what_is_wrong(tenant: Tenant, change: str) -> None:
    apply(UNIT % ("a", "One"))
    with pytest.raises(Exception, match="violates"), transaction.atomic():
        execute(f"UPDATE configuration_version SET {change}")


def test_a_code_is_unique(tenant: Tenant) -> None:
    apply(UNIT % ("a", "One"))
    with pytest.raises(IntegrityError, match="configuration_entity_code_is_unique"), transaction.atomic():
        execute(
            "INSERT INTO configuration_entity (tenant_id, kind, code)"
            " SELECT tenant_id, kind, code FROM configuration_entity"
        )
