"""The console as Django knows it: its templates and static files, and its site in place of the admin's."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleConfig(AppConfig):
    name = "coax.interfaces.console"
    label = "console"


class ConsoleAdminConfig(SimpleAdminConfig):
    default_site = "coax.interfaces.console.site.ConsoleSite"
