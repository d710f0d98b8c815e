"""Types of settings that need no other setting: each function returns the normal form, or raises ValueError.

A message follows the variable's name. It never contains the value, which may be secret.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, SecretStr

from newsletter.config.urls import origin
from newsletter.domain.address import Address, trimmed
from newsletter.domain.errors import InvalidAddress

Locale = Literal["de", "en"]

#: Ends a token in ADMIN_TOKENS that may only read.
READ_ONLY_SUFFIX = ":read"

_SECRET_LENGTH = 32
_LONGEST_TEXT = 1024 * 1024
_PLACEHOLDER = re.compile(r"\b(change|replace)[-_ ]?me\b", re.IGNORECASE)


def mailable(value: str) -> Address:
    """An address that can send and receive e-mail."""
    try:
        address = Address.parse_leniently(value)
    except InvalidAddress as error:
        raise ValueError("is no e-mail address") from error
    if not address.is_mailable:
        raise ValueError("must be an e-mail address alone, in ASCII before the @")
    return address


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(trimmed(part) for part in value.split(",") if trimmed(part))
    return value


def _keys(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not value or any(len(key.get_secret_value()) < _SECRET_LENGTH for key in value):
        raise ValueError(f"needs {_SECRET_LENGTH} characters or more in each key")
    return value


def _text(value: str) -> str:
    lines = value.replace("\\n", "\n").strip().splitlines()
    # Word processors write no-break and other special blanks: these become plain ones.
    text = "\n".join(" ".join(line.split()) for line in lines)
    if not text:
        raise ValueError("must not be blank")
    for character in text.replace("\n", ""):
        if not character.isprintable():
            raise ValueError(f"holds an invisible character (U+{ord(character):04X}): remove it")
    if _PLACEHOLDER.search(text):
        raise ValueError("still holds a placeholder")
    return text


def _one_line(value: str) -> str:
    if "\n" in value:
        raise ValueError("must be one line")
    return value


def _topics(value: str) -> str:
    # The consent text adds a full stop or a comma itself.
    topics = " ".join(value.split()).rstrip(" .,;")
    if not topics:
        raise ValueError("must complete the sentence “with information about …”")
    return topics


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
        re.fullmatch(r"[A-Za-z0-9._-]{1,40}:(?!:read$)\S+", pair.get_secret_value())
        for pair in value
    ):
        raise ValueError(
            "must look like name:token,name:token:read (a name is a role, such as dpo)"
        )
    return value


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(origin(each) for each in value)


def _names(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_one_line(_text(name)) for name in value)


def _limit(value: str) -> str:
    import limits  # here, since only `web` needs it

    value = value.lower()
    try:
        is_limit = value == "off" or limits.parse(value).amount > 0
    except ValueError:
        is_limit = False
    if not is_limit:
        raise ValueError("must look like `20 per 10 minutes`, or `off`")
    return value


def _folder(value: Path) -> Path:
    if not value.is_dir():
        raise ValueError("must name a folder that is there")
    return value.resolve()


def _text_file(value: Path) -> Path:
    try:
        if value.stat().st_size > _LONGEST_TEXT:
            raise ValueError("must name a file of at most 1 MB")
        value.read_text("utf-8")
    except (OSError, UnicodeError):
        raise ValueError("must name a text file in UTF-8 that can be read") from None
    return value.resolve()


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


_COMMA_SEPARATED = BeforeValidator(_comma_separated)

Keys = Annotated[tuple[SecretStr, ...], _COMMA_SEPARATED, AfterValidator(_keys)]
Tokens = Annotated[tuple[SecretStr, ...], _COMMA_SEPARATED, AfterValidator(_named_tokens)]
Origins = Annotated[tuple[str, ...], _COMMA_SEPARATED, AfterValidator(_origins)]
Names = Annotated[tuple[str, ...], _COMMA_SEPARATED, AfterValidator(_names)]
Text = Annotated[str, AfterValidator(_text)]
Line = Annotated[str, AfterValidator(_text), AfterValidator(_one_line)]
Topics = Annotated[Text, AfterValidator(_topics)]
Mailbox = Annotated[str, AfterValidator(lambda value: mailable(value).text)]
Language = Annotated[Locale, BeforeValidator(_lower)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
AsciiKey = Annotated[SecretStr, AfterValidator(_ascii_key)]
UrlSegment = Annotated[SecretStr, AfterValidator(_url_segment)]
Limit = Annotated[str, AfterValidator(_limit)]
TextFile = Annotated[Path, AfterValidator(_text_file)]
Folder = Annotated[Path, AfterValidator(_folder)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
