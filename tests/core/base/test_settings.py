"""What the environment may say, and what is said of what it may not."""

from __future__ import annotations

import pytest

from coax.base.db import connection_parameters
from coax.base.settings import EnvironmentInvalid, read_environment


@pytest.mark.parametrize("text", ["many", "0", "-1", "1.5", "\u0663"])
def test_a_number_of_workers_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("COAX_WORKERS", text)
    with pytest.raises(EnvironmentInvalid, match=r"COAX_WORKERS: .* a whole number from 1 on"):
        read_environment()


def test_a_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COAX_WORKERS", "3")
    assert read_environment().workers == 3


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("postgresql://u:p@db.example/coax", "5432"),
        ("postgresql://u:p@db.example:6000/coax", "6000"),
        ("postgresql://u:p@[::1]:6000/coax", "6000"),
        ("postgresql://u:p@[::1]/coax", "5432"),
        ("postgresql://u@/coax?host=/run/postgresql&port=6001", "6001"),
    ],
)
def test_the_port_of_a_server(monkeypatch: pytest.MonkeyPatch, url: str, port: str) -> None:
    monkeypatch.setenv("COAX_DATABASE_URL", url)
    assert connection_parameters("app")["port"] == port


def test_a_port_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COAX_DATABASE_URL", "postgresql://u:p@db.example:first/coax")
    with pytest.raises(EnvironmentInvalid, match="COAX_DATABASE_URL: the port 'first' is no number"):
        connection_parameters("app")
