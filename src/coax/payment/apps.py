from django.apps import AppConfig


class PaymentConfig(AppConfig):
    name = "coax.payment"
    label = "payment"
    verbose_name = "Payments"
