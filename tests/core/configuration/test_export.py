"""What is written out reads back as the same; the schema describes what is read."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from coax.configuration.operations.parse_documents import FileUnreadable, parse_documents, read_documents
from coax.configuration.rules.changes import plan_changes
from coax.configuration.rules.check import check_outcome
from coax.configuration.rules.export import build_document, write_yaml
from coax.configuration.rules.outcome import Outcome
from coax.configuration.rules.parse import parse_sources
from coax.configuration.rules.schema import configuration_schema, entity_schema
from coax.configuration.types.documents import ConfigurationRow, ParsedConfiguration, SourceDocument
from coax.configuration.types.registry import KINDS, SECTIONS

COMPANY_ZX = Path(__file__).parents[3] / "examples" / "company-zx"


def rows_of(parsed: ParsedConfiguration) -> list[ConfigurationRow]:
    return [
        ConfigurationRow(i, i, e.kind, e.spec.code, 1, e.spec.in_force_from, None, False, e.spec)
        for i, e in enumerate(parsed.entities)
    ]


def test_company_zx_is_right() -> None:
    parsed = parse_documents([COMPANY_ZX])
    today = date(2026, 6, 1)
    planned, problems = plan_changes(parsed.entities, {}, as_of=today)
    assert problems == []
    assert check_outcome(Outcome(planned, {}, as_of=today), currency="EUR") == []
    assert {entity.kind for entity in parsed.entities} == set(KINDS) - {
        "account_classification",
        "product_bundle",
        "provisioning_distributor",
    }


def test_company_zx_says_what_the_source_says() -> None:
    specs: dict[tuple[str, str], Any] = {e.key: e.spec for e in parse_documents([COMPANY_ZX]).entities}
    definition = specs["normal_billing_run_definition", "main"]
    assert (definition.recurrence.count, definition.recurrence.unit) == (1, "month")
    assert definition.rating.period_to_bill_in_advance.rule == "billing_frequency_period"
    assert definition.rating.period_cycle_adjustment == "next"
    assert (definition.rating.bill_as_of.rule, definition.rating.bill_as_of.count) == (
        "x_uot_after_previous_run",
        1,
    )
    assert definition.invoicing.transaction_date_offset.count == 1
    assert definition.invoicing.minimum_debit == 5
    assert definition.assembling.maximum_credit == 100
    assert (definition.assembling.rounding_method, definition.assembling.decimal_scale) == ("round_up", 2)
    assert definition.formatting.rating_formatting == "group_per_service"
    assert specs["receivable_definition", "main"].due_date.day == 10
    assert specs["tax_class", "standard"].find_percent(date(2026, 7, 1)) == 19
    scheme = specs["billing_term_scheme", "normal-bt"]
    assert (scheme.billing_method, scheme.allowed_cycle_days) == ("period", (1,))
    assert scheme.discount_options == "flexible_pricing"


def test_export_reads_back_as_the_same() -> None:
    parsed = parse_documents([COMPANY_ZX])
    text = write_yaml(build_document(rows_of(parsed), parsed.operator))
    again = parse_sources([SourceDocument("export.yaml", text)])
    assert again.problems == ()
    assert again.operator == parsed.operator
    assert {e.key: e.spec for e in again.entities} == {e.key: e.spec for e in parsed.entities}
    assert write_yaml(build_document(rows_of(again), again.operator)) == text


def test_export_is_short_and_ordered() -> None:
    parsed = parse_documents([COMPANY_ZX])
    document = build_document(reversed(rows_of(parsed)))
    assert list(document) == [section for section in SECTIONS if section in document]
    assert [product["code"] for product in document["products"]] == sorted(
        product["code"] for product in document["products"]
    )
    assert document["price_plans"][-1] == {
        "code": "main",
        "name": "Main Price Plan",
        "currency": "EUR",
        "rates": [
            {"product": "eurosports-1", "frequency": "monthly", "price": "12.50"},
            {"product": "eurosports-1", "frequency": "biannual", "price": "69.00"},
        ],
    }


def test_a_directory_is_read_in_order() -> None:
    names = [Path(document.name).name for document in read_documents([COMPANY_ZX])]
    assert names == sorted(names)
    assert "price-plans.yaml" in names


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="No such file"):
        read_documents([tmp_path / "none.yaml"])
    with pytest.raises(FileUnreadable, match="There are no"):
        read_documents([tmp_path])
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileUnreadable, match="not UTF-8"):
        read_documents([tmp_path])


def test_schema_names_every_section() -> None:
    schema = configuration_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(schema["properties"]) == ["operator", *SECTIONS]
    assert schema["additionalProperties"] is False
    rate = schema["$defs"]["Rate"]["properties"]
    assert rate["product"]["description"] == "Product that the rate prices."
    assert "from" in schema["$defs"]["Tier"]["properties"]
    assert schema["$defs"]["TaxClass"]["properties"]["rates"]["minItems"] == 1


def test_schema_references_are_all_defined() -> None:
    schema = configuration_schema()
    named = set(re.findall(r"#/\$defs/(\w+)", str(schema)))
    assert named <= set(schema["$defs"])


@pytest.mark.parametrize("kind", KINDS)
def test_schema_of_one_kind(kind: str) -> None:
    assert {"code", "name", "state"} <= set(entity_schema(kind)["properties"])
