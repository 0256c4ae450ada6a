"""Failed authentications of the API are counted by the address of the client."""

from __future__ import annotations

from django.db import migrations

# Nobody is known yet: the table is no operator's. A crash may lose it; only the function touches it.
FAILURES = """CREATE UNLOGGED TABLE party_api_failure (
    address text PRIMARY KEY, window_start timestamptz NOT NULL, failures int NOT NULL)"""
# Once an address has more than enough nothing is written; addresses of earlier windows are forgotten on the way.
COUNT_FAILURE = """CREATE FUNCTION coax_count_failure(wanted text, present timestamptz, most int) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    counted int;
BEGIN
    INSERT INTO party_api_failure AS f (address, window_start, failures) VALUES (wanted, present, 1)
    ON CONFLICT (address) DO UPDATE SET
        failures = CASE WHEN f.window_start = EXCLUDED.window_start THEN f.failures + 1 ELSE 1 END,
        window_start = EXCLUDED.window_start
     WHERE f.window_start <> EXCLUDED.window_start OR f.failures <= most
    RETURNING failures INTO counted;
    IF counted = 1 THEN
        DELETE FROM party_api_failure WHERE address IN (
            SELECT address FROM party_api_failure WHERE window_start < present LIMIT 100 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN coalesce(counted, most + 1);
END $$"""
STATEMENTS = [
    FAILURES,
    COUNT_FAILURE,
    "REVOKE EXECUTE ON FUNCTION coax_count_failure(text, timestamptz, int) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION coax_count_failure(text, timestamptz, int) TO coax_app",
]


class Migration(migrations.Migration):
    dependencies = [("party", "0006_staff_unit")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
