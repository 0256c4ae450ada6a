"""Tables of the configuration: an entity is a kind and a code, a version is what it says from a date on."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

STATES: Final = ("active", "inactive", "draft")


class ConfigurationEntity(models.Model):
    id = models.BigAutoField(primary_key=True)
    tenant_id = models.IntegerField()
    kind = models.TextField()
    code = models.TextField()

    class Meta:
        db_table = "configuration_entity"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "kind", "code"], name="configuration_entity_code_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"


class ConfigurationVersion(models.Model):
    id = models.BigAutoField(primary_key=True)
    tenant_id = models.IntegerField()
    entity = models.ForeignKey(ConfigurationEntity, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    name = models.TextField()
    effective_date = models.DateField()
    state = models.TextField()
    body = models.JSONField()
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField()

    class Meta:
        db_table = "configuration_version"
        constraints = [
            models.UniqueConstraint(fields=["entity", "effective_date"], name="configuration_version_date_is_unique"),
            models.UniqueConstraint(fields=["entity", "number"], name="configuration_version_number_is_unique"),
            models.CheckConstraint(condition=Q(number__gt=0), name="configuration_version_number_is_positive"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="configuration_version_state_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id} version {self.number}"
