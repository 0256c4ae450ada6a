"""What the database's own catalogue must show (architecture sections 3 and 8)."""

from __future__ import annotations

import re
from importlib import import_module, resources
from pathlib import Path

from django.apps import apps
from django.db.models import ForeignKey

from coax.base.db import fetch_rows

tables_of_jobs = import_module("coax.process.recurring.migrations.0003_jobs")
LINT = Path(__file__).with_name("catalogue-lint.sql")
LAYERS = ["base", "configuration", "party", "subscription", "rating", "billing", "ledger", "process"]


def test_bucketed_tables_keep_their_rules(database: str) -> None:
    statement = LINT.read_text(encoding="utf-8").replace(":'schema'", "'public'").replace("%", "%%")
    assert fetch_rows(statement) == []


def test_every_bucket_is_the_accounts(database: str) -> None:
    rows = fetch_rows(
        """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'bucket' AND NOT a.attisdropped
           WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT EXISTS (
             SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'
             AND pg_get_constraintdef(k.oid) LIKE '%%1023%%')"""
    )
    assert rows == []


def test_foreign_keys_point_downwards(database: str) -> None:
    upward = [
        (model.__name__, field.name)
        for model in apps.get_models()
        if model._meta.app_label in LAYERS
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey)
        and field.related_model._meta.app_label in LAYERS
        and LAYERS.index(field.related_model._meta.app_label) > LAYERS.index(model._meta.app_label)
    ]
    assert upward == []
    by_name = fetch_rows(
        """SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
           WHERE contype = 'f' AND connamespace = 'public'::regnamespace"""
    )
    layer = {name: place for place, name in enumerate(LAYERS)}
    for child, parent in by_name:
        prefix_child, prefix_parent = child.split("_")[0], parent.split("_")[0]
        if prefix_child in layer and prefix_parent in layer:
            assert layer[prefix_parent] <= layer[prefix_child], (child, parent)


def test_the_tables_of_jobs_are_those_of_the_version_in_use(database: str) -> None:
    """Another version of procrastinate: add a migration of ours that takes its new steps."""
    shipped = {file.name for file in resources.files("procrastinate.sql.migrations").iterdir()}
    assert max(name for name in shipped if name.endswith(".sql")) == tables_of_jobs.LAST
    created = (resources.files("procrastinate.sql") / "schema.sql").read_text(encoding="utf-8")
    wanted = set(re.findall(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)", created))
    there = {row[0] for row in fetch_rows("SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%%'")}
    assert wanted - there == set()
