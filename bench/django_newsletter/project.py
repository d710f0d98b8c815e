"""The smallest site that django-newsletter needs. Runs in an environment of its own, which has Django and not us.

`python project.py release` makes tables and a newsletter, `python project.py codes` prints each sign-up's address and
code, `gunicorn project:application` serves. DATABASE is a PostgreSQL URL or the path of a SQLite file; SMTP_PORT
leads to a mail server on this machine.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

SLUG = "news"


def database(given: str) -> dict[str, Any]:
    """Django's settings for the database, as durable as ours."""
    if not given.startswith("postgresql://"):
        options = {
            "timeout": 10,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        }
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": given, "OPTIONS": options}
    url = urlsplit(given)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": url.hostname,
        "PORT": url.port,
        "USER": url.username,
        "NAME": url.path.lstrip("/"),
        "CONN_MAX_AGE": None,
    }


settings.configure(
    SECRET_KEY="nobody signs anything with this key",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": database(os.environ["DATABASE"])},
    # It sends its letters within the request.
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=int(os.environ.get("SMTP_PORT", "25")),
    DEFAULT_FROM_EMAIL="newsletter@example.com",
    NEWSLETTER_USE_HTTPS=False,
    NEWSLETTER_THUMBNAIL="sorl-thumbnail",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
    SITE_ID=1,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.sites",
        "sorl.thumbnail",
        "newsletter",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                ]
            },
        }
    ],
)

django.setup()
urlpatterns = [path("newsletter/", include("newsletter.urls"))]


def release() -> None:
    """Make the tables, and one newsletter."""
    from django.contrib.sites.models import Site
    from newsletter.models import Newsletter

    call_command("migrate", verbosity=0)
    letters = {
        "title": "News",
        "email": "newsletter@example.com",
        "sender": "News",
        "visible": True,
    }
    newsletter, _ = Newsletter.objects.get_or_create(slug=SLUG, defaults=letters)
    newsletter.site.set(Site.objects.all())


def codes() -> None:
    """Print the address and the code of each sign-up."""
    from newsletter.models import Subscription

    for subscription in Subscription.objects.order_by("id"):
        print(subscription.email_field, subscription.activation_code)


if __name__ == "__main__":
    {"release": release, "codes": codes}[sys.argv[1]]()
else:
    application = get_wsgi_application()
