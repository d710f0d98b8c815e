"""Variables that look like ours."""

from __future__ import annotations

import pytest

from newsletter.cli.check import settings
from newsletter.config import Settings

KNOWN = [name.upper() for name in Settings.model_fields]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MAILCHIMP_KEY", "MAILCHIMP_API_KEY"),
        ("MAILCHIMP_LISTID", "MAILCHIMP_LIST_ID"),
        ("MAILCHIMP_SERVER", "MAILCHIMP_API_KEY"),
        ("SMTP_URI", "SMTP_URL"),
        ("SMTP_PASSWORD", "SMTP_URL"),
        ("EMAIL_FROM", "MAIL_FROM"),
        ("ADMIN_TOKEN", "ADMIN_TOKENS"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("TIME_ZONE", "TIMEZONE"),
        ("ORGANIZATION", "ORGANISATION"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("public_uri", "PUBLIC_URL"),
    ],
)
def test_a_misspelt_variable_is_found(name: str, meant: str) -> None:
    [found] = settings.misspelt({name, "PATH"})

    assert str(found) == (
        f"{name.upper()}: is no setting, and not read;"
        f" name it {meant}, or remove it if it is another program's."
    )
    assert not found.is_hint


def test_a_misspelt_variable_beside_the_right_one_is_only_worth_knowing() -> None:
    [found] = settings.misspelt({"SMTP_HOST", "SMTP_URL"})

    assert found.is_hint


@pytest.mark.parametrize(
    "names",
    [
        KNOWN,
        [name.lower() for name in KNOWN],
        ["PATH", "HOME", "LANG", "TZ", "USER", "LOGNAME", "MAIL", "HOSTNAME", "PWD", "SHELL"],
        ["WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "PYTHONPATH", "VIRTUAL_ENV", "DYNO", "HOST"],
        ["SSL_CERT_FILE", "SECRET_KEY_BASE", "PGPORT", "PGPASSWORD", "XDG_DATA_DIRS", "EDITOR"],
        ["INVOCATION_ID", "JOURNAL_STREAM", "LISTEN_PID", "CREDENTIALS_DIRECTORY", "HTTP_PROXY"],
    ],
)
def test_what_others_name_their_variables_is_not_our_concern(names: list[str]) -> None:
    assert list(settings.misspelt(names)) == []
