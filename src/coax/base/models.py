"""Tables of the platform: operators (tenants), number series, outbox."""

from __future__ import annotations

from django.db import models


class Operator(models.Model):
    """An operator, which is a tenant."""

    tenant_id = models.AutoField(primary_key=True)
    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64)
    locale = models.CharField(max_length=16)
    clock_mode = models.CharField(max_length=16, default="real")
    clock_at = models.DateTimeField(null=True)
    profile = models.JSONField(default=dict)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "base_operator"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(clock_mode="real", clock_at__isnull=True)
                | models.Q(clock_mode="simulated", clock_at__isnull=False),
                name="operator_simulated_clock_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class NumberSeries(models.Model):
    """The next number that people read, per tenant and series."""

    pk = models.CompositePrimaryKey("tenant_id", "series")
    tenant_id = models.IntegerField()
    series = models.CharField(max_length=32)
    next_number = models.BigIntegerField(default=1)

    class Meta:
        db_table = "base_number_series"


class NumberGap(models.Model):
    """A number that was reserved and not used; the next document takes it first, so no hole stays."""

    pk = models.CompositePrimaryKey("tenant_id", "series", "number")
    tenant_id = models.IntegerField()
    series = models.CharField(max_length=32)
    number = models.BigIntegerField()

    class Meta:
        db_table = "base_number_gap"


class OutboxFact(models.Model):
    """A fact appended in the transaction that made it true, handled later by a higher package."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.IntegerField()
    kind = models.CharField(max_length=64)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "base_outbox_fact"


class IdempotencyKey(models.Model):
    """What an operation was asked under a key, and what it answered (architecture section 3.12)."""

    pk = models.CompositePrimaryKey("tenant_id", "operation", "key")
    tenant_id = models.IntegerField()
    operation = models.TextField()
    key = models.TextField()
    input_hash = models.CharField(max_length=64)
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "base_idempotency_key"


class AuditEntry(models.Model):
    """A change that is audited: who, when, and the columns before and after (coax.base.audit)."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.IntegerField()
    at = models.DateTimeField()
    actor = models.TextField()
    source = models.TextField()
    action = models.TextField()
    subject = models.TextField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        db_table = "base_audit_entry"
        indexes = [
            models.Index(fields=["tenant_id", "id"], name="audit_entry_by_tenant"),
            models.Index(fields=["tenant_id", "source", "subject"], name="audit_entry_by_subject"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(action__in=["insert", "update", "delete"]), name="audit_entry_action_is_known"
            ),
        ]
