"""The record of processing and the text for a privacy notice: complete, in both languages, as of today's law."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import inspect

from newsletter.cli import main
from newsletter.config import Locale, load
from newsletter.rights.retention import CLASSES
from newsletter.storage.models import Model, db
from newsletter.texts import inventory
from newsletter.texts.inventory import TABLES
from tests.conftest import COMPANY

PACKAGE = Path(inventory.__file__).parent.parent.parent
LANGUAGES: tuple[Locale, Locale] = ("de", "en")
#: Struck down by the Court of Justice in 2020; replaced in 2024 by DDG and TDDDG.
OUTDATED = re.compile(r"privacy[ -]shield|\bTMG\b|telemediengesetz|\bTTDSG\b", re.IGNORECASE)
FULL = {
    **COMPANY,
    "AUTHORITY": "Landesbeauftragte für den Datenschutz, Musterstadt",
    "PUBLIC_URL": "https://news.example.com",
    "SMTP_URL": "smtp://relay-user:relay-password@mail.example.net:587",
    "MAILCHIMP_API_KEY": "0123456789abcdef0123456789abcdef-us1",
    "MAILCHIMP_LIST_ID": "a1b2c3d4e5",
    "MAILCHIMP_SIGNING_SECRET": "signs-the-hooks-of-mailchimp",
    "STORAGE_URI": "redis://redis-user:redis-password@counts.example.net",
    "CLIENT_LIMIT": "7 per 3 minutes",
    "LINK_DAYS": "11",
}

in_both_languages = pytest.mark.parametrize("locale", LANGUAGES)


def document(locale: Locale, **variables: str) -> str:
    return inventory.document(load({**FULL, **variables}), locale, CLASSES)


def columns_named() -> dict[str, set[str]]:
    """The tables and columns that are named."""
    return {name: set(table.columns) for name, table in TABLES.items()}


@pytest.mark.requires("R9")
def test_every_column_of_every_table_is_named_and_none_that_is_gone() -> None:
    held = {name: set(table.columns.keys()) for name, table in Model.metadata.tables.items()}

    assert {
        name: columns for name, columns in columns_named().items() if name != "alembic_version"
    } == held


def test_every_table_that_the_migrations_make_is_named(app: Flask) -> None:
    with app.app_context():
        looked = inspect(db.engine)
        names = looked.get_table_names()
        held = {name: {column["name"] for column in looked.get_columns(name)} for name in names}

    assert columns_named() == held


@in_both_languages
def test_every_column_is_described(locale: Locale) -> None:
    told = document(locale)

    for name, table in TABLES.items():
        _, _, chapter = told.partition(f"\n#### {name}\n")
        chapter, _, _ = chapter.partition("\n#")
        assert table.rows.in_(locale) in chapter
        for column, text in table.columns.items():
            assert f"\n- `{column}`: {text.in_(locale)}\n" in chapter


@pytest.mark.parametrize("name", TABLES)
def test_no_text_is_missing_or_the_same_in_both_languages(name: str) -> None:
    texts = [TABLES[name].rows, *TABLES[name].columns.values()]

    assert all(len(text.de) > 3 and len(text.en) > 3 for text in texts)
    assert [text.en for text in texts if text.de == text.en] == []


@pytest.mark.requires("R9")
@in_both_languages
def test_the_settings_fill_it(locale: Locale) -> None:
    told = document(locale)

    for value in (
        COMPANY["ORGANISATION"],
        *COMPANY["IMPRINT"].split("\\n"),
        COMPANY["CONTACT_EMAIL"],
        COMPANY["PRIVACY_URL"],
        COMPANY["TOPICS_EN" if locale == "en" else "TOPICS"],
        FULL["AUTHORITY"],
        "news.example.com",
        "mail.example.net",
        "counts.example.net",
        "7 per 3 minutes",
        "11 days" if locale == "en" else "11 Tage",
        "dpo",
        "SQLite",
    ):
        assert value in told


@in_both_languages
def test_no_secret_is_in_it(locale: Locale) -> None:
    told = document(locale)

    for secret in ("SECRET_KEY", "DATA_KEY", "MAILCHIMP_API_KEY", "MAILCHIMP_WEBHOOK_SECRET"):
        assert FULL[secret] not in told
    for secret in ("relay-", "redis-", FULL["ADMIN_TOKENS"].partition(":")[2], "signs-the-hooks"):
        assert secret not in told


@in_both_languages
def test_english_settings_fill_the_english_one(locale: Locale) -> None:
    told = document(
        locale, IMPRINT_EN="Sample & Sons Ltd", PRIVACY_URL_EN="https://www.example.com/privacy"
    )

    assert ("Sample & Sons Ltd" in told) == (locale == "en")
    assert ("https://www.example.com/privacy" in told) == (locale == "en")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"AUTHORITY": ""}, "[zuständige Behörde; Einstellung AUTHORITY]"),
        ({"ADMIN_TOKENS": ""}, "[wer Zugang hat]"),
        ({"STORAGE_URI": ""}, "im Arbeitsspeicher"),
        ({"CLIENT_LIMIT": "off"}, "Aufrufe je Absender werden nicht gezählt"),
        ({"LINK_DAYS": "1"}, "Der Bestätigungslink gilt 1 Tag."),
        ({"LEDGER_CHECKPOINTS": "/srv/checkpoints"}, "Signierte Prüfpunkte"),
        ({"MAILCHIMP_API_KEY": ""}, "Derzeit nicht angebunden"),
        ({"DATABASE_URL": "postgresql://db.example.net/newsletter"}, "(PostgreSQL)"),
        ({"SMTP_URL": "", "PUBLIC_URL": "http://localhost:8000"}, "var/mail/"),
    ],
)
def test_other_settings_change_the_text(setting: dict[str, str], told: str) -> None:
    assert told not in document("de")
    assert told in document("de", **setting)


@pytest.mark.requires("R65", "R76")
@in_both_languages
@pytest.mark.parametrize(
    "basis",
    [
        ("Art. 6 Abs. 1 lit. a DSGVO", "Art. 6(1)(a)"),
        ("Art. 7 Abs. 1", "Art. 7(1)"),
        ("Art. 6 Abs. 1 lit. f", "Art. 6(1)(f)"),
        ("§ 7 Abs. 2 Nr. 2 UWG", "§ 7(2) no. 2 UWG"),
        ("Data Privacy Framework", "Data Privacy Framework"),
        ("Standardvertragsklauseln", "standard contractual clauses"),
        ("T-553/23", "T-553/23"),
        ("§ 25 TDDDG", "§ 25 TDDDG"),
        ("§ 5 DDG", "§ 5 DDG"),
        (
            "vermerkt als IP-Adresse der Bestätigung die unseres Servers",
            "records the IP address of our server",
        ),
        ("wer einen Newsletter öffnet", "who opens a newsletter"),
    ],
    ids=lambda basis: basis[1],
)
def test_it_names_what_the_law_requires(locale: Locale, basis: tuple[str, str]) -> None:
    assert basis[LANGUAGES.index(locale)] in " ".join(document(locale).split())


@pytest.mark.requires("R65")
@in_both_languages
@pytest.mark.parametrize(
    "promise",
    [
        ("eine gültige E-Mail-Adresse", "a valid e-mail address"),
        (
            "die Bestellung des Newsletters, den Versand der Bestätigungsmail und den Eingang der Antwort",
            "the request, the sending of the confirmation e-mail and the receipt of the answer",
        ),
        ("Weitere Daten werden nicht erhoben", "No further data is collected"),
        ("ausschließlich für den Newsletter verwendet", "used only for the newsletter"),
        ("mit nichts anderem verknüpft", "linked with nothing else"),
        ("für den Versand gesperrt, nicht gelöscht", "blocked for mailings, not deleted"),
        ("auf Ihr ausdrückliches Verlangen", "at your explicit request"),
        ("Auskunft über Ihre Daten", "access to your data"),
        ("ihre Berichtigung", "their rectification"),
        ("ihre Sperrung", "their blocking"),
        ("nicht länger aufbewahrt als nötig", "kept no longer than needed"),
    ],
    ids=lambda promise: promise[1],
)
def test_the_notice_keeps_the_promise(locale: Locale, promise: tuple[str, str]) -> None:
    _, _, notice = document(locale).partition("(Art. 13 ")

    assert promise[LANGUAGES.index(locale)] in " ".join(notice.split())


@in_both_languages
def test_the_record_lists_all_periods_and_the_notice_the_personal_ones(locale: Locale) -> None:
    told = document(locale)

    for kept in CLASSES:
        times = 2 if kept.is_personal else 1
        assert told.count(f"- {kept.data.in_(locale)}: {kept.period.in_(locale)}") == times
        assert f"({kept.reason.in_(locale)})." in told


@pytest.mark.parametrize(
    ("locale", "counting"),
    [
        ("de", "Begrenzung je Absender|Aufrufe;|Zähler gegen"),
        ("en", "limit per client|we count|Counters"),
    ],
)
def test_without_a_client_limit_the_texts_do_not_mention_counting(
    locale: Locale, counting: str
) -> None:
    assert len(re.findall(counting, document(locale))) >= 3
    assert re.findall(counting, document(locale, CLIENT_LIMIT="off")) == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("smtps://mail.example.net", "nur mit TLS und Prüfung"),
        ("smtp://mail.example.net", "nur mit TLS und Prüfung"),
        ("smtp://mail.example.net?starttls=optional", "mit TLS, wo er es anbietet"),
        ("smtp://mail.example.net?starttls=never", "ohne TLS"),
        ("smtp://localhost", "ohne TLS"),
    ],
)
def test_the_tls_of_the_mail_server_is_stated(url: str, told: str) -> None:
    assert f"- Übertragung zum Mailserver: {told}" in document("de", SMTP_URL=url)


@in_both_languages
def test_the_notice_names_the_page_where_people_help_themselves(locale: Locale) -> None:
    assert "https://news.example.com/my-data" in document(locale)


@in_both_languages
@pytest.mark.parametrize("limit", ["off", "7 per 3 minutes"])
def test_no_sentence_of_the_notice_is_led_by_two_spaces(locale: Locale, limit: str) -> None:
    _, _, notice = document(locale, CLIENT_LIMIT=limit).partition("(Art. 13 ")

    assert re.findall(r"\S  +\S", notice) == []


@in_both_languages
def test_no_placeholder_remains(locale: Locale) -> None:
    assert not re.search(r"\{\{|\}\}|\{%|%\}|\bNone\b|\bTrue\b|\bFalse\b", document(locale))


@pytest.mark.requires("R65")
def test_no_text_of_ours_names_a_law_that_is_gone() -> None:
    kinds = {".html", ".txt", ".subject", ".md", ".po", ".py"}
    texts = [path for path in PACKAGE.rglob("*") if path.suffix in kinds]

    assert len(texts) > 100
    assert [path.name for path in texts if OUTDATED.search(path.read_text("utf-8"))] == []


def run(*words: str, **variables: str) -> Result:
    environ: dict[str, Any] = {**FULL, **variables}
    return CliRunner().invoke(main, ["data-inventory", *words], env=environ)


@pytest.mark.requires("R9")
@pytest.mark.parametrize(
    ("words", "default", "locale"),
    [
        ([], "", "de"),
        ([], "en", "en"),
        (["--locale", "en"], "de", "en"),
        (["--locale", "de"], "en", "de"),
    ],
)
def test_the_command_prints_it_in_the_requested_language(
    words: list[str], default: str, locale: Locale
) -> None:
    result = run(*words, DEFAULT_LOCALE=default)

    assert (result.exit_code, result.stdout) == (0, document(locale))


def test_the_command_opens_no_database(tmp_path: Path) -> None:
    file = tmp_path / "none.sqlite3"

    assert run(DATABASE_URL=f"sqlite:///{file}").exit_code == 0
    assert not file.exists()


@pytest.mark.parametrize(
    ("words", "variables"), [(["--locale", "fr"], {}), ([], {"ORGANISATION": ""})]
)
def test_wrong_usage_or_settings_are_status_two(
    words: list[str], variables: dict[str, str]
) -> None:
    result = run(*words, **variables)

    assert (result.exit_code, result.stdout) == (2, "")
