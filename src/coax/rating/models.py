"""The table of rated items: what was charged or credited, with the derivation of every amount."""

from __future__ import annotations

from django.db import models


class RatedItem(models.Model):
    """One charge or credit of one period; immutable. Amounts in millionths of the major unit, credits negative."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "run_id", "line")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    run_id = models.BigIntegerField()
    line = models.SmallIntegerField()
    tenant_id = models.IntegerField()
    invoice_line = models.SmallIntegerField()
    subscription_id = models.BigIntegerField()
    service_id = models.BigIntegerField()
    product_version_id = models.BigIntegerField()
    price_version_id = models.BigIntegerField(null=True)
    rate_no = models.SmallIntegerField()
    tier_no = models.SmallIntegerField()
    kind = models.CharField(max_length=6)
    generation = models.SmallIntegerField()
    period_from = models.DateField()
    period_to = models.DateField()
    whole_periods = models.SmallIntegerField()
    days = models.SmallIntegerField()
    period_days = models.SmallIntegerField()
    price_months = models.SmallIntegerField()
    price_days = models.SmallIntegerField()
    cycle_day = models.SmallIntegerField()
    quantity = models.BigIntegerField()
    price_micro = models.BigIntegerField()
    charge_micro = models.BigIntegerField()
    amount_off_micro = models.BigIntegerField()
    base_micro = models.BigIntegerField()
    discount_ppm = models.IntegerField()
    discount_micro = models.BigIntegerField()
    tax_ppm = models.IntegerField()
    is_tax_inclusive = models.BooleanField()
    net_micro = models.BigIntegerField()
    tax_micro = models.BigIntegerField()
    total_micro = models.BigIntegerField()

    class Meta:
        db_table = "rating_rated_item"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["charge", "credit", "once", "return"]), name="rated_item_kind_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(total_micro=models.F("net_micro") + models.F("tax_micro")),
                name="rated_item_net_and_tax_make_the_total",
            ),
            models.CheckConstraint(
                condition=models.Q(period_to__gt=models.F("period_from")) | models.Q(kind__in=["once", "return"]),
                name="rated_item_period_ends_after_it_begins",
            ),
            models.UniqueConstraint(
                fields=["bucket", "service_id", "period_from", "generation", "kind"],
                name="rated_item_day_is_charged_once",
            ),
        ]
