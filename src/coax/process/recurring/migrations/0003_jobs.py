"""The tables of procrastinate, frozen: a later version of it comes with a migration of its own.

Jobs name no operator's data, only which process of which operator is to be executed: people defer them, the worker does
everything else with them.
"""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SCHEMA = Path(__file__).parents[1] / "sql" / "jobs.sql"
TABLES = ["procrastinate_jobs", "procrastinate_events", "procrastinate_workers", "procrastinate_periodic_defers"]
STATEMENTS = [
    SCHEMA.read_text(encoding="utf-8"),
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(TABLES)} TO coax_run",
    "GRANT SELECT, INSERT ON procrastinate_jobs, procrastinate_events TO coax_app",
    "GRANT SELECT ON procrastinate_workers TO coax_app",
    f"GRANT USAGE ON SEQUENCE {', '.join(f'{table}_id_seq' for table in TABLES)} TO coax_app, coax_run",
]


class Migration(migrations.Migration):
    dependencies = [("process", "0002_security")]
    operations = [migrations.RunSQL([statement], migrations.RunSQL.noop) for statement in STATEMENTS]
