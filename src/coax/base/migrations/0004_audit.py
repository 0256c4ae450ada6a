"""The audit trail: its table, and the function that the triggers of audited tables call."""

from __future__ import annotations

from django.db import migrations, models

from coax.base.audit import audit_sql
from coax.base.tenancy import tenant_policy_sql

# Of a password only that it changed is kept; a picture is kept by its digest.
PLAIN = """CREATE FUNCTION coax_audit_plain(original jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT (original - 'last_login' - 'changed_at')
        || CASE WHEN original ? 'password'
                THEN jsonb_build_object('password', 'digest ' || left(md5(original ->> 'password'), 8))
                ELSE '{}' END
        || CASE WHEN jsonb_typeof(original #> '{profile,logo_data}') = 'object'
                THEN jsonb_build_object('profile', jsonb_set(original -> 'profile', '{logo_data}',
                         to_jsonb('digest ' || left(md5(original #>> '{profile,logo_data}'), 8))))
                ELSE '{}' END
$$"""
CHANGED = """CREATE FUNCTION coax_audit_changed(one jsonb, other jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(one)
     WHERE value IS DISTINCT FROM other -> key
$$"""
AUDIT = """CREATE FUNCTION coax_audit() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    actor_name text := coalesce(nullif(current_setting('coax.actor', true), ''), session_user);
    key_name text := TG_ARGV[0];
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO base_audit_entry (tenant_id, at, actor, source, action, subject, after)
        SELECT (n.r ->> 'tenant_id')::int, now(), actor_name, TG_TABLE_NAME, 'insert', n.r ->> key_name, n.r
          FROM (SELECT coax_audit_plain(to_jsonb(x)) AS r FROM new_rows x) n ORDER BY n.r ->> key_name;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO base_audit_entry (tenant_id, at, actor, source, action, subject, before)
        SELECT (o.r ->> 'tenant_id')::int, now(), actor_name, TG_TABLE_NAME, 'delete', o.r ->> key_name, o.r
          FROM (SELECT coax_audit_plain(to_jsonb(x)) AS r FROM old_rows x) o ORDER BY o.r ->> key_name;
    ELSE
        INSERT INTO base_audit_entry (tenant_id, at, actor, source, action, subject, before, after)
        SELECT (n.r ->> 'tenant_id')::int, now(), actor_name, TG_TABLE_NAME, 'update', n.r ->> key_name,
               coax_audit_changed(o.r, n.r), coax_audit_changed(n.r, o.r)
          FROM (SELECT coax_audit_plain(to_jsonb(x)) AS r FROM old_rows x) o
          JOIN (SELECT coax_audit_plain(to_jsonb(x)) AS r FROM new_rows x) n ON n.r ->> key_name = o.r ->> key_name
         WHERE n.r IS DISTINCT FROM o.r ORDER BY n.r ->> key_name;
    END IF;
    RETURN NULL;
END $$"""
# Only the function writes entries: the roles read them, and nobody changes or deletes them.
SECURITY = [
    *tenant_policy_sql("base_audit_entry", append_only=True),
    "REVOKE INSERT ON base_audit_entry FROM coax_app, coax_run",
    "CREATE POLICY owner_appends ON base_audit_entry FOR INSERT TO coax_owner WITH CHECK (true)",
]
STATEMENTS = [PLAIN, CHANGED, AUDIT, *SECURITY, *audit_sql("base_operator", "tenant_id")]


class Migration(migrations.Migration):
    dependencies = [("base", "0003_idempotency")]
    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant_id", models.IntegerField()),
                ("at", models.DateTimeField()),
                ("actor", models.TextField()),
                ("source", models.TextField()),
                ("action", models.TextField()),
                ("subject", models.TextField()),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
            ],
            options={
                "db_table": "base_audit_entry",
                "indexes": [models.Index(fields=["tenant_id", "id"], name="audit_entry_by_tenant")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(action__in=["insert", "update", "delete"]),
                        name="audit_entry_action_is_known",
                    )
                ],
            },
        ),
        *[migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS],
    ]
