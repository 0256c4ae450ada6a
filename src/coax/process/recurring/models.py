"""Tables of recurring processes: how far each is planned, its executions, what they refused."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import F, Q

KINDS: Final = ("deactivation", "scheduled_actions", "settled_activation", "billing")
STATES: Final = ("missed", "waiting", "running", "completed", "completed_with_refusals", "failed", "stopped")
UNBEGUN: Final = ("missed", "waiting")
OVER: Final = ("completed", "completed_with_refusals", "failed", "stopped")


class ProcessPlan(models.Model):
    """Until when the occurrences of a process are rows of `process_run`; what comes later is not."""

    pk = models.CompositePrimaryKey("tenant_id", "kind", "entity_id")
    tenant_id = models.IntegerField()
    kind = models.TextField()
    entity = models.ForeignKey("configuration.ConfigurationEntity", models.PROTECT, related_name="+")
    planned_until = models.DateTimeField()

    class Meta:
        db_table = "process_plan"
        constraints = [models.CheckConstraint(condition=Q(kind__in=KINDS), name="process_plan_kind_is_known")]


class ProcessRun(models.Model):
    """One execution of a process, or the occurrence of a schedule at which there was none."""

    id = models.BigIntegerField(primary_key=True)
    tenant_id = models.IntegerField()
    number = models.BigIntegerField()
    kind = models.TextField()
    entity = models.ForeignKey("configuration.ConfigurationEntity", models.PROTECT, related_name="+")
    version = models.ForeignKey("configuration.ConfigurationVersion", models.PROTECT, null=True, related_name="+")
    due_at = models.DateTimeField()
    is_scheduled = models.BooleanField()
    asked_by = models.TextField()
    state = models.TextField()
    attempts = models.IntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    worked_ms = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    left_s = models.BigIntegerField(null=True)
    counts = models.JSONField(default=dict)
    billing_run = models.ForeignKey("billing.Run", models.PROTECT, null=True, related_name="+")
    is_stop_asked = models.BooleanField(default=False)
    error = models.TextField(default="")

    class Meta:
        db_table = "process_run"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "number"], name="process_run_number_is_unique"),
            models.UniqueConstraint(
                fields=["tenant_id", "kind", "entity", "due_at"], name="process_run_happens_once_per_occurrence"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "kind", "entity"],
                condition=Q(state="running"),
                name="process_run_is_the_only_running_one",
            ),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="process_run_kind_is_known"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="process_run_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(started_at__isnull=False, version__isnull=False),
                name="process_run_runs_since_and_by_a_version",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OVER, finished_at__isnull=False)
                | Q(~Q(state__in=OVER), finished_at__isnull=True),
                name="process_run_over_has_an_end",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(error=""), name="process_run_failed_says_why"),
            models.CheckConstraint(condition=Q(done__gte=0, total__gte=F("done")), name="process_run_done_is_of_total"),
        ]
        indexes = [
            models.Index(
                fields=["tenant_id", "due_at"],
                condition=Q(state__in=["missed", "waiting", "running", "failed"]),
                name="process_run_not_done",
            ),
        ]


class ProcessRefusal(models.Model):
    """What an execution refused, and why; a resumed one that refuses the same again leaves no second row."""

    pk = models.CompositePrimaryKey("run_id", "subject", "action_id")
    tenant_id = models.IntegerField()
    run = models.ForeignKey(ProcessRun, models.PROTECT, related_name="+")
    subject = models.TextField()
    action_id = models.BigIntegerField(default=0)
    code = models.TextField()
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "process_refusal"
