"""What is edited of a row that runs write too is audited by whoever edits it; one row's history is found at once."""

from __future__ import annotations

from django.db import migrations, models

from coax.base.tenancy import CURRENT_TENANT_SQL

# Called by the operation that edits a row which runs write in bulk: a trigger there would be in their way.
AUDIT_CHANGE = f"""CREATE FUNCTION coax_audit_change(source_name text, subject_key text, before_values jsonb,
        after_values jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO base_audit_entry (tenant_id, at, actor, source, action, subject, before, after)
    VALUES ({CURRENT_TENANT_SQL}, now(), coalesce(nullif(current_setting('coax.actor', true), ''), session_user),
            source_name, 'update', subject_key, before_values, after_values)
$$"""
GRANTED = "coax_audit_change(text, text, jsonb, jsonb)"
STATEMENTS = [
    AUDIT_CHANGE,
    f"REVOKE ALL ON FUNCTION {GRANTED} FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION {GRANTED} TO coax_app, coax_run",
]


class Migration(migrations.Migration):
    dependencies = [("base", "0004_audit")]
    operations = [
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["tenant_id", "source", "subject"], name="audit_entry_by_subject"),
        ),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS),
    ]
