"""Tables of runs, their parts and outcomes, and of bills."""

from __future__ import annotations

from django.db import models


class Run(models.Model):
    """A normal billing run: what it was asked, which step it reached, what came of it (reference 4.1)."""

    id = models.BigIntegerField(primary_key=True)
    tenant_id = models.IntegerField()
    number = models.BigIntegerField()
    kind = models.TextField()
    state = models.TextField()
    is_dry = models.BooleanField(default=False)
    execution_date = models.DateField()
    bill_as_of = models.DateField()
    transaction_date = models.DateField()
    due_date = models.DateField()
    criteria = models.JSONField(default=dict)
    definition = models.JSONField()
    catalogue = models.JSONField()
    parts = models.IntegerField(default=0)
    totals = models.JSONField(default=dict)
    created_by = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "billing_run"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "number"], name="run_number_is_unique"),
            models.UniqueConstraint(
                fields=["tenant_id"],
                condition=models.Q(kind="batch", is_dry=False)
                & models.Q(state__in=["draft", "identification", "rating", "invoicing", "assembling", "posting"]),
                name="run_is_the_only_open_one",
            ),
            models.CheckConstraint(condition=models.Q(kind__in=["batch", "individual"]), name="run_kind_is_known"),
        ]


class RunPart(models.Model):
    """A task of a run: a range of buckets. Its row is the claim, the progress and the sums."""

    pk = models.CompositePrimaryKey("run_id", "part")
    run_id = models.BigIntegerField()
    part = models.IntegerField()
    tenant_id = models.IntegerField()
    state = models.TextField(default="draft")
    first_bucket = models.SmallIntegerField()
    last_bucket = models.SmallIntegerField()
    numbers = models.JSONField(default=list)
    accounts = models.IntegerField(default=0)
    services = models.IntegerField(default=0)
    due = models.IntegerField(default=0)
    billed = models.IntegerField(default=0)
    pending = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    invoices = models.IntegerField(default=0)
    items = models.IntegerField(default=0)
    net_micro = models.BigIntegerField(default=0)
    tax_micro = models.BigIntegerField(default=0)
    rounding_micro = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    staged_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "billing_run_part"


class RunStage(models.Model):
    """What a task computed, kept until it is posted: one columnar block per frame."""

    pk = models.CompositePrimaryKey("run_id", "part", "frame")
    run_id = models.BigIntegerField()
    part = models.IntegerField()
    frame = models.TextField()
    tenant_id = models.IntegerField()
    payload = models.BinaryField()

    class Meta:
        db_table = "billing_run_stage"


class RunOutcome(models.Model):
    """A due service that the run did not bill, and why: pending under the minimum, or refused."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "run_id", "line")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    run_id = models.BigIntegerField()
    line = models.SmallIntegerField()
    tenant_id = models.IntegerField()
    service_id = models.BigIntegerField(null=True)
    outcome = models.TextField()
    reason = models.TextField()
    detail = models.TextField(default="")
    amount_micro = models.BigIntegerField(default=0)

    class Meta:
        db_table = "billing_run_outcome"
        constraints = [
            models.CheckConstraint(condition=models.Q(outcome__in=["pending", "refused"]), name="run_outcome_is_known"),
        ]


class Bill(models.Model):
    """The document of one account and run; immutable. Amounts in minor units (reference 4.4)."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "run_id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    run_id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    number = models.BigIntegerField()
    classification = models.TextField()
    currency = models.CharField(max_length=3)
    period_from = models.DateField()
    period_to = models.DateField()
    transaction_date = models.DateField()
    due_date = models.DateField()
    previous_run_id = models.BigIntegerField()
    invoices = models.SmallIntegerField()
    items = models.SmallIntegerField()
    brought_forward_minor = models.BigIntegerField()
    debited_between_minor = models.BigIntegerField()
    credited_between_minor = models.BigIntegerField()
    net_micro = models.BigIntegerField()
    tax_micro = models.BigIntegerField()
    rounding_micro = models.BigIntegerField()
    total_minor = models.BigIntegerField()

    class Meta:
        db_table = "billing_bill"
        indexes = [models.Index(fields=["tenant_id", "number"], name="bill_by_number")]
