"""`coax import` and `coax generate`: what they print, what they leave, how they exit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from coax.base.tenancy import Tenant
from coax.interfaces.cli import generate, imports
from tests.scenario.import_stories import HEADER, configure, count_rows, write_csv

app = typer.Typer()
app.add_typer(imports.app, name="import")
app.add_typer(generate.app, name="generate")
runner = CliRunner()


@pytest.fixture
def operator(empty_tenant: Tenant) -> Tenant:
    configure(empty_tenant)
    return empty_tenant


def run(*arguments: object, exit_code: int = 0) -> Any:
    result = runner.invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert result.exit_code == exit_code, result.output
    return result


def _good(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "good.csv", ["A1,Anna,S1,own-day,tv,2026-01-17"])


def _bad(tmp_path: Path) -> Path:
    lines = [f"A{n},Anna,S{n},own-day,{'tv' if n == 0 else 'radio'},2026-01-17" for n in range(26)]
    return write_csv(tmp_path / "bad.csv", lines)


def test_a_good_file_is_imported(operator, tmp_path):
    printed = run("import", "subscribers", _good(tmp_path), "--tenant", operator.code).stdout
    assert "Created 1 accounts, 1 contacts, 1 subscriptions and 1 services; 0 services were there already." in printed
    again = run("import", "subscribers", _good(tmp_path), "--tenant", operator.code).stdout
    assert "Created 0 accounts, 0 contacts, 0 subscriptions and 0 services; 1 services were there already." in again


def test_a_bad_file_is_refused_with_a_table_and_a_report(operator, tmp_path):
    report = tmp_path / "report.csv"
    arguments = ["import", "subscribers", _bad(tmp_path), "--tenant", operator.code, "--report", report]
    printed = run(*arguments, exit_code=1).stdout
    assert "Refused: 25 of 26 rows are bad, nothing was changed (--skip-bad leaves them out)." in printed
    assert "... and 5 more problems; --report FILE writes all of them" in printed
    assert printed.count("is not an active product") == 20
    written = pl.read_csv(report)
    assert written.columns == ["line", "field", "value", "reason", "allowed"]
    assert written["line"].to_list() == list(range(3, 28))
    assert count_rows(operator)["accounts"] == 0


def test_bad_rows_can_be_left_out(operator, tmp_path):
    result = run("import", "subscribers", _bad(tmp_path), "--tenant", operator.code, "--skip-bad", "--json")
    told = json.loads(result.stdout)
    assert (told["is_refused"], told["accounts"], told["bad_rows"], told["skipped_rows"]) == (False, 1, 25, 25)
    assert (told["problem_count"], len(told["problems"])) == (25, 20)
    assert told["problems"][0] == {
        "line": 3,
        "field": "product",
        "value": "radio",
        "reason": "is not an active product",
        "allowed": "film, internet, sports, tv",
    }
    assert count_rows(operator)["accounts"] == 1


def test_a_file_that_cannot_be_read_is_told(operator, tmp_path):
    path = write_csv(tmp_path / "f.csv", [], header=f"{HEADER},colour")
    told = run("import", "subscribers", path, "--tenant", operator.code, exit_code=1).stderr
    assert "f.csv: columns unknown: colour." in told
    data = json.loads(run("import", "subscribers", path, "--tenant", operator.code, "--json", exit_code=1).stdout)
    assert data["code"] == "columns_refused"


def test_subscribers_are_generated_and_imported(operator):
    arguments = ["generate", "subscribers", "--tenant", operator.code, "--count", 200, "--seed", 5, "--json"]
    first = json.loads(run(*arguments).stdout)
    assert (first["is_refused"], first["accounts"], first["contacts"], first["bad_rows"]) == (False, 200, 196, 0)
    again = json.loads(run(*arguments).stdout)
    assert (again["accounts"], again["services"], again["unchanged_services"]) == (0, 0, first["services"])


def test_a_generated_file_is_imported_like_any_other(operator, tmp_path):
    path = tmp_path / "f.parquet"
    printed = run("generate", "subscribers", "--tenant", operator.code, "-n", 50, "--to", path).stdout
    rows = pl.read_parquet(path).height
    assert f"Wrote 50 subscribers in {rows} rows" in printed
    assert count_rows(operator)["accounts"] == 0
    imported = json.loads(run("import", "subscribers", path, "--tenant", operator.code, "--json").stdout)
    assert (imported["accounts"], imported["services"]) == (50, rows)


def test_an_operator_without_schemes_has_nothing_to_sell(empty_tenant):
    told = run("generate", "subscribers", "--tenant", empty_tenant.code, "--count", 1, exit_code=1).stderr
    assert "no active scheme" in told
