from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "coax.subscription"
    label = "subscription"
    verbose_name = "Subscriptions"
