"""The name of a host, in ASCII: the same for the domain of an address and for the host of a URL."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

import idna

LONGEST = 253  #: octets, RFC 1035 § 2.3.4 without the root
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
#: Browsers delete some of these and read a backslash as a slash, so that a URL with one is ambiguous.
_AMBIGUOUS = re.compile(r"[\x00-\x20\\\x7f]")


@lru_cache(1024)  # most addresses are at a few domains
def ascii_name(name: str) -> str:
    """A host's name in ASCII and lower case (UTS 46, nontransitional); raise ValueError where it is none.

    Labels of letters, digits and hyphens alone (RFC 952, RFC 1123 § 2.1), so that no other character can reach a
    header, a command or a comparison. ß and ss are different domains, as in browsers.
    """
    try:
        name = idna.encode(name, uts46=True).decode("ascii")
    except UnicodeError:
        # Names such as r3---x.example are in use, though IDNA refuses them.
        if not name.isascii():
            raise ValueError("is no name of a host") from None
        name = name.lower()
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        raise ValueError("is no name of a host")
    return name


def origin_of(url: str) -> str:
    """The origin of a web page as browsers write it (RFC 6454 § 6.2); raise ValueError where it has none."""
    if _AMBIGUOUS.search(url):
        raise ValueError("is no URL")
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError("is no URL of a web page")
    host = url_host(parts.hostname)
    is_default = parts.port is None or parts.port == _DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{parts.port}"


def url_host(name: str) -> str:
    """A host as it stands in a URL: its name in ASCII, or its IPv6 address in brackets; raise ValueError."""
    return f"[{ipaddress.IPv6Address(name)}]" if ":" in name else ascii_name(name)
