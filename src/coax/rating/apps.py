from django.apps import AppConfig


class RatingConfig(AppConfig):
    name = "coax.rating"
    label = "rating"
    verbose_name = "Rating"
