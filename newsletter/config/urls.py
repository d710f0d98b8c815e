"""Types of settings that are URLs: each function returns the normal form, or raises ValueError.

A message follows the variable's name. It never contains the value, which may contain a password.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import AfterValidator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from newsletter.domain import hosts

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_QUOTED = "/:@!$&'()*+,;=~?%"  #: characters of a path or a query that are not percent-encoded
_NO_BLANK = "must not hold a blank, a backslash or an invisible character"
_ENCODING_HINT = "in a password, write @ as %40, / as %2F, # as %23, ? as %3F"
#: Names of services in a container network may have an underscore.
_SERVER_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_REDIS_QUERY = r"(ssl_(cert_reqs|ca_certs|check_hostname)=[^&]+(&|$))*"
#: Parameters of database URLs that other programs understand, and what to write instead.
_FOREIGN_PARAMETERS = {
    "pgbouncer": "leave it out: nothing here needs it",
    "schema": "write options=-csearch_path%3D and the schema's name",
    "ssl": "write sslmode=require",
}


def is_local(url: str) -> bool:
    """Whether a URL's host is this machine: localhost, 127.0.0.1 or ::1."""
    return urlsplit(url).hostname in _LOCAL_HOSTS


def url_parts(url: str) -> SplitResult:
    """Split a URL; raise ValueError."""
    if not url.isprintable() or re.search(r"[ \\]", url):
        raise ValueError(_NO_BLANK)
    try:
        parts = urlsplit(url)
        has_valid_port = parts.port != 0  # raises ValueError where it is no number
    except ValueError:
        has_valid_port = False
    if not has_valid_port:
        raise ValueError(f"is no URL: its host or its port cannot be right ({_ENCODING_HINT})")
    return parts


def server_host(host: str) -> str:
    """The host of a server, in ASCII: a name, perhaps with an underscore, or an IP address."""
    # Python's own conversion (IDNA 2003) would turn straße into strasse.
    if ":" in host or not host.isascii():
        return hosts.url_host(host).strip("[]")
    if not _SERVER_NAME.fullmatch(host):
        raise ValueError("is no name of a host")
    return host


def web_url(value: str) -> str:
    """The URL of a web page, in ASCII."""
    parts = url_parts(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that begins with https:// (or http://)")
    if "@" in parts.netloc:
        raise ValueError("must not name a user")
    rest = parts._replace(scheme="", netloc="").geturl()
    return hosts.origin_of(value) + quote(rest, safe=f"{_NOT_QUOTED}#")


def base_url(value: str) -> str:
    """A URL to which paths are appended: without a slash at its end."""
    url = web_url(value)
    if re.search(r"[?#]", url):
        raise ValueError("must not have a query or a fragment")
    return url.rstrip("/")


def origin(value: str) -> str:
    """A scheme, a host and perhaps a port (RFC 6454)."""
    url = base_url(value)
    if urlsplit(url).path:
        raise ValueError("must be origins alone, such as https://www.company.de")
    return url


def _database_url(value: str) -> str:
    value = value or f"sqlite:///{Path('var/newsletter.sqlite3').absolute()}"
    try:
        url = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value))
    except (ArgumentError, ValueError) as error:
        raise ValueError("is no database URL") from error
    match url.drivername:
        case "sqlite":
            _check_sqlite(url)
        case "postgresql+psycopg":
            url = _checked_postgresql(value, url)
        case _:
            raise ValueError("must begin with sqlite:/// or postgresql://")
    return url.render_as_string(hide_password=False)


def _check_sqlite(url: URL) -> None:
    is_file = url.database not in (None, "", ":memory:") and not Path(url.database or "").is_dir()
    if not is_file:
        raise ValueError("must name a file: every process shares it")
    if url.query:
        raise ValueError("must not have anything after the file's name, such as ?mode=")


def _checked_postgresql(value: str, url: URL) -> URL:
    import psycopg  # 9 MB that nobody needs on SQLite

    if not value.isprintable() or " " in value:
        raise ValueError(f"{_NO_BLANK}: write a blank as %20")
    if "@" in (url.host or ""):
        raise ValueError(f"is no database URL ({_ENCODING_HINT})")
    for name in url.query:
        try:
            psycopg.conninfo.make_conninfo(**{name: "0"})
        except psycopg.ProgrammingError:
            remedy = _FOREIGN_PARAMETERS.get(name, "leave it out")
            raise ValueError(f"PostgreSQL does not know ?{name}=: {remedy}") from None
    # There may be several servers: the first that answers is used.
    host = ",".join(server_host(one) for one in (url.host or "").split(",") if one)
    return url.set(host=host or None)


def _limits_storage(value: str) -> str:
    value = "memory://" if value == "memory" else value
    parts = url_parts(value)
    if parts.scheme not in ("memory", "redis", "rediss"):
        raise ValueError("must begin with redis:// or rediss://")
    if parts.scheme != "memory":
        _check_redis(parts)
    return value


def _check_redis(parts: SplitResult) -> None:
    if not parts.hostname:
        raise ValueError(f"must name a host ({_ENCODING_HINT})")
    server_host(parts.hostname)
    if not re.fullmatch(r"/?\d*", parts.path) or parts.fragment:
        raise ValueError(f"may only add the database's number, such as /1 ({_ENCODING_HINT})")
    if not re.fullmatch(_REDIS_QUERY, parts.query):
        raise ValueError("may only add ?ssl_cert_reqs=, ssl_ca_certs= and ssl_check_hostname=")


WebUrl = Annotated[str, AfterValidator(web_url)]
BaseUrl = Annotated[str, AfterValidator(base_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
LimitsStorage = Annotated[str, AfterValidator(_limits_storage)]
