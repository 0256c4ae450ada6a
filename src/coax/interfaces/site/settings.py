"""Django's settings: wiring only; what a person may set comes from the environment (docs/operations.md)."""

from __future__ import annotations

import hashlib
from typing import Any

from coax.base.db import django_databases
from coax.base.settings import read_environment

_environment = read_environment()

DEBUG = _environment.debug
ALLOWED_HOSTS = list(_environment.allowed_hosts)
DATABASES: dict[str, dict[str, Any]] = django_databases(_environment)
# Derived from the owner's password, which is secret and stays the same as long as the database does.
SECRET_KEY = hashlib.sha256(f"coax {DATABASES['owner']['PASSWORD']}".encode()).hexdigest()
DATABASE_ROUTERS: list[str] = []

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "coax.base",
    "coax.configuration",
    "coax.party",
    "coax.subscription",
    "coax.rating",
    "coax.billing",
    "coax.ledger",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
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
            ]
        },
    }
]

AUTH_USER_MODEL = "party.StaffMember"
SILENCED_SYSTEM_CHECKS = [
    "auth.E003",
    "auth.W004",
]  # user names are unique per operator; the backend names the operator

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
ROOT_URLCONF = "coax.interfaces.site.urls"
