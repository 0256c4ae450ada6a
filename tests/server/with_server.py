"""Run a command against a PostgreSQL server of its own, from Debian's package: `with_server.py COMMAND ...`."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = Path("/usr/lib/postgresql")
SERVICE_USER = "postgres"


def main() -> int:
    """Start a server in a directory of its own, run the command, stop the server."""
    versions = sorted(PACKAGES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not versions:
        sys.stderr.write(f"There is no PostgreSQL server below {PACKAGES}: apt-get install postgresql\n")
        return 2
    binaries = versions[-1].parent
    directory = Path(tempfile.mkdtemp(prefix="coax-server-"))
    password = secrets.token_hex(16)
    as_user = {"user": SERVICE_USER, "group": SERVICE_USER, "extra_groups": []} if os.getuid() == 0 else {}
    if as_user:
        shutil.chown(directory, SERVICE_USER, SERVICE_USER)
    port = _free_port()
    (password_file := directory / "password").write_text(password)
    password_file.chmod(0o644)
    try:
        subprocess.run(
            [
                *(binaries / "initdb", "-D", directory / "cluster", "-U", "coax_admin", "-A", "scram-sha-256"),
                *("--pwfile", password_file, "-E", "UTF8", "--locale=C.UTF-8"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=directory,
            **as_user,
        )
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {directory} -c fsync=off"
        control = [binaries / "pg_ctl", "-w", "-D", directory / "cluster", "-l", directory / "log"]
        subprocess.run(
            [*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd=directory, **as_user
        )
        url = f"postgresql://coax_admin:{password}@127.0.0.1:{port}/postgres"
        try:
            done = subprocess.run(sys.argv[1:], env={**os.environ, "COAX_TEST_DATABASE_URL": url}, check=False)
        finally:
            subprocess.run(
                [*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL, cwd=directory, **as_user
            )
        return done.returncode
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
