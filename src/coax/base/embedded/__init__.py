"""The embedded PostgreSQL server: one cluster per data directory, supervised by us.

In: a directory (argument, `COAX_DATA_DIR` or the default of the user) and server settings.
Out: a running server and how to reach it as owner, app, run or superuser.

Invariants:
- Nothing outside the data directory is created, owned or made readable; only missing parents of it are made.
- Every connection needs a password (scram); the socket's directory is closed to other users.
- A server outlives the process that started it; what a killed process left is recovered by the next start.
- Start and stop of one directory happen one at a time, whoever asks (`DATA/lock`).
- PostgreSQL never runs as root: root starts it as a service user, who can write only `cluster` and `run`.
"""

from coax.base.embedded.account import ServiceUserUnusable
from coax.base.embedded.binaries import BinariesMissing
from coax.base.embedded.cluster import (
    Cluster,
    ProvisioningFailed,
    Running,
    ServerNotRunning,
    Status,
    ensure_running,
    running,
)
from coax.base.embedded.directory import (
    DataDirectoryNameUnusable,
    DataDirectoryNotEmpty,
    DataDirectoryOwnedByAnother,
    DataDirectoryUnreachable,
    choose_data_dir,
)
from coax.base.embedded.lock import ClusterBusy
from coax.base.embedded.passwords import PasswordsMissing
from coax.base.embedded.postmaster import DataDirectoryMismatch
from coax.base.embedded.roles import Role, create_database, create_roles
from coax.base.embedded.server import ClusterVersionMismatch, EmbeddedServerFailed
from coax.base.embedded.signals import signals_as_exceptions, signals_ignored

__all__ = [
    "BinariesMissing",
    "Cluster",
    "ClusterBusy",
    "ClusterVersionMismatch",
    "DataDirectoryMismatch",
    "DataDirectoryNameUnusable",
    "DataDirectoryNotEmpty",
    "DataDirectoryOwnedByAnother",
    "DataDirectoryUnreachable",
    "EmbeddedServerFailed",
    "PasswordsMissing",
    "ProvisioningFailed",
    "Role",
    "Running",
    "ServerNotRunning",
    "ServiceUserUnusable",
    "Status",
    "choose_data_dir",
    "create_database",
    "create_roles",
    "ensure_running",
    "running",
    "signals_as_exceptions",
    "signals_ignored",
]
