"""PUBLIC_URL, asked from here: whether this service answers there, by itself, with a certificate that holds."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.cli.check import certificates
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings

PATIENCE_SECONDS = 4.0  #: for each step of a connection
_LONGEST = 10_000  #: octets; /health says less
_ASK_AGAIN = (
    "if `web` is not about to be started, see to its name in DNS, the proxy and the firewall"
)


@dataclass(frozen=True)
class Answer:
    """What /health said; `date` is the header as it came."""

    status: int
    body: bytes
    date: str | None

    @property
    def is_ours(self) -> bool:
        """Whether it is this service that spoke."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return False
        return self.status == 200 and said == {"status": "alive"}


def ask(public_url: str) -> Answer:
    """GET /health, following nothing and by no proxy; raise OSError or HTTPException."""
    parts = urlsplit(public_url)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    try:
        connection.request("GET", f"{parts.path}/health", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(_LONGEST), answer.headers.get("Date"))
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    trusted = ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=PATIENCE_SECONDS, context=trusted)


def findings(settings: Settings) -> Iterator[Finding]:
    """What people would meet there instead of this service."""
    try:
        answer = ask(settings.public_url)
    except ssl.SSLCertVerificationError as error:
        wrong, remedy = certificates.why(error)
        yield Finding("PUBLIC_URL", f"the certificate there {wrong}", remedy)
    except ssl.SSLError:
        yield Finding(
            "PUBLIC_URL",
            "what listens there does not speak TLS",
            "set up https at the proxy, or put the port into it at which that is",
        )
    except (OSError, http.client.HTTPException):
        yield Finding("PUBLIC_URL", "nothing answers there from here", _ASK_AGAIN, is_hint=True)
    else:
        yield from _judged(answer)


def _judged(answer: Answer) -> Iterator[Finding]:
    if answer.is_ours:
        return
    if answer.status in (502, 503, 504):
        wrong = "a proxy answers there, but the service behind it does not"
        yield Finding("PUBLIC_URL", wrong, _ASK_AGAIN, is_hint=True)
    elif answer.status // 100 == 3:
        yield Finding(
            "PUBLIC_URL",
            "redirects to another URL, where buttons of letters and Mailchimp's calls get lost",
            "set it to the URL that answers by itself, or take the redirect away",
        )
    else:
        yield Finding(
            "PUBLIC_URL",
            f"something else answers there (status {answer.status} at /health)",
            "set it to this service's own URL, its path included, or lead the proxy to `web`",
        )
