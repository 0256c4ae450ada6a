"""Changes of single columns are audited too, and what happened to one row is found at once."""

from __future__ import annotations

from django.db import migrations, models

# The arguments are the column that tells rows apart, then the columns that are watched.
AUDIT_COLUMNS = """CREATE FUNCTION coax_audit_columns() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old_row jsonb := to_jsonb(OLD);
    new_row jsonb := to_jsonb(NEW);
    before_values jsonb;
    after_values jsonb;
BEGIN
    SELECT jsonb_object_agg(name, old_row -> name), jsonb_object_agg(name, new_row -> name)
      INTO before_values, after_values
      FROM unnest(TG_ARGV) WITH ORDINALITY AS given (name, place)
     WHERE place > 1 AND old_row -> name IS DISTINCT FROM new_row -> name;
    IF before_values IS NOT NULL THEN
        INSERT INTO base_audit_entry (tenant_id, at, actor, source, action, subject, before, after)
        VALUES (NEW.tenant_id, now(), coalesce(nullif(current_setting('coax.actor', true), ''), session_user),
                TG_TABLE_NAME, 'update', new_row ->> TG_ARGV[0], before_values, after_values);
    END IF;
    RETURN NULL;
END $$"""


class Migration(migrations.Migration):
    dependencies = [("base", "0004_audit")]
    operations = [
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["tenant_id", "source", "subject"], name="audit_entry_by_subject"),
        ),
        migrations.RunSQL(AUDIT_COLUMNS, migrations.RunSQL.noop),
    ]
