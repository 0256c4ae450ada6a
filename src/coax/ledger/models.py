"""The journal: ledger accounts, financial transactions, their entries, allocations, and the balance row."""

from __future__ import annotations

from django.db import models


class LedgerAccount(models.Model):
    """A dimension of the journal: receivable, revenue, tax, rounding, suspense, write-off, bank, ..."""

    id = models.AutoField(primary_key=True)
    tenant_id = models.IntegerField()
    code = models.TextField()
    name = models.TextField()
    kind = models.TextField()

    class Meta:
        db_table = "ledger_ledger_account"
        constraints = [models.UniqueConstraint(fields=["tenant_id", "code"], name="ledger_account_code_is_unique")]


class Transaction(models.Model):
    """A financial transaction of one of the seven classes (reference 6.2); immutable. `amount_minor` is positive."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "origin_id", "line")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    origin_id = models.BigIntegerField()
    line = models.SmallIntegerField()
    tenant_id = models.IntegerField()
    kind = models.TextField()
    subscription_id = models.BigIntegerField(null=True)
    transaction_date = models.DateField()
    due_date = models.DateField(null=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    rounding_minor = models.BigIntegerField()
    rounding_micro = models.BigIntegerField()
    reference = models.TextField(default="")
    posted_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_transaction"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    amount_minor=models.F("net_minor") + models.F("tax_minor") + models.F("rounding_minor")
                ),
                name="transaction_parts_make_the_amount",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        "invoice",
                        "refund",
                        "payment_cancellation",
                        "payment",
                        "credit_note",
                        "invoice_cancellation",
                        "write_off",
                    ]
                ),
                name="transaction_kind_is_known",
            ),
        ]


class Entry(models.Model):
    """A leg of a transaction; the legs sum to zero. Debits are positive."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "origin_id", "line", "seq")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    origin_id = models.BigIntegerField()
    line = models.SmallIntegerField()
    seq = models.SmallIntegerField()
    tenant_id = models.IntegerField()
    ledger_account_id = models.IntegerField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    booked_on = models.DateField()

    class Meta:
        db_table = "ledger_entry"


class Allocation(models.Model):
    """How much of a credit settles a debit; taken back by a negative row."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "origin_id", "seq")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    origin_id = models.BigIntegerField()
    seq = models.SmallIntegerField()
    tenant_id = models.IntegerField()
    credit_origin_id = models.BigIntegerField()
    credit_line = models.SmallIntegerField()
    debit_origin_id = models.BigIntegerField()
    debit_line = models.SmallIntegerField()
    amount_minor = models.BigIntegerField()
    allocated_on = models.DateField()

    class Meta:
        db_table = "ledger_allocation"


class AccountBalance(models.Model):
    """The balance row: a projection of the entries, moved in the transaction that posts them."""

    pk = models.CompositePrimaryKey("bucket", "account_id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    balance_minor = models.BigIntegerField(default=0)
    unallocated_minor = models.BigIntegerField(default=0)
    last_bill_run_id = models.BigIntegerField(default=0)
    debited_since_bill_minor = models.BigIntegerField(default=0)
    credited_since_bill_minor = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ledger_account_balance"
