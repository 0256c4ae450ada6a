"""The commands: what they print, what they leave, how they exit."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from coax.base.tenancy import list_tenant_codes
from coax.interfaces.cli import configure

app = typer.Typer()
app.command()(configure.apply)
app.command()(configure.export)
app.command()(configure.schema)
runner = CliRunner()
_numbers = count(1)

ENTITIES = "organisational_units: [{code: a, name: %s}]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "configuration.yaml"


@pytest.fixture
def operator(database: str) -> str:
    return f"command-{database.replace('_', '-')}-{next(_numbers)}"


def run(*arguments: object, exit_code: int = 0) -> Any:
    result = runner.invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert result.exit_code == exit_code, result.output
    return result


def section(operator: str) -> str:
    return f"operator: {{code: {operator}, name: Test, currency: EUR}}\n"


def test_schema(tmp_path: Path) -> None:
    printed = json.loads(run("schema").stdout)
    assert "price_plans" in printed["properties"]
    run("schema", "--output", tmp_path / "schema.json")
    assert json.loads((tmp_path / "schema.json").read_text()) == printed


def test_wrong_files_are_told_without_a_database(file: Path) -> None:
    file.write_text("productss: []\nproducts: [{code: a}]\n")
    told = run("apply", file, exit_code=1).stderr
    assert f"{file}:1  productss" in told
    assert "did you mean products?" in told
    assert "3 problems, nothing was changed" in told
    data = json.loads(run("apply", file, "--json", exit_code=1).stdout)
    assert data["code"] == "configuration_refused"
    assert [problem["path"] for problem in data["problems"]] == [
        "productss",
        "products[0].name",
        "products[0].class",
    ]


def test_wrong_usage(file: Path, tmp_path: Path) -> None:
    run("apply", file, exit_code=2)
    run("apply", tmp_path, exit_code=2)
    run("apply", exit_code=2)


def test_apply_then_export(file: Path, operator: str, tmp_path: Path) -> None:
    file.write_text(section(operator) + ENTITIES % "One")
    assert "1 created, 0 changed, 0 unchanged" in run("apply", file).stdout
    file.write_text(section(operator) + ENTITIES % "Two")
    shown = run("apply", file, "--dry-run").stdout
    assert "name: One -> Two" in shown
    assert "Dry run, nothing was changed" in shown
    data = json.loads(run("apply", file, "--json").stdout)
    assert (data["operator"], data["dry_run"]) == (operator, False)
    (change,) = data["changed"]
    assert change["differences"] == [{"path": "name", "before": "One", "after": "Two"}]
    exported = tmp_path / "export.yaml"
    run("export", "--tenant", operator, "--output", exported)
    assert exported.read_text().startswith(f"operator:\n  code: {operator}\n")
    assert exported.read_text().endswith("organisational_units:\n- code: a\n  name: Two\n")
    assert "0 created, 0 changed, 1 unchanged" in run("apply", exported, "--tenant", operator).stdout
    as_json = json.loads(run("export", "--tenant", operator, "--json").stdout)
    assert as_json["organisational_units"] == [{"code": "a", "name": "Two"}]
    assert as_json["operator"]["code"] == operator


def test_a_new_operator_goes_with_a_dry_run_and_a_refusal(file: Path, operator: str) -> None:
    file.write_text(section(operator) + ENTITIES % "One")
    run("apply", file, "--dry-run")
    file.write_text(section(operator) + "subscription_types: [{code: a, name: A, schemes: [none]}]\n")
    assert "no billing term scheme has this code" in run("apply", file, exit_code=1).stderr
    assert operator not in list_tenant_codes()


def test_the_operator_must_be_clear(file: Path, operator: str) -> None:
    file.write_text(section(operator) + ENTITIES % "One")
    assert "not for 'another'" in run("apply", file, "--tenant", "another", exit_code=2).stderr
    assert "No operator has the code" in run("export", "--tenant", operator, exit_code=1).stderr
