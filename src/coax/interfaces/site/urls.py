"""The site's addresses: wiring only."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("console/", admin.site.urls),
    path("api/", include("coax.interfaces.api.rest.urls")),
]
handler403 = "coax.interfaces.console.problems.refuse_right"
handler404 = "coax.interfaces.console.problems.refuse_unknown"
handler500 = "coax.interfaces.console.problems.admit_fault"
