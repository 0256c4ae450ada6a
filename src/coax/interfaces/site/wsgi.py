"""The site as servers call it."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coax.interfaces.site.settings")

application = get_wsgi_application()
