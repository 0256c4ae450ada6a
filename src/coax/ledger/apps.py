from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "coax.ledger"
    label = "ledger"
    verbose_name = "Ledger"
