from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "coax.base"
    label = "base"
    verbose_name = "Platform"
