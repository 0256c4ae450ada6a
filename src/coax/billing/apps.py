from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "coax.billing"
    label = "billing"
    verbose_name = "Billing"
