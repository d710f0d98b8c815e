"""What is collected, where it goes and how long it is kept, as two documents made from the code and the settings.

The record of processing activities (Art. 30 GDPR) and a text block for a privacy notice (Art. 13), in German or
English. No database is opened. A test fails if a column is not described here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from newsletter.config import Locale, Settings
from newsletter.texts import third_countries
from newsletter.texts.described import DataClass, Table
from newsletter.texts.inventory import people, records

#: Every table by its name, those about people first.
TABLES: dict[str, Table] = {
    "subscription": people.SUBSCRIPTION,
    "letter": people.LETTER,
    "erasure": people.ERASURE,
    "quota": people.QUOTA,
    "inquiry": people.INQUIRY,
    "ledger_row": records.LEDGER_ROW,
    "seal": records.SEAL,
    "wording": records.WORDING,
    "privacy_notice": records.PRIVACY_NOTICE,
    "keyring": records.KEYRING,
    "daily_count": records.DAILY_COUNT,
    "call_count": records.CALL_COUNT,
    "job": records.JOB,
    "notice": records.NOTICE,
    "retention_run": records.RETENTION_RUN,
    "alembic_version": records.ALEMBIC_VERSION,
}

_texts = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - it is Markdown for the operator's terminal, filled from the operator's settings
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def document(settings: Settings, locale: Locale, classes: Sequence[DataClass]) -> str:
    """Both documents in one language, as Markdown; `classes`: all classes of data."""
    kept = [each for each in classes if _is_there(each, settings)]
    personal = [each for each in kept if each.is_personal]
    record = _render("record", settings, locale, kept)
    return f"{record}\n\n{_render('notice', settings, locale, personal)}"


def _render(name: str, settings: Settings, locale: Locale, kept: Sequence[DataClass]) -> str:
    text = _texts.get_template(f"{name}.{locale}.md").render(
        settings=settings,
        imprint=settings.imprint_in(locale),
        topics=settings.topics_in(locale),
        privacy_url=settings.privacy_url_in(locale),
        basis=third_countries.BASIS.in_(locale),
        assessment=third_countries.ASSESSMENT.in_(locale),
        mail_host=settings.smtp.host if settings.smtp else None,
        site=urlsplit(settings.public_url).hostname,
        mail_tls=_mail_tls(settings),
        counts_elsewhere=urlsplit(settings.storage_uri).hostname,
        days=_days(settings.link_days, locale),
        roles=[admin.name for admin in settings.admins],
        has_file=settings.database_url.startswith("sqlite"),
        tables=[
            (name, table.rows.in_(locale), _columns(table, locale))
            for name, table in TABLES.items()
        ],
        periods=[
            (each.data.in_(locale), each.period.in_(locale), each.reason.in_(locale))
            for each in kept
        ],
    )
    return text.strip() + "\n"


def _is_there(kept: DataClass, settings: Settings) -> bool:
    return kept.name != "client_limits" or settings.client_limit != "off"


def _mail_tls(settings: Settings) -> str | None:
    """Whether e-mails go to the mail server by TLS: "required", "optional", "never"; None without a mail server."""
    if settings.smtp is None:
        return None
    return "required" if settings.smtp.implicit_tls else settings.smtp.starttls


def _columns(table: Table, locale: Locale) -> list[tuple[str, str]]:
    return [(name, text.in_(locale)) for name, text in table.columns.items()]


def _days(count: int, locale: Locale) -> str:
    one, many = ("day", "days") if locale == "en" else ("Tag", "Tage")
    return f"{count} {one if count == 1 else many}"
