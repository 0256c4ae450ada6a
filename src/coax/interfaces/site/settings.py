"""Django's settings: wiring only; what a person may set comes from the environment (docs/operations.md)."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from coax.base.db import django_databases
from coax.base.settings import read_environment

_environment = read_environment()

DEBUG = _environment.debug
ALLOWED_HOSTS = list(_environment.allowed_hosts)
DATABASES: dict[str, dict[str, Any]] = django_databases(_environment)
# Derived from the owner's password, which is secret and stays the same as long as the database does.
# A server that is reached without a password gives none: then the key is this process's own.
_secret = _environment.secret_key or DATABASES["owner"]["PASSWORD"] or secrets.token_hex(32)
SECRET_KEY = hashlib.sha256(f"coax {_secret}".encode()).hexdigest()
DATABASE_ROUTERS: list[str] = []

INSTALLED_APPS = [
    "coax.interfaces.console",
    "unfold.apps.BasicAppConfig",
    "coax.interfaces.console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ninja",
    "coax.base",
    "coax.configuration",
    "coax.party",
    "coax.subscription",
    "coax.rating",
    "coax.billing",
    "coax.ledger",
    "coax.payment",
    "coax.process.recurring",
]

MIDDLEWARE = [
    "coax.interfaces.api.rest.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "coax.interfaces.console.middleware.SecureCookieMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "coax.interfaces.console.middleware.OperatorMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "coax.interfaces.console.pages.page.frame_context",
            ]
        },
    }
]

AUTH_USER_MODEL = "party.StaffMember"
AUTHENTICATION_BACKENDS = ["coax.interfaces.console.access.OperatorBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
API_REQUESTS_PER_MINUTE = _environment.api_requests_per_minute
LOGIN_URL = LOGOUT_REDIRECT_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000  # a price plan with all its tiers is one form
SILENCED_SYSTEM_CHECKS = [
    "auth.E003",
    "auth.W004",
]  # user names are unique per operator; the backend names the operator

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "coax": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "procrastinate": {"handlers": ["stderr"], "level": "CRITICAL", "propagate": False},  # the worker says it itself
        "psycopg.pool": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 60 if DEBUG else 3600
WSGI_APPLICATION = "coax.interfaces.site.wsgi.application"
ROOT_URLCONF = "coax.interfaces.site.urls"
