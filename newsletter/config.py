"""The environment, read once into typed, frozen Settings; nothing else reads it.

A wrong environment is refused as a whole, with every problem at once, by the variable's name and without its
value. The variables are documented in docs/settings.md and listed in .env.example.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

import limits
from flask import current_app
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from newsletter.domain import hosts
from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress, SettingsError

Locale = Literal["de", "en"]

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRET_LENGTH = 32
_IN_QUOTES = re.compile(r"""(["'])(?:(?!\1).)*\1""", re.DOTALL)
_NAME_AND_ADDRESS = re.compile(r'(?:("(?:[^"\\]|\\.)*"|[^<>]*?)\s*<([^<>]*)>|([^<>\s]*))')
_PLACEHOLDER = re.compile(r"\b(change|replace)[-_ ]?me\b", re.IGNORECASE)


def is_local(url: str) -> bool:
    """Tell whether a URL's host is this machine: localhost, 127.0.0.1 or ::1."""
    return urlsplit(url).hostname in _LOCAL_HOSTS


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _parts(url: str) -> SplitResult:
    """Take a URL apart; raise ValueError in words of ours where it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError where it is no number
    except ValueError:
        raise ValueError("is no URL: its host or its port cannot be right") from None
    return parts


def _web_url(value: str) -> str:
    parts = _parts(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that begins with https:// (or http://)")
    if not value.isprintable() or " " in value or "\\" in value:
        raise ValueError("must not hold a blank, a control character or a backslash")
    return value.rstrip("/")


def _mailable(value: str) -> Address:
    """An address of ours, to which and from which letters can go; raise ValueError."""
    try:
        address = Address.as_held(value)
    except InvalidAddress as error:
        raise ValueError("is no e-mail address") from error
    if not address.is_mailable:
        raise ValueError("must be an e-mail address alone, in ASCII before the @")
    return address


@dataclass(frozen=True)
class Sender:
    """Who writes our letters: MAIL_FROM, taken apart. The name may hold any character that is printed."""

    name: str
    address: Address

    @classmethod
    def parse(cls, value: str) -> Self:
        """Take `Name <address>`, `"Name" <address>` or an address alone apart; raise ValueError."""
        found = _NAME_AND_ADDRESS.fullmatch(value.strip())
        if found is None or not value.isprintable():
            raise ValueError("must look like: Name <address>, on one line")
        name, address = found[1] or "", found[2] if found[3] is None else found[3]
        if name.startswith('"') and name.endswith('"'):
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        return cls(name.strip(), _mailable(address))


@dataclass(frozen=True)
class SmtpServer:
    """Where letters are handed over: SMTP_URL, taken apart. `starttls` is "required", "optional" or "never"."""

    host: str
    port: int
    user: str | None
    password: SecretStr | None
    implicit_tls: bool
    starttls: Literal["required", "optional", "never"]

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take `smtp://user:password@host:port?starttls=…` or `smtps://…` apart; raise ValueError."""
        parts = _parts(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must look like smtp://user:password@host:port or smtps://…")
        if parts.path not in ("", "/") or parts.fragment:
            raise ValueError("must not name a path")
        # Else Python would turn it into ASCII by rules of its own (IDNA 2003), for which straße is strasse.
        host = parts.hostname if parts.hostname.isascii() else hosts.ascii_name(parts.hostname)
        default: Literal["required", "never"] = "never" if is_local(url) else "required"
        match parts.query:
            case "":
                starttls: Literal["required", "optional", "never"] = default
            case "starttls=required":
                starttls = "required"
            case "starttls=optional":
                starttls = "optional"
            case "starttls=never":
                starttls = "never"
            case _:
                raise ValueError("may only add ?starttls=required, optional or never")
        if (parts.username is None) != (parts.password is None):
            raise ValueError("needs both a user and a password, or neither")
        implicit = parts.scheme == "smtps"
        return cls(
            host=host,
            port=parts.port or (465 if implicit else 587),
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else SecretStr(unquote(parts.password)),
            implicit_tls=implicit,
            starttls=starttls,
        )


@dataclass(frozen=True)
class AdminToken:
    """Who may use the admin doors: the name (a role) goes into the record of what was done."""

    name: str
    token: SecretStr


class Settings(BaseSettings):
    """Every setting there is, under its variable's name in lower case."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # A rejected secret must not be printed with the rejection.
        hide_input_in_errors=True,
        validate_default=True,
    )

    secret_key: Annotated[tuple[SecretStr, ...], NoDecode]
    data_key: Annotated[tuple[SecretStr, ...], NoDecode]
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = ""
    database_url: str = ""
    organisation: str
    imprint: str
    contact_email: str
    privacy_url: str
    topics: str
    imprint_en: str | None = None
    privacy_url_en: str | None = None
    topics_en: str | None = None
    default_locale: Locale = "de"
    timezone: str = "Europe/Berlin"
    authority: str | None = None
    recipients: Annotated[tuple[str, ...], NoDecode] = ()
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    mailchimp_api_key: SecretStr | None = None
    mailchimp_list_id: str | None = None
    mailchimp_api_url: str | None = None
    mailchimp_webhook_secret: SecretStr | None = None
    mailchimp_signing_secret: SecretStr | None = None
    mailchimp_signup_url: str | None = None
    admin_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    link_days: int = Field(default=7, ge=1, le=14)
    client_limit: str = "20 per 10 minutes"
    storage_uri: str = "memory://"
    ledger_checkpoints: Path | None = None
    brand_dir: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator(
        "secret_key", "data_key", "admin_tokens", "allowed_origins", "recipients", mode="before"
    )
    @classmethod
    def _split_by_comma(cls, value: object) -> object:
        return _split(value)

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("secret_key", "data_key")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not value or any(len(key.get_secret_value()) < _SECRET_LENGTH for key in value):
            raise ValueError(f"needs {_SECRET_LENGTH} characters or more in each key")
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str, info: ValidationInfo) -> str:
        url = _web_url(value or f"http://localhost:{info.data.get('port', 8000)}")
        parts = urlsplit(url)
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must not have a user, a query or a fragment")
        if not url.startswith("https://") and not is_local(url):
            raise ValueError("must begin with https:// unless it names localhost")
        return hosts.origin_of(url) + parts.path

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        value = value or f"sqlite:///{Path('var/newsletter.sqlite3').absolute()}"
        try:
            url = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value))
        except (ArgumentError, ValueError) as error:
            raise ValueError("is no database URL") from error
        if url.drivername not in ("sqlite", "postgresql+psycopg"):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        is_file = (
            url.database not in (None, "", ":memory:") and not Path(url.database or "").is_dir()
        )
        if url.drivername == "sqlite" and not is_file:
            raise ValueError("must name a file: every process shares it")
        return url.render_as_string(hide_password=False)

    @field_validator("organisation", "imprint", "topics", "imprint_en", "topics_en")
    @classmethod
    def _speaks(cls, value: str | None) -> str | None:
        if value is None:
            return None
        text = value.replace("\\n", "\n").strip()
        if not text:
            raise ValueError("must not be blank")
        if re.search("[\ud800-\udfff]", text):
            raise ValueError("must be text in UTF-8")
        if _PLACEHOLDER.search(text):
            raise ValueError("still holds a placeholder")
        return text

    @field_validator("organisation")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("must be one line")
        return value

    @field_validator("contact_email")
    @classmethod
    def _contact(cls, value: str) -> str:
        return _mailable(value).text

    @field_validator("privacy_url", "privacy_url_en", "mailchimp_api_url", "mailchimp_signup_url")
    @classmethod
    def _some_web_url(cls, value: str | None) -> str | None:
        return None if value is None else _web_url(value)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError("is no time zone such as Europe/Berlin") from error
        return value

    @field_validator("default_locale")
    @classmethod
    def _offered(cls, value: Locale, info: ValidationInfo) -> Locale:
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

    @field_validator("mailchimp_api_key")
    @classmethod
    def _api_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[!-~]+", value.get_secret_value()):
            raise ValueError("must be ASCII without blanks")
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
            # The client takes the data centre from the key, and an odd key silently for "invalid-server".
            if not re.fullmatch(r"[^-]+-[a-z]+\d+", key.get_secret_value()):
                raise ValueError(
                    "is required, since MAILCHIMP_API_KEY names no data centre (…-us1)"
                )
        elif value is not None and "server" in value:
            raise ValueError('must not hold the word "server", which the client replaces')
        elif value is not None and not value.startswith("https://") and not is_local(value):
            raise ValueError("must begin with https:// unless it names localhost")
        return value

    @field_validator("mailchimp_webhook_secret")
    @classmethod
    def _url_safe(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9._~-]+", value.get_secret_value()):
            raise ValueError("must be letters, digits and . _ ~ - alone, as it is part of a URL")
        return value

    @field_validator("admin_tokens")
    @classmethod
    def _named_tokens(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for pair in value:
            name, colon, token = pair.get_secret_value().partition(":")
            if (
                not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", name)
                or not colon
                or not re.fullmatch(r"\S+", token)
            ):
                raise ValueError(
                    "must look like name:token,name:token (a name is a role, such as dpo)"
                )
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        origins = tuple(hosts.origin_of(_web_url(origin)) for origin in value)
        if any(re.search(r"[?#]|[^/:]/", _web_url(origin)) for origin in value):
            raise ValueError("must be origins alone, such as https://www.company.de")
        return origins

    @field_validator("client_limit")
    @classmethod
    def _limit(cls, value: str) -> str:
        try:
            is_limit = value == "off" or limits.parse(value).amount > 0
        except ValueError:
            is_limit = False
        if not is_limit:
            raise ValueError("must look like `20 per 10 minutes`, or `off`")
        return value

    @field_validator("storage_uri")
    @classmethod
    def _storage(cls, value: str) -> str:
        value = "memory://" if value == "memory" else value
        parts = _parts(value)
        if parts.scheme not in ("memory", "redis", "rediss"):
            raise ValueError("must begin with redis:// or rediss://")
        if parts.scheme != "memory" and not (parts.hostname and parts.port != 0):
            raise ValueError("must name a host")
        return value

    @field_validator("brand_dir")
    @classmethod
    def _folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError("must name a folder that is there")
        return None if value is None else value.resolve()

    @property
    def locales(self) -> tuple[Locale, ...]:
        """The languages offered, the default first."""
        if self.topics_en is None:
            return ("de",)
        return ("de", "en") if self.default_locale == "de" else ("en", "de")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the times that people read."""
        return ZoneInfo(self.timezone)

    @property
    def smtp(self) -> SmtpServer | None:
        """The mail server; None: letters become files under var/mail/."""
        return SmtpServer.parse(self.smtp_url.get_secret_value()) if self.smtp_url else None

    @property
    def sender(self) -> Sender:
        """Who writes our letters; without MAIL_FROM the organisation, from CONTACT_EMAIL."""
        if self.mail_from is not None:
            return Sender.parse(self.mail_from)
        return Sender(self.organisation, Address.kept(self.contact_email))

    @property
    def admins(self) -> tuple[AdminToken, ...]:
        """The admin tokens with their names."""
        pairs = (pair.get_secret_value().partition(":") for pair in self.admin_tokens)
        return tuple(AdminToken(name, SecretStr(token)) for name, _, token in pairs)

    def topics_in(self, locale: str) -> str:
        """What the newsletter is about, in one language."""
        return (self.topics_en if locale == "en" else None) or self.topics

    def imprint_in(self, locale: str) -> str:
        """Who sends, identified in full, in one language; lines are separated by line breaks."""
        return (self.imprint_en if locale == "en" else None) or self.imprint

    def privacy_url_in(self, locale: str) -> str:
        """The privacy notice in one language."""
        return (self.privacy_url_en if locale == "en" else None) or self.privacy_url


def load(environ: Mapping[str, Any] | None = None) -> Settings:
    """Read the environment (or, in tests, what is given instead); raise SettingsError with every problem."""
    try:
        if environ is None:
            return Settings()
        return Settings(
            _env_file=None, **{name.lower(): v for name, v in environ.items() if v != ""}
        )
    except ValidationError as error:
        raise SettingsError([_in_words(problem) for problem in error.errors()]) from None


def variables() -> frozenset[str]:
    """The name of every environment variable that is set, whosever it is."""
    return frozenset(name for name, value in os.environ.items() if value)


def quoted() -> frozenset[str]:
    """The name of every setting whose value begins and ends with the same quote, and has none between."""
    return frozenset(
        name
        for name, value in os.environ.items()
        if name.lower() in Settings.model_fields and _IN_QUOTES.fullmatch(value)
    )


def load_or_exit() -> Settings:
    """Read the environment, or end the process with exit status 2 and every problem on stderr."""
    try:
        return load()
    except SettingsError as error:
        refuse(error)


def refuse(error: Exception) -> NoReturn:
    """Say what is wrong with the environment and end the process with exit status 2."""
    print(f"The settings are not right:\n{error}", file=sys.stderr)  # noqa: T201 - logging is not set up yet
    raise SystemExit(2)


def _in_words(problem: Any) -> str:
    name = str(problem["loc"][0]).upper() if problem["loc"] else "environment"
    if problem["type"] == "missing":
        return f"{name}: is required"
    if problem["type"] == "literal_error":
        offered = problem["ctx"]["expected"].replace("'", "")
        return f"{name}: must be {offered}"
    if problem["type"] == "value_error":
        return f"{name}: {problem['ctx']['error']}"
    if (between := _bounds_of(name)) is not None:
        return f"{name}: must be a whole number from {between[0]} to {between[1]}"
    return f"{name}: cannot be read"


def _bounds_of(name: str) -> tuple[object, object] | None:
    """The least and the greatest number that a setting may be; None where it is no number."""
    field = Settings.model_fields.get(name.lower())
    limiting = field.metadata if field else []
    least = [one.ge for one in limiting if hasattr(one, "ge")]
    greatest = [one.le for one in limiting if hasattr(one, "le")]
    return (least[0], greatest[0]) if least and greatest else None


def current() -> Settings:
    """The settings of the application at work."""
    settings = current_app.extensions["settings"]
    assert isinstance(settings, Settings)  # noqa: S101 - tells mypy; create_app put it there
    return settings
