"""The embedded server: its life, what it refuses, and a path too long for a socket."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from coax.base.embedded import (
    BinariesMissing,
    Cluster,
    ClusterVersionMismatch,
    DataDirectoryMismatch,
    DataDirectoryNameUnusable,
    DataDirectoryNotEmpty,
    EmbeddedServerFailed,
    PasswordsMissing,
    ProvisioningFailed,
    ServerNotRunning,
    ServiceUserUnusable,
    choose_data_dir,
    running,
)
from coax.base.embedded.account import choose_account
from coax.base.embedded.postmaster import read_command
from tests.fault.embedded_servers import (
    IS_ROOT,
    a_place,
    a_stopped_cluster,
    connect,
    copy_cluster,
    list_modes,
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


@pytest.fixture(scope="module")
def shared(stopped: Path) -> Iterator[Cluster]:
    """A running server that tests leave as they find it."""
    with a_place() as found, running(copy_cluster(stopped, found / "data").data_dir) as cluster:
        yield cluster


def test_a_first_start_makes_everything_and_a_stop_ends_it(place: Path) -> None:
    cluster = Cluster.at(place / "new" / "data")
    assert (cluster.status().is_running, cluster.status().version) == (False, None)
    assert not cluster.stop()
    assert list(place.iterdir()) == []

    started = cluster.start()
    again = cluster.start()
    status = cluster.status()

    assert (started.is_ours, again.is_ours) == (True, False)
    assert status.is_running
    assert status.pid == started.pid == again.pid
    assert (status.version, status.port, status.host) == ("18", 5432, str(cluster.data_dir / "run"))
    assert status.size_bytes > 1_000_000
    assert query(cluster, "SELECT current_user", "app") == [("coax_app",)]

    assert cluster.stop()
    assert not cluster.stop()
    assert not read_command(started.pid)
    assert not cluster.status().is_running


def test_given_settings_override_ours(cluster: Cluster) -> None:
    cluster.start(settings={"work_mem": "7MB", "max_connections": "42"})
    shown = "SELECT current_setting('work_mem'), current_setting('max_connections'), current_setting('jit')"
    assert query(cluster, shown) == [("7MB", "42", "off")]


def test_a_large_log_is_put_aside_at_the_start(cluster: Cluster) -> None:
    log = cluster.data_dir / "postgres.log"
    os.truncate(log, 21 * 1024**2)
    cluster.start()
    assert log.stat().st_size < 1_000_000
    assert log.with_name("postgres.log.1").stat().st_size == 21 * 1024**2


def test_a_block_stops_only_what_it_started(cluster: Cluster) -> None:
    with running(cluster.data_dir):
        with running(cluster.data_dir):
            pass
        assert cluster.status().is_running
    assert not cluster.status().is_running


def test_the_directory_is_the_argument_or_the_variable_or_the_users_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COAX_DATA_DIR", "/srv/named")
    assert choose_data_dir(Path("/srv/given")) == Path("/srv/given")
    assert choose_data_dir() == Path("/srv/named")
    monkeypatch.delenv("COAX_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/home/share")
    assert choose_data_dir() == Path("/var/lib/coax" if IS_ROOT else "/srv/home/share/coax")


def test_a_long_path_is_served_by_a_port_that_is_kept_where_it_is_free(stopped: Path, place: Path) -> None:
    cluster = copy_cluster(stopped, place / ("long" * 25))
    with pytest.raises(ServerNotRunning):
        cluster.url("app")

    first = cluster.start()
    assert (first.host, cluster.dsn("app")["port"]) == ("127.0.0.1", str(first.port))
    assert query(cluster, "SHOW listen_addresses", "app") == [("127.0.0.1",)]
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(cluster, "superuser", password="wrong")
    cluster.stop()
    assert cluster.start().port == first.port

    other = copy_cluster(stopped, place / ("LONG" * 25))
    shutil.copy(cluster.data_dir / "server.json", other.data_dir / "server.json")
    assert other.start().port != first.port


def test_a_failed_start_shows_the_log_and_leaves_no_server(cluster: Cluster) -> None:
    with pytest.raises(EmbeddedServerFailed, match=r"shared_buffers"):
        cluster.start(settings={"shared_buffers": "plenty"})
    assert not cluster.status().is_running
    assert cluster.start().is_ours


def test_a_cluster_of_another_version_is_refused(cluster: Cluster) -> None:
    (cluster.data_dir / "cluster" / "PG_VERSION").write_text("17\n")
    with pytest.raises(ClusterVersionMismatch, match=r"made by PostgreSQL 17.* are PostgreSQL 18"):
        cluster.start()


def test_the_copy_of_a_running_server_is_refused(shared: Cluster, place: Path) -> None:
    copy = copy_cluster(shared.data_dir, place / "copy")
    for call in (copy.start, copy.status, copy.stop):
        with pytest.raises(DataDirectoryMismatch, match=str(shared.data_dir)):
            call()
    assert shared.status().is_running


def test_a_directory_of_other_things_is_refused_and_left_alone(place: Path) -> None:
    (place / "letters").mkdir()
    before = list_modes(place)
    with pytest.raises(DataDirectoryNotEmpty, match="letters"):
        Cluster.at(place).start()
    assert list_modes(place) == before
    assert [path.name for path in place.iterdir()] == ["letters"]


@pytest.mark.parametrize("name", ["a$HOME", 'a"b', "a`id`"])
def test_a_path_that_a_shell_would_change_is_refused(place: Path, name: str) -> None:
    with pytest.raises(DataDirectoryNameUnusable):
        Cluster.at(place / name).start()
    assert list(place.iterdir()) == []


def test_a_path_with_spaces_and_quotes_is_served(stopped: Path, place: Path) -> None:
    cluster = copy_cluster(stopped, place / "it's a place, é")
    with running(cluster.data_dir):
        assert query(cluster, "SELECT 1", "app") == [(1,)]
    assert not cluster.status().is_running


def test_lost_passwords_are_named(cluster: Cluster) -> None:
    (cluster.data_dir / "secrets.json").unlink()
    for call in (cluster.start, lambda: cluster.url("app")):
        with pytest.raises(PasswordsMissing, match=r"secrets\.json"):
            call()
    assert not (cluster.data_dir / "secrets.json").exists()


def test_passwords_of_another_cluster_are_refused_and_the_server_stopped(cluster: Cluster) -> None:
    secrets = cluster.data_dir / "secrets.json"
    secrets.write_text(secrets.read_text().replace('"superuser": "', '"superuser": "not '))
    with pytest.raises(ProvisioningFailed, match=r"secrets\.json"):
        cluster.start()
    assert not cluster.status().is_running


def test_programs_that_are_not_there_are_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COAX_PG_BIN", str(place))
    with pytest.raises(BinariesMissing, match=str(place)):
        Cluster.at(place / "data").start()


@pytest.mark.parametrize("name", ["root", "no-such-user"])
def test_root_needs_an_ordinary_service_user(place: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An ordinary user has no use for a service user: the variable is not looked at."""
    monkeypatch.setenv("COAX_SERVICE_USER", name)
    if IS_ROOT:
        with pytest.raises(ServiceUserUnusable, match=name):
            Cluster.at(place / "data").start()
    else:
        assert choose_account(place).uid == os.geteuid()
    assert list(place.iterdir()) == []
