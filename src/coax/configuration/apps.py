from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    name = "coax.configuration"
    label = "configuration"
    verbose_name = "Configuration"
