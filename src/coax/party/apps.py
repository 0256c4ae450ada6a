from django.apps import AppConfig


class PartyConfig(AppConfig):
    name = "coax.party"
    label = "party"
    verbose_name = "Party"
