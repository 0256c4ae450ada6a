"""A person starts the demo on a machine without a database, starts it again, and interrupts it at every stage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coax.base.db import fetch_rows
from coax.base.tenancy import RUN_ALIAS
from coax.interfaces.cli.main import app
from coax.process.demo import DemoOrder, DemoResult, Progress, find_examples, run_demo

COMMAND = Path(sys.executable).with_name("coax")
ROOT = Path(__file__).parents[2]
CHILD_TIMEOUT_S = 250
PASSWORD = "a long one, for Anna"
PRICE_OF_DAYS_AND_MONTH = "23.04"


@pytest.fixture
def place() -> Iterator[Path]:
    """A new directory within reach of the server's user; the server in it is stopped at the end."""
    path = Path(tempfile.mkdtemp(prefix="coax-demo-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        coax(path, "db", "stop", "--data-dir", str(path / "data"))
        shutil.rmtree(path)


def coax(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COAX_")}
    return subprocess.run(
        [COMMAND, *words],
        env={**kept, "COAX_DATA_DIR": str(place / "data"), "COLUMNS": "200", "COAX_STAFF_PASSWORD": PASSWORD},
        cwd=place,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=False,
    )


def test_a_first_and_a_second_demo(place: Path) -> None:
    first = coax(place, "demo", "--subscribers", "60", "--out", "pdf")
    assert first.returncode == 0, first.stderr
    assert "The books hold: " in first.stdout
    pdfs = {path.name: path.read_bytes() for path in (place / "pdf").iterdir()}
    assert len(pdfs) == 3
    assert all(content.startswith(b"%PDF-") for content in pdfs.values())

    second = coax(place, "demo", "--out", "pdf", "--json")
    assert second.returncode == 0, second.stderr
    result = json.loads(second.stdout)
    assert {path.name: path.read_bytes() for path in (place / "pdf").iterdir()} == pdfs
    assert result["broken"] == []
    small, large = result["runs"]
    assert (small["is_new"], large["is_new"]) == (False, False)
    assert (small["due"], small["billed"], small["pending"], small["bills"]) == (7, 6, 1, 6)
    assert (large["due"], large["refused"]) == (large["billed"] + large["pending"], 0)
    for run in (small, large):
        runs = json.loads(coax(place, "runs", "-t", run["tenant"], "--json").stdout)
        assert [(row["run"], row["total"]) for row in runs if row["bill_as_of"] == "2026-08-01"] == [
            (run["run"], run["total"])
        ]

    _try_suggestions(place, first.stdout)
    bill = json.loads(coax(place, "bill", result["bills"][0]["bill"], "-t", "demo-zx", "--json").stdout)
    assert (bill["account"], bill["total"]) == ("ZX-D", PRICE_OF_DAYS_AND_MONTH)


def _try_suggestions(place: Path, printed: str) -> None:
    """Every command that the demo prints works as it is printed."""
    lines = printed.partition("Try next\n")[2].splitlines()
    shown = [line.strip().split("  ")[0].split() for line in lines]
    commands = [words[1:] for words in shown if words[0].endswith("coax")]
    assert len(commands) >= 11
    for words in commands:
        if words[0] != "serve":
            done = coax(place, *words)
            assert done.returncode == 0, (words, done.stderr)


def test_where_no_database_can_be(place: Path) -> None:
    taken = place / "taken"
    taken.mkdir()
    (taken / "letter.txt").write_text("mine")
    done = coax(place, "demo", "--data-dir", str(taken))
    assert done.returncode == 1
    assert "holds other files (letter.txt, ...) and is no data directory" in done.stderr
    assert [path.name for path in taken.iterdir()] == ["letter.txt"]


def test_a_directory_and_a_server_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COAX_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    done = CliRunner().invoke(app, ["demo", "--data-dir", str(tmp_path / "data")])
    assert done.exit_code == 2
    assert "COAX_DATABASE_URL names a server" in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_first_hour_of_the_readme(place: Path) -> None:
    """Every command of the first hour works as it is printed, and says what the text says."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## A first hour")[2]
    script, printed = section.split("```sh\n")[1].split("```")[0], section.split("```\n")[2].split("```")[0]
    (place / "examples").symlink_to(ROOT / "examples")
    (place / ".venv").symlink_to(Path(sys.executable).parents[1])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={"PATH": os.environ["PATH"], "HOME": str(place), "COAX_DATA_DIR": str(place / "data"), "COLUMNS": "200"},
        cwd=place,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert " ".join(printed.split()) in said
    assert "of account ZX-D on 2026-07-20. 23.04 settles bill ZX-00000004" in said
    assert "BROKEN" not in said
    assert len(list((place / "out/bills").glob("*.pdf"))) == 6


class Interruptions:
    """A screen on which the person presses Ctrl-C at the end of each stage that was not seen before."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @contextmanager
    def stage(self, title: str) -> Iterator[Progress]:
        yield lambda *_: None
        if title not in self.seen:
            self.seen.append(title)
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        assert text


def test_an_interrupted_demo_goes_on(database: str, tmp_path: Path) -> None:
    order = DemoOrder(examples=find_examples(), out=tmp_path / "out", subscribers=40, seed=2, actor="test")
    screen = Interruptions()
    result = _insist(order, screen)
    assert len(screen.seen) == 10
    assert [check for checks in result.checks.values() for check in checks if not check.is_kept] == []
    small, large = result.runs
    assert _count("billing_run", small.tenant.id) == 2
    assert _count("billing_run", large.tenant.id) == 1
    assert _count("party_account", small.tenant.id) == 8
    assert _count("billing_bill", small.tenant.id) == 7
    assert len(list(order.out.iterdir())) == 3


def _insist(order: DemoOrder, screen: Interruptions) -> DemoResult:
    while True:
        try:
            return run_demo(order=order, screen=screen)
        except KeyboardInterrupt:
            continue


def _count(table: str, tenant_id: int) -> Any:
    return fetch_rows(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [tenant_id], using=RUN_ALIAS)[0][0]
