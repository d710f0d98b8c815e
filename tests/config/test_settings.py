"""The environment: complete and right, or refused as a whole without showing a secret."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from newsletter.config import Settings, load
from newsletter.domain.errors import SettingsError
from tests.conftest import COMPANY

EXAMPLE = Path(__file__).parents[2] / ".env.example"
MINIMAL = {
    name: COMPANY[name]
    for name in (
        "SECRET_KEY",
        "DATA_KEY",
        "ORGANISATION",
        "IMPRINT",
        "CONTACT_EMAIL",
        "PRIVACY_URL",
        "TOPICS",
    )
}
ONLINE = {
    **MINIMAL,
    "PUBLIC_URL": "https://newsletter.example.com",
    "SMTP_URL": "smtp://user:pass%40word@mail.example.com",
    "MAIL_FROM": "Muster <newsletter@example.com>",
}
KEY = {"MAILCHIMP_API_KEY": "0123456789abcdef-us7", "MAILCHIMP_LIST_ID": "a1b2c3"}


def problems_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environ)
    return refused.value.problems


def test_the_required_settings_are_enough_on_localhost() -> None:
    settings = load(MINIMAL)

    assert settings.public_url == "http://localhost:8000"
    assert settings.database_url.startswith("sqlite:////")
    assert settings.smtp is None
    assert settings.locales == ("de",)


def test_an_empty_environment_names_every_required_variable_at_once() -> None:
    problems = problems_of({})

    assert {problem.split(":")[0] for problem in problems} == set(MINIMAL)


@pytest.mark.requires("R15", "R23", "R74")
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECRET_KEY", "too-short"),
        ("SECRET_KEY", f"{'x' * 32},too-short"),
        ("DATA_KEY", "too-short"),
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PUBLIC_URL", "http://newsletter.example.com"),
        ("PUBLIC_URL", "newsletter.example.com"),
        ("PUBLIC_URL", "https://newsletter.example.com/?a=b"),
        ("PUBLIC_URL", "https://newsletter.example.com:port"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("ORGANISATION", "CHANGE-ME"),
        ("ORGANISATION", "two\nlines"),
        ("IMPRINT", "  "),
        ("CONTACT_EMAIL", "nobody"),
        ("PRIVACY_URL", "www.example.com"),
        ("DEFAULT_LOCALE", "fr"),
        ("DEFAULT_LOCALE", "en"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TIMEZONE", "../etc/passwd"),
        ("SMTP_URL", "http://mail.example.com"),
        ("SMTP_URL", "smtp://user@mail.example.com"),
        ("SMTP_URL", "smtp://mail.example.com?starttls=maybe"),
        ("SMTP_URL", "smtp://mail.example.com/path"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "Ada\r\nBcc: x <ada@example.com>"),
        ("MAILCHIMP_API_KEY", "0123456789äbcdef-us7"),
        ("MAILCHIMP_LIST_ID", "../x"),
        ("MAILCHIMP_API_URL", "http://mailchimp.example.com/3.0"),
        ("MAILCHIMP_API_URL", "https://server.example.com/3.0"),
        ("MAILCHIMP_WEBHOOK_SECRET", "with/slash"),
        ("ADMIN_TOKENS", "without-a-name"),
        ("ADMIN_TOKENS", "bad name:token"),
        ("ADMIN_TOKENS", "dpo:"),
        ("ADMIN_TOKENS", "dpo::read"),
        ("ALLOWED_ORIGINS", "https://www.example.com/path"),
        ("ALLOWED_ORIGINS", "www.example.com"),
        ("TRUSTED_PROXIES", "-1"),
        ("LINK_DAYS", "15"),
        ("LINK_DAYS", "0"),
        ("CLIENT_LIMIT", "many"),
        ("STORAGE_URI", "carrier-pigeon://"),
        ("WEB_CONCURRENCY", "0"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name_and_never_shown(variable: str, value: str) -> None:
    problems = problems_of({**MINIMAL, variable: value})

    assert any(problem.startswith(f"{variable}: ") for problem in problems)
    if len(value) > 6 and value.isprintable():
        assert value not in "\n".join(problems)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "eighty", "must be a whole number from 1 to 65535"),
        ("LINK_DAYS", "99", "must be a whole number from 1 to 14"),
        ("TRUSTED_PROXIES", "1.5", "must be a whole number from 0 to 10"),
        ("CLIENT_LIMIT", "20/m", "must look like `20 per 10 minutes`, or `off`"),
        ("CLIENT_LIMIT", "0 per minute", "must look like `20 per 10 minutes`, or `off`"),
        ("DEFAULT_LOCALE", "fr", "must be de or en"),
        ("LOG_LEVEL", "LOUD", "must be DEBUG, INFO, WARNING or ERROR"),
    ],
)
def test_a_wrong_value_is_refused_in_our_own_words(variable: str, value: str, said: str) -> None:
    assert f"{variable}: {said}" in problems_of({**MINIMAL, variable: value})


def sourced(file: Path) -> dict[str, str]:
    """The environment that a shell makes of a file, as .env.example says how."""
    script = 'set -eu; set -a; . "$1"; set +a; exec env -0'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", str(file)], env={}, capture_output=True, check=True
    )
    assert done.stderr == b""
    return dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)


def test_a_shell_can_read_the_example_as_it_is() -> None:
    # gunicorn itself reads WEB_CONCURRENCY, and ends with a traceback where it is empty.
    names = {name.upper() for name in Settings.model_fields} - {"WEB_CONCURRENCY"}
    assert sourced(EXAMPLE).keys() - {"PWD"} == names
    assert "# WEB_CONCURRENCY=" in EXAMPLE.read_text("utf-8")


def test_a_shell_reads_the_example_filled_in_as_it_says(tmp_path: Path) -> None:
    text = EXAMPLE.read_text("utf-8")
    for name, value in MINIMAL.items():
        text = text.replace(f"\n{name}=\n", f"\n{name}='{value}'\n")
    filled = tmp_path / ".env"
    filled.write_text(text, "utf-8")

    assert load(sourced(filled)) == load(MINIMAL)


def test_off_localhost_a_mail_server_is_required() -> None:
    assert any(
        problem.startswith("SMTP_URL: ")
        for problem in problems_of({**MINIMAL, "PUBLIC_URL": "https://newsletter.example.com"})
    )


def test_a_mail_server_needs_a_sender() -> None:
    environ = {**MINIMAL, "SMTP_URL": "smtp://localhost:25"}

    assert problems_of(environ) == ["MAIL_FROM: is required with SMTP_URL"]


def test_a_key_needs_an_audience() -> None:
    environ = {**MINIMAL, "MAILCHIMP_API_KEY": KEY["MAILCHIMP_API_KEY"]}

    assert problems_of(environ) == ["MAILCHIMP_LIST_ID: is required with MAILCHIMP_API_KEY"]


def test_a_key_with_a_blank_is_the_only_problem() -> None:
    environ = {**MINIMAL, **KEY, "MAILCHIMP_API_KEY": "0123456789 abcdef-us7"}

    assert problems_of(environ) == ["MAILCHIMP_API_KEY: must be ASCII without blanks"]


@pytest.mark.parametrize("key", ["nodash", "two-dash-es", "key-"])
def test_a_key_without_a_data_centre_needs_the_api_url(key: str) -> None:
    [problem] = problems_of({**MINIMAL, **KEY, "MAILCHIMP_API_KEY": key})

    assert problem.startswith("MAILCHIMP_API_URL: is required")
    assert key not in problem.replace("…-us1", "")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_spellings_of_postgresql_are_understood(scheme: str) -> None:
    settings = load({**MINIMAL, "DATABASE_URL": f"{scheme}://user:secret@db.example.com/news"})

    assert settings.database_url == "postgresql+psycopg://user:secret@db.example.com/news"


@pytest.mark.parametrize(
    ("url", "port", "starttls", "implicit_tls"),
    [
        ("smtp://user:pw@mail.example.com", 587, "required", False),
        ("smtp://user:pw@mail.example.com:25?starttls=never", 25, "never", False),
        ("smtps://user:pw@mail.example.com", 465, "required", True),
        ("smtp://localhost:1025", 1025, "never", False),
        ("smtp://[::1]:1025?starttls=optional", 1025, "optional", False),
    ],
)
def test_a_mail_servers_url_is_parsed(
    url: str, port: int, starttls: str, implicit_tls: bool
) -> None:
    server = load({**ONLINE, "SMTP_URL": url}).smtp

    assert server is not None
    assert (server.port, server.starttls) == (port, starttls)
    assert server.implicit_tls is implicit_tls


def test_a_password_may_hold_any_character_and_is_not_shown() -> None:
    server = load(ONLINE).smtp

    assert server is not None
    assert server.password is not None
    assert server.password.get_secret_value() == "pass@word"
    assert "word" not in repr(server).replace("password", "")


def test_settings_show_no_secret() -> None:
    shown = repr(load({**ONLINE, **KEY, "ADMIN_TOKENS": "dpo:very-secret-token"}))

    for secret in ("pass%40word", "0123456789abcdef", "very-secret", MINIMAL["DATA_KEY"]):
        assert secret not in shown


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError):
        load(MINIMAL).port = 9000  # type: ignore[misc]


def test_line_breaks_in_the_imprint_are_written_as_backslash_n() -> None:
    assert load({**MINIMAL, "IMPRINT": "Muster GmbH\\nMusterweg 1"}).imprint.splitlines() == [
        "Muster GmbH",
        "Musterweg 1",
    ]


def test_english_is_offered_where_its_topics_are_set() -> None:
    settings = load({**MINIMAL, "TOPICS_EN": "tools", "DEFAULT_LOCALE": "en"})

    assert settings.locales == ("en", "de")
    assert settings.topics_in("en") == "tools"
    assert settings.imprint_in("en") == settings.imprint


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert load({**MINIMAL, "LINK_DAYS": "", "TOPICS_EN": ""}) == load(MINIMAL)


def test_several_tokens_have_their_names() -> None:
    admins = load({**MINIMAL, "ADMIN_TOKENS": "dpo:one, desk:two:three, it:four:read"}).admins

    assert [(it.name, it.token.get_secret_value(), it.may_act) for it in admins] == [
        ("dpo", "one", True),
        ("desk", "two:three", True),
        ("it", "four", False),
    ]


def test_every_field_is_a_setting_of_the_environment() -> None:
    assert all(name == name.lower() for name in Settings.model_fields)


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("Muster <news@example.com>", "Muster", "news@example.com"),
        ("news@example.com", "", "news@example.com"),
        ("<news@example.com>", "", "news@example.com"),
        (
            '"Muster, \\"Nord\\" (Ltd.)" <news@example.com>',
            'Muster, "Nord" (Ltd.)',
            "news@example.com",
        ),
        ("Muster, Söhne (Ltd.) <news@straße.de>", "Muster, Söhne (Ltd.)", "news@xn--strae-oqa.de"),
        ("=?utf-8?q?=0a?= <news@example.com>", "=?utf-8?q?=0a?=", "news@example.com"),
    ],
)
def test_a_senders_name_is_taken_as_it_is_written(value: str, name: str, address: str) -> None:
    sender = load({**ONLINE, "MAIL_FROM": value}).sender

    assert (sender.name, sender.address.text) == (name, address)


def test_without_a_sender_the_organisation_writes_from_its_contact_address() -> None:
    sender = load(MINIMAL).sender

    assert (sender.name, sender.address.text) == (MINIMAL["ORGANISATION"], MINIMAL["CONTACT_EMAIL"])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAIL_FROM", "Muster <grüße@example.com>"),
        ("MAIL_FROM", "Muster <=?utf-8?q?x?=@example.com>"),
        ("MAIL_FROM", "Muster <news@example.com> SIZE=1"),
        ("MAIL_FROM", "Muster <news@example.com>, <x@example.com>"),
        ("MAIL_FROM", "Muster <x@example.com> <news@example.com>"),
        ("MAIL_FROM", '"Muster" <"a b"@example.com>'),
        ("CONTACT_EMAIL", "grüße@example.com"),
        ("CONTACT_EMAIL", "a@example.com, b@example.com"),
        ("CONTACT_EMAIL", "Ada <a@example.com>"),
        ("PUBLIC_URL", "https://a_b.example.com"),
        ("PUBLIC_URL", "https://user@example.com"),
        ("PUBLIC_URL", "https://example.com/a b"),
        ("PUBLIC_URL", "https://example.com\n/x"),
        ("PRIVACY_URL", "https://example.com/a\nb"),
        ("ALLOWED_ORIGINS", "https://www.example.com\\@evil.example"),
        ("ALLOWED_ORIGINS", "https://user@www.example.com"),
        ("SMTP_URL", "smtp://bü_cher.example.com"),
        ("TOPICS", "tools \udce4"),
    ],
)
def test_an_ambiguous_value_is_refused(variable: str, value: str) -> None:
    problems = problems_of({**ONLINE, variable: value})

    assert [problem.split(":")[0] for problem in problems] == [variable]


def test_hosts_are_written_in_ascii_as_browsers_write_them() -> None:
    settings = load(
        {
            **ONLINE,
            "PUBLIC_URL": "https://Bücher.example.com:443/news/",
            "ALLOWED_ORIGINS": "https://www.straße-test.de, https://www.example.com:443/",
            "SMTP_URL": "smtp://mail.straße.de",
        }
    )

    assert settings.public_url == "https://xn--bcher-kva.example.com/news"
    assert settings.allowed_origins == (
        "https://www.xn--strae-test-83a.de",
        "https://www.example.com",
    )
    assert settings.smtp is not None
    assert settings.smtp.host == "mail.xn--strae-oqa.de"
