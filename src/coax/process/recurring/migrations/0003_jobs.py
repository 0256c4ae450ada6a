"""The tables of procrastinate, as its own migrations make them up to the one that is named here.

Another version of it comes with a migration of ours that takes the next ones. They are read only when they are applied, for
every command loads this module. Jobs name no operator's data, only which process of which operator is to be executed:
people defer them, the worker does everything else with them.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

from django.db import migrations

LAST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
TABLES = ["procrastinate_jobs", "procrastinate_events", "procrastinate_workers", "procrastinate_periodic_defers"]
STATEMENTS = [
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(TABLES)} TO coax_run",
    "GRANT SELECT, INSERT ON procrastinate_jobs, procrastinate_events TO coax_app",
    "GRANT SELECT ON procrastinate_workers TO coax_app",
    f"GRANT USAGE ON SEQUENCE {', '.join(f'{table}_id_seq' for table in TABLES)} TO coax_app, coax_run",
]


def make_tables(_: Any, editor: Any) -> None:
    steps = sorted(resources.files("procrastinate.sql.migrations").iterdir(), key=lambda step: step.name)
    with editor.connection.cursor() as cursor:
        for step in steps:
            if step.name.endswith(".sql") and step.name <= LAST:
                cursor.execute(step.read_text(encoding="utf-8"))


class Migration(migrations.Migration):
    dependencies = [("process", "0002_security")]
    operations = [
        migrations.RunPython(make_tables, migrations.RunPython.noop),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS),
    ]
