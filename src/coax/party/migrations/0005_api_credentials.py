"""Credentials of programs: who they are, their secrets by hash, how much they ask."""

from __future__ import annotations

from django.db import migrations, models

from coax.base.audit import audit_sql
from coax.base.tenancy import tenant_policy_sql

STATEMENTS = [
    """ALTER TABLE party_api_secret ADD CONSTRAINT api_secret_has_its_credential
       FOREIGN KEY (tenant_id, credential_id) REFERENCES party_api_credential (tenant_id, id)""",
    """ALTER TABLE party_api_usage ADD CONSTRAINT api_usage_has_its_credential
       FOREIGN KEY (tenant_id, credential_id) REFERENCES party_api_credential (tenant_id, id)""",
    "ALTER TABLE party_api_usage SET (fillfactor = 40)",
    "GRANT USAGE ON SEQUENCE party_api_credential_id_seq TO coax_app",
    *(
        statement
        for table in ("party_api_credential", "party_api_secret", "party_api_usage")
        for statement in tenant_policy_sql(table)
    ),
    # Before a tenant is chosen only this function sees secrets; of one it tells no more than whose it is.
    "CREATE POLICY owner_finds_secrets ON party_api_secret FOR SELECT TO coax_owner USING (true)",
    """CREATE FUNCTION coax_tenant_of_secret(wanted text) RETURNS int
       LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
       AS 'SELECT tenant_id FROM party_api_secret WHERE hash = $1'""",
    "REVOKE EXECUTE ON FUNCTION coax_tenant_of_secret(text) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION coax_tenant_of_secret(text) TO coax_app",
    *audit_sql("party_api_credential", "id"),
]


class Migration(migrations.Migration):
    dependencies = [("party", "0004_accounts_of_an_operator"), ("base", "0004_audit")]

    operations = [
        migrations.CreateModel(
            name="ApiUsage",
            fields=[
                ("credential_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("tenant_id", models.IntegerField()),
                ("window_start", models.DateTimeField()),
                ("requests", models.IntegerField()),
                ("last_used_at", models.DateTimeField()),
            ],
            options={
                "db_table": "party_api_usage",
            },
        ),
        migrations.CreateModel(
            name="ApiCredential",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant_id", models.IntegerField()),
                ("kind", models.TextField()),
                ("name", models.TextField()),
                ("client_id", models.TextField(null=True)),
                ("scopes", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("rotated_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "party_api_credential",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "id"), name="api_credential_is_one_operators"),
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at__isnull", True)),
                        fields=("tenant_id", "kind", "name"),
                        name="api_credential_name_is_unique_per_operator",
                    ),
                    models.UniqueConstraint(fields=("client_id",), name="api_client_id_is_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["token", "client"])), name="api_credential_kind_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("client_id__isnull", False), ("kind", "client")),
                            models.Q(("client_id__isnull", True), ("kind", "token")),
                            _connector="OR",
                        ),
                        name="api_client_has_its_id",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiSecret",
            fields=[
                ("hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("tenant_id", models.IntegerField()),
                ("credential_id", models.BigIntegerField()),
                ("purpose", models.TextField()),
                ("scopes", models.TextField(default="")),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "party_api_secret",
                "indexes": [models.Index(fields=["tenant_id", "credential_id"], name="api_secret_by_credential")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["token", "client", "access"])),
                        name="api_secret_purpose_is_known",
                    )
                ],
            },
        ),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS),
    ]
