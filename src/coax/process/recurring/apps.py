from django.apps import AppConfig


class RecurringConfig(AppConfig):
    name = "coax.process.recurring"
    label = "process"
    verbose_name = "Recurring processes"
