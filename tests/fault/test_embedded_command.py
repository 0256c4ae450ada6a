"""`coax db`: what it prints, its exit codes, and its end by a signal."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from coax.base.embedded import Cluster
from tests.fault.embedded_servers import (
    COMMAND,
    a_place,
    a_process,
    a_stopped_cluster,
    copy_cluster,
    query,
    run_db,
)


@pytest.fixture(scope="module")
def stopped() -> Iterator[Path]:
    with a_stopped_cluster() as found:
        yield found


@pytest.fixture
def cluster(stopped: Path) -> Iterator[Cluster]:
    with a_place() as place:
        yield copy_cluster(stopped, place / "data")


def test_the_server_outlives_the_command_that_started_it(cluster: Cluster) -> None:
    where = ("--data-dir", cluster.data_dir)
    before = run_db("status", *where, "--json")
    started = run_db("start", *where, "--json")
    status = run_db("status", *where, "--json")
    url = run_db("url", *where, "--role", "run")
    with psycopg.connect(url.stdout.strip()) as conn:
        assert conn.info.user == "coax_run"
    stopped = [run_db("stop", *where, "--json") for _ in range(2)]

    assert (before.returncode, json.loads(before.stdout)["running"]) == (1, False)
    assert (started.returncode, json.loads(started.stdout)["running"]) == (0, True)
    assert (status.returncode, json.loads(status.stdout)) == (0, json.loads(started.stdout))
    assert json.loads(status.stdout)["data_dir"] == str(cluster.data_dir)
    assert [(run.returncode, json.loads(run.stdout)["stopped"]) for run in stopped] == [(0, True), (0, False)]


def test_a_problem_is_told_in_one_line_or_as_data(cluster: Cluster) -> None:
    (cluster.data_dir / "cluster" / "PG_VERSION").write_text("17\n")
    text = run_db("start", "--data-dir", cluster.data_dir)
    data = run_db("start", "--data-dir", cluster.data_dir, "--json")
    assert (text.returncode, data.returncode) == (1, 1)
    assert "was made by PostgreSQL 17" in text.stderr
    assert "Traceback" not in text.stderr
    assert json.loads(data.stderr)["code"] == "cluster_version_mismatch"


def test_wrong_usage_exits_with_2() -> None:
    assert run_db("url", "--role", "nobody").returncode == 2
    assert run_db("begin").returncode == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_in_the_foreground_a_signal_stops_the_server_cleanly(cluster: Cluster, number: signal.Signals) -> None:
    with a_process(COMMAND, "start", "--foreground", "--data-dir", str(cluster.data_dir), "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["running"]
        assert query(cluster, "SELECT 1", "app") == [(1,)]
        process.send_signal(number)
        assert process.wait(60) == 0
    assert not cluster.status().is_running
    assert "database system is shut down" in (cluster.data_dir / "postgres.log").read_text()
    assert not (cluster.data_dir / "cluster" / "postmaster.pid").exists()


def test_a_signal_during_the_start_leaves_no_server() -> None:
    with (
        a_place() as place,
        a_process(COMMAND, "start", "--foreground", "--data-dir", str(place / "data")) as process,
    ):
        while not (place / "data" / "postgres.log").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        cluster = Cluster.at(place / "data")
        assert not cluster.status().is_running
        assert cluster.start().is_ours


def test_a_killed_foreground_command_is_taken_over_by_the_next(cluster: Cluster) -> None:
    arguments = ("start", "--foreground", "--data-dir", str(cluster.data_dir), "--json")
    with a_process(COMMAND, *arguments) as first:
        assert first.stdout is not None
        pid = json.loads(first.stdout.readline())["pid"]
        first.kill()
        first.wait(60)
    assert cluster.status().is_running
    with a_process(COMMAND, *arguments) as second:
        assert second.stdout is not None
        assert json.loads(second.stdout.readline())["pid"] == pid
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
    assert not cluster.status().is_running


@pytest.mark.parametrize(("is_killed", "exit_code"), [(False, 0), (True, 1)])
def test_in_the_foreground_the_end_of_the_server_is_noticed(
    cluster: Cluster, *, is_killed: bool, exit_code: int
) -> None:
    with a_process(COMMAND, "start", "--foreground", "--data-dir", str(cluster.data_dir), "--json") as process:
        assert process.stdout is not None
        pid = json.loads(process.stdout.readline())["pid"]
        if is_killed:
            os.kill(pid, signal.SIGKILL)
        else:
            assert cluster.stop()
        assert process.wait(60) == exit_code
