"""Tables of payments and refunds; the journal has their amounts, these say how they came about."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Payment(models.Model):
    """Money received, or to be once somebody approves it."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    mode = models.TextField()
    payer = models.TextField()
    state = models.TextField()
    money = models.TextField()
    amount_minor = models.BigIntegerField()
    moved_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    received_on = models.DateField()
    reference = models.TextField(default="")
    details = models.JSONField(default=dict)
    transaction_id = models.BigIntegerField(null=True)
    against_bill = models.BigIntegerField(null=True)
    came_from_account = models.BigIntegerField(null=True)
    came_from_payment = models.BigIntegerField(null=True)
    recorded_by = models.TextField()
    recorded_at = models.DateTimeField()
    decided_by = models.TextField(default="")
    decided_on = models.DateField(null=True)
    reason = models.TextField(default="")

    class Meta:
        db_table = "payment_payment"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "posted", "rejected", "cancelled"]), name="payment_state_is_known"
            ),
            models.CheckConstraint(condition=Q(payer__in=["subscriber", "dealer"]), name="payment_payer_is_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_is_of_some_amount"),
            models.CheckConstraint(
                condition=Q(moved_minor__gte=0, moved_minor__lte=models.F("amount_minor")),
                name="payment_moves_no_more_than_it_is",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["posted", "cancelled"], transaction_id__isnull=False)
                | Q(state__in=["pending", "rejected"], transaction_id__isnull=True),
                name="payment_posted_has_its_transaction",
            ),
        ]


class PaymentKey(models.Model):
    """Directory: on which account a payment is."""

    pk = models.CompositePrimaryKey("tenant_id", "payment_id")
    tenant_id = models.IntegerField()
    payment_id = models.BigIntegerField()
    account_id = models.BigIntegerField()

    class Meta:
        db_table = "payment_payment_key"


class Refund(models.Model):
    """Money given back, or to be once somebody approves it."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    mode = models.TextField()
    state = models.TextField()
    money = models.TextField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    refunded_on = models.DateField()
    reason = models.TextField()
    payment_id = models.BigIntegerField(null=True)
    transaction_id = models.BigIntegerField(null=True)
    asked_by = models.TextField()
    asked_at = models.DateTimeField()
    decided_by = models.TextField(default="")
    decision_reason = models.TextField(default="")

    class Meta:
        db_table = "payment_refund"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "posted", "rejected"]), name="refund_state_is_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_is_of_some_amount"),
            models.CheckConstraint(
                condition=Q(state="posted", transaction_id__isnull=False)
                | Q(state__in=["pending", "rejected"], transaction_id__isnull=True),
                name="refund_posted_has_its_transaction",
            ),
            models.CheckConstraint(
                condition=Q(decided_by="") | ~Q(decided_by=models.F("asked_by")), name="refund_is_decided_by_another"
            ),
        ]


class RefundKey(models.Model):
    """Directory: on which account a refund is."""

    pk = models.CompositePrimaryKey("tenant_id", "refund_id")
    tenant_id = models.IntegerField()
    refund_id = models.BigIntegerField()
    account_id = models.BigIntegerField()

    class Meta:
        db_table = "payment_refund_key"
