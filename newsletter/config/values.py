"""Types of settings that need no other setting: each function returns the value in its one form or raises ValueError.

A message follows the variable's name and never holds the value, which may be secret.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import limits
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from newsletter.domain import hosts
from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress

Locale = Literal["de", "en"]

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRET_LENGTH = 32
_PLACEHOLDER = re.compile(r"\b(change|replace)[-_ ]?me\b", re.IGNORECASE)


def is_local(url: str) -> bool:
    """Whether a URL's host is this machine: localhost, 127.0.0.1 or ::1."""
    return urlsplit(url).hostname in _LOCAL_HOSTS


def url_parts(url: str) -> SplitResult:
    """Split a URL; raise ValueError with a message of ours."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError where it is no number
    except ValueError:
        raise ValueError("is no URL: its host or its port cannot be right") from None
    return parts


def web_url(value: str) -> str:
    """A URL without a slash at its end."""
    parts = url_parts(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that begins with https:// (or http://)")
    if not value.isprintable() or " " in value or "\\" in value:
        raise ValueError("must not hold a blank, a control character or a backslash")
    return value.rstrip("/")


def mailable(value: str) -> Address:
    """An address to and from which e-mails can go."""
    try:
        address = Address.as_held(value)
    except InvalidAddress as error:
        raise ValueError("is no e-mail address") from error
    if not address.is_mailable:
        raise ValueError("must be an e-mail address alone, in ASCII before the @")
    return address


def _parts_between_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _keys(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not value or any(len(key.get_secret_value()) < _SECRET_LENGTH for key in value):
        raise ValueError(f"needs {_SECRET_LENGTH} characters or more in each key")
    return value


def _text(value: str) -> str:
    text = value.replace("\\n", "\n").strip()
    if not text:
        raise ValueError("must not be blank")
    if re.search("[\ud800-\udfff]", text):
        raise ValueError("must be text in UTF-8")
    if _PLACEHOLDER.search(text):
        raise ValueError("still holds a placeholder")
    return text


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line")
    return value


def _database_url(value: str) -> str:
    value = value or f"sqlite:///{Path('var/newsletter.sqlite3').absolute()}"
    try:
        url = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value))
    except (ArgumentError, ValueError) as error:
        raise ValueError("is no database URL") from error
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    is_file = url.database not in (None, "", ":memory:") and not Path(url.database or "").is_dir()
    if url.drivername == "sqlite" and not is_file:
        raise ValueError("must name a file: every process shares it")
    return url.render_as_string(hide_password=False)


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("is no time zone such as Europe/Berlin") from error
    return value


def _ascii_key(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("must be ASCII without blanks")
    return value


def _url_segment(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9._~-]+", value.get_secret_value()):
        raise ValueError("must be letters, digits and . _ ~ - alone, as it is part of a URL")
    return value


def _named_tokens(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not all(
        re.fullmatch(r"[A-Za-z0-9._-]{1,40}:\S+", pair.get_secret_value()) for pair in value
    ):
        raise ValueError("must look like name:token,name:token (a name is a role, such as dpo)")
    return value


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    origins = tuple(hosts.origin_of(web_url(origin)) for origin in value)
    if any(re.search(r"[?#]|[^/:]/", web_url(origin)) for origin in value):
        raise ValueError("must be origins alone, such as https://www.company.de")
    return origins


def _limit(value: str) -> str:
    try:
        is_limit = value == "off" or limits.parse(value).amount > 0
    except ValueError:
        is_limit = False
    if not is_limit:
        raise ValueError("must look like `20 per 10 minutes`, or `off`")
    return value


def _store(value: str) -> str:
    value = "memory://" if value == "memory" else value
    parts = url_parts(value)
    if parts.scheme not in ("memory", "redis", "rediss"):
        raise ValueError("must begin with redis:// or rediss://")
    if parts.scheme != "memory" and not (parts.hostname and parts.port != 0):
        raise ValueError("must name a host")
    return value


def _folder(value: Path) -> Path:
    if not value.is_dir():
        raise ValueError("must name a folder that is there")
    return value.resolve()


def _in_capitals(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


_SEVERAL = (NoDecode, BeforeValidator(_parts_between_commas))

Keys = Annotated[tuple[SecretStr, ...], *_SEVERAL, AfterValidator(_keys)]
Tokens = Annotated[tuple[SecretStr, ...], *_SEVERAL, AfterValidator(_named_tokens)]
Origins = Annotated[tuple[str, ...], *_SEVERAL, AfterValidator(_origins)]
Names = Annotated[tuple[str, ...], *_SEVERAL]
Text = Annotated[str, AfterValidator(_text)]
Line = Annotated[str, AfterValidator(_text), AfterValidator(_one_line)]
Mailbox = Annotated[str, AfterValidator(lambda value: mailable(value).text)]
WebUrl = Annotated[str, AfterValidator(web_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
AsciiKey = Annotated[SecretStr, AfterValidator(_ascii_key)]
UrlSegment = Annotated[SecretStr, AfterValidator(_url_segment)]
Limit = Annotated[str, AfterValidator(_limit)]
Store = Annotated[str, AfterValidator(_store)]
Folder = Annotated[Path, AfterValidator(_folder)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_in_capitals)]
