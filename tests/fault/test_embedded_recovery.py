"""The embedded server started at once by many, killed at any moment, and its stale files."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from coax.base.embedded import Cluster, ensure_running
from tests.fault.embedded_servers import (
    a_place,
    a_process,
    a_stopped_cluster,
    a_stranger,
    call_at_once,
    connect,
    copy_cluster,
    kill_server,
    query,
)


@pytest.fixture
def place() -> Iterator[Path]:
    with a_place() as found:
        yield found


@pytest.fixture(scope="module")
def stopped() -> Iterator[Path]:
    with a_stopped_cluster() as found:
        yield found


@pytest.fixture
def cluster(stopped: Path, place: Path) -> Cluster:
    return copy_cluster(stopped, place / "data")


def test_processes_that_start_it_at_once_get_one_server(place: Path) -> None:
    def start() -> tuple[int, bool]:
        started = Cluster.at(place / "data").start()
        query(started.cluster, "SELECT 1", "run")
        return started.pid, started.is_ours

    answers = call_at_once([start] * 3)

    assert len({pid for pid, _ in answers}) == 1
    assert sorted(is_ours for _, is_ours in answers) == [False, False, True]


def test_a_killed_server_is_recovered(cluster: Cluster) -> None:
    cluster.start()
    with connect(cluster, "owner") as conn:
        conn.execute("CREATE TABLE kept (id int)")
        conn.execute("INSERT INTO kept VALUES (1)")
    with closing(connect(cluster, "owner", autocommit=False)) as open_one:
        open_one.execute("INSERT INTO kept VALUES (2)")
        kill_server(cluster)
        assert not cluster.status().is_running
        assert ensure_running(cluster.data_dir) == cluster
    assert query(cluster, "SELECT id FROM kept", "owner") == [(1,)]


def test_a_reused_process_number_and_a_backend_that_lives_on_are_recovered(cluster: Cluster) -> None:
    pid_file = cluster.data_dir / "cluster" / "postmaster.pid"
    socket_lock = cluster.data_dir / "run" / ".s.PGSQL.5432.lock"
    cluster.start()
    with closing(connect(cluster, "app")) as conn, a_stranger(cluster) as stranger:
        conn.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 5000000)")
        pid = kill_server(cluster)
        for file in (pid_file, socket_lock):
            file.write_text(file.read_text().replace(str(pid), str(stranger), 1))
        assert not cluster.status().is_running
        assert not cluster.stop()
        assert cluster.start().is_ours
        assert query(cluster, "SELECT 1", "app") == [(1,)]
        assert cluster.stop()


@pytest.mark.parametrize("content", ["", "nonsense\n", "4194305\n/elsewhere\n1\n5432\n/elsewhere\n"])
def test_a_damaged_pid_file_is_recovered(cluster: Cluster, content: str) -> None:
    pid_file = cluster.data_dir / "cluster" / "postmaster.pid"
    pid_file.write_text(content)
    assert cluster.start().is_ours


def test_a_first_start_that_was_killed_half_way_is_done_again(place: Path) -> None:
    cluster = Cluster.at(place / "data")
    (cluster.data_dir / "cluster.new" / "base").mkdir(parents=True)
    for name in ("lock", "password.new", "secrets.json.new"):
        (cluster.data_dir / name).touch()
    assert cluster.start().is_ours
    assert not list(cluster.data_dir.glob("*.new"))


def test_a_start_that_was_killed_before_the_roles_were_made_is_finished(cluster: Cluster) -> None:
    pid = cluster.start().pid
    with connect(cluster, "superuser") as conn:
        conn.execute("ALTER ROLE coax_app NOLOGIN")
    (cluster.data_dir / "server.json").unlink()
    again = cluster.start()
    assert (again.pid, again.is_ours) == (pid, False)
    assert query(cluster, "SELECT 1", "app") == [(1,)]


def test_a_block_ended_by_sigterm_stops_its_server(cluster: Cluster) -> None:
    code = (
        "import sys, time, pathlib; from coax.base.embedded import running\n"
        "with running(pathlib.Path(sys.argv[1])): print('up', flush=True); time.sleep(600)"
    )
    with a_process(code, cluster.data_dir) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert cluster.status().is_running
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert not cluster.status().is_running
