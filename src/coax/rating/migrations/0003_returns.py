"""What was billed once and is taken back is an item of its own kind."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rating", "0002_security")]
    operations = [
        migrations.RemoveConstraint(model_name="rateditem", name="rated_item_kind_is_known"),
        migrations.RemoveConstraint(model_name="rateditem", name="rated_item_period_ends_after_it_begins"),
        migrations.AddConstraint(
            model_name="rateditem",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["charge", "credit", "once", "return"])),
                name="rated_item_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="rateditem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("period_to__gt", models.F("period_from")), ("kind__in", ["once", "return"]), _connector="OR"
                ),
                name="rated_item_period_ends_after_it_begins",
            ),
        ),
    ]
