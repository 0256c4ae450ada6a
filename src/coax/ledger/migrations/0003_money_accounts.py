"""Ledger accounts of the ways to pay, and of transfers between accounts, for the operators that there are."""

from __future__ import annotations

from django.db import migrations

ACCOUNTS = [
    ("1010", "Bank", "bank"),
    ("1020", "Cheques in hand", "cheques"),
    ("1030", "Card payments under way", "cards"),
    ("1040", "Gateway payments under way", "gateway"),
    ("1150", "Receivable from issuers of vouchers", "voucher_issuers"),
    ("2300", "Vouchers outstanding", "vouchers"),
    ("2400", "Wallets of subscribers", "wallets"),
    ("2950", "Transfers between accounts", "clearing"),
]
VALUES = ", ".join(f"('{code}', '{name}', '{kind}')" for code, name, kind in ACCOUNTS)
STATEMENTS = [
    # Its owner sees all operators' rows only while the table's security is not forced upon it.
    "ALTER TABLE ledger_ledger_account NO FORCE ROW LEVEL SECURITY",
    f"""INSERT INTO ledger_ledger_account (tenant_id, code, name, kind)
        SELECT DISTINCT a.tenant_id, v.code, v.name, v.kind FROM ledger_ledger_account a
        CROSS JOIN (VALUES {VALUES}) AS v (code, name, kind) ON CONFLICT (tenant_id, code) DO NOTHING""",
    "ALTER TABLE ledger_ledger_account FORCE ROW LEVEL SECURITY",
    """CREATE INDEX allocation_of_a_credit
       ON ledger_allocation (bucket, account_id, credit_origin_id, credit_line)""",
]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_security")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
