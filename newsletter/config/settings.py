"""The settings, and the checks that need two of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from newsletter.config.mail import Sender, SmtpServer
from newsletter.config.urls import BaseUrl, DatabaseUrl, LimitsStorage, WebUrl, base_url, is_local
from newsletter.config.values import (
    READ_ONLY_SUFFIX,
    AsciiKey,
    Folder,
    Keys,
    Language,
    Limit,
    Line,
    Locale,
    LogLevel,
    Mailbox,
    Names,
    Origins,
    Text,
    TextFile,
    TimeZone,
    Tokens,
    Topics,
    UrlSegment,
)
from newsletter.domain.address import Address


@dataclass(frozen=True)
class AdminToken:
    """A token for the admin endpoints and the desk; the name (a role) goes into the ledger."""

    name: str
    token: SecretStr
    may_act: bool = True  #: False: it may only read


class Settings(BaseModel):
    """A field for each variable, whose name it has in lower case."""

    model_config = ConfigDict(
        frozen=True,
        # A rejected secret must not be printed with the rejection.
        hide_input_in_errors=True,
        validate_default=True,
    )

    secret_key: Keys
    data_key: Keys
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = ""
    database_url: DatabaseUrl = ""
    organisation: Line
    imprint: Text
    contact_email: Mailbox
    privacy_url: WebUrl
    privacy_file: TextFile | None = None
    topics: Topics
    imprint_en: Text | None = None
    privacy_url_en: WebUrl | None = None
    privacy_file_en: TextFile | None = None
    topics_en: Topics | None = None
    default_locale: Language = "de"
    timezone: TimeZone = "Europe/Berlin"
    authority: Line | None = None
    recipients: Names = ()
    home_url: WebUrl | None = None
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    mailchimp_api_key: AsciiKey | None = None
    mailchimp_list_id: str | None = None
    mailchimp_api_url: BaseUrl | None = None
    mailchimp_webhook_secret: UrlSegment | None = None
    mailchimp_signing_secret: AsciiKey | None = None
    mailchimp_signup_url: WebUrl | None = None
    admin_tokens: Tokens = ()
    allowed_origins: Origins = ()
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    letters_per_hour: int = Field(default=2000, ge=1, le=1_000_000)
    smtp_connections: int = Field(default=4, ge=1, le=20)
    link_days: int = Field(default=7, ge=1, le=14)
    client_limit: Limit = "20 per 10 minutes"
    storage_uri: LimitsStorage = "memory://"
    web_concurrency: int | None = Field(default=None, ge=1, le=64)
    ledger_checkpoints: Path | None = None
    brand_dir: Folder | None = None
    log_level: LogLevel = "INFO"

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str, info: ValidationInfo) -> str:
        url = base_url(value or f"http://localhost:{info.data.get('port', 8000)}")
        if not url.startswith("https://") and not is_local(url):
            raise ValueError("must begin with https:// unless it names localhost")
        # Servers and proxies encode other characters in more than one way.
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", urlsplit(url).path):
            raise ValueError("must have a path of letters, digits and . _ ~ - alone")
        return url

    @field_validator("default_locale")
    @classmethod
    def _default_locale(cls, value: Locale, info: ValidationInfo) -> Locale:
        if value == "en" and "topics_en" in info.data and info.data["topics_en"] is None:
            raise ValueError("is en, but English is only offered when TOPICS_EN is set")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            SmtpServer.parse(value.get_secret_value())
        elif "public_url" in info.data and not is_local(info.data["public_url"]):
            raise ValueError("is required when PUBLIC_URL is not localhost")
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_from(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            if info.data.get("smtp_url") is not None:
                raise ValueError("is required with SMTP_URL")
            return None
        Sender.parse(value)
        return value

    @field_validator("mailchimp_list_id")
    @classmethod
    def _list_id(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("mailchimp_api_key") is not None:
            raise ValueError("is required with MAILCHIMP_API_KEY")
        if value is not None and not re.fullmatch(r"[A-Za-z0-9]+", value):
            raise ValueError("must be letters and digits alone")
        return value

    @field_validator("mailchimp_api_url")
    @classmethod
    def _api_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        key: SecretStr | None = info.data.get("mailchimp_api_key")
        if value is None and key is not None:
            # The client takes the data centre from the key; without one it would call "invalid-server".
            if not re.fullmatch(r"[^-]+-[a-z]+\d+", key.get_secret_value()):
                raise ValueError(
                    "is required, since MAILCHIMP_API_KEY names no data centre (…-us1)"
                )
        elif value is not None and "server" in value:
            raise ValueError('must not hold the word "server", which the client replaces')
        elif value is not None and not value.startswith("https://") and not is_local(value):
            raise ValueError("must begin with https:// unless it names localhost")
        return value

    @property
    def locales(self) -> tuple[Locale, ...]:
        """The languages offered, the default first."""
        if self.topics_en is None:
            return ("de",)
        return ("de", "en") if self.default_locale == "de" else ("en", "de")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def smtp(self) -> SmtpServer | None:
        """None: e-mails become files under var/mail/."""
        return SmtpServer.parse(self.smtp_url.get_secret_value()) if self.smtp_url else None

    @property
    def sender(self) -> Sender:
        """MAIL_FROM, or else ORGANISATION with CONTACT_EMAIL."""
        if self.mail_from is not None:
            return Sender.parse(self.mail_from)
        return Sender(self.organisation, Address.unchecked(self.contact_email))

    @property
    def admins(self) -> tuple[AdminToken, ...]:
        pairs = (pair.get_secret_value().partition(":") for pair in self.admin_tokens)
        return tuple(
            AdminToken(
                name,
                SecretStr(token.removesuffix(READ_ONLY_SUFFIX)),
                may_act=not token.endswith(READ_ONLY_SUFFIX),
            )
            for name, _, token in pairs
        )

    def topics_in(self, locale: str) -> str:
        return (self.topics_en if locale == "en" else None) or self.topics

    def imprint_in(self, locale: str) -> str:
        """The sender's full identification; it may have several lines."""
        return (self.imprint_en if locale == "en" else None) or self.imprint

    def privacy_url_in(self, locale: str) -> str:
        return (self.privacy_url_en if locale == "en" else None) or self.privacy_url

    def privacy_text_in(self, locale: str) -> str | None:
        """The text of the privacy notice, from the operator's file; None where none is set."""
        is_own = locale == "en" and self.privacy_url_en is not None
        file = self.privacy_file_en if is_own else self.privacy_file
        return None if file is None else file.read_text("utf-8")
