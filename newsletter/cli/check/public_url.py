"""PUBLIC_URL, requested from here: this service answers there, without a redirect, with a valid certificate."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.cli.check.finding import Finding
from newsletter.config import Settings

PATIENCE_SECONDS = 4.0  #: for each step of a connection
_LONGEST = 10_000  #: octets; /health answers with fewer
_START_WEB = (
    "unless `web` is about to be started, check its name in DNS, the proxy and the firewall"
)

_TRUST = "name a file with the authority's certificate in SSL_CERT_FILE, if it is your own"
#: By OpenSSL's number of the error (x509_vfy.h): what is wrong with a certificate, and what to do.
_CERTIFICATE_ERRORS = {
    9: ("is not valid yet", "correct this host's clock, or wait"),
    10: ("has expired", "renew it, and restart the server with it"),
    18: ("is self-signed", f"have it signed by an authority, or {_TRUST}"),
    19: ("is signed by an authority that this host does not know", _TRUST),
    20: (
        "is signed by an authority that this host does not know, or comes without its chain",
        f"have the server present the whole chain, or {_TRUST}",
    ),
    21: (
        "comes without the certificates between it and its authority",
        "have the server present the whole chain",
    ),
    62: ("is issued for another name", "name the host as the certificate does"),
    64: ("is issued for another name", "name the host as the certificate does, not by its IP"),
}
_OTHER_ERROR = ("is not trusted", "have the server present a valid certificate")


@dataclass(frozen=True)
class Answer:
    """The answer of /health; `date` is the header as received."""

    status: int
    body: bytes
    date: str | None

    @property
    def is_ours(self) -> bool:
        try:
            document = json.loads(self.body)
        except ValueError:
            return False
        return self.status == 200 and document == {"status": "alive"}


def ask(public_url: str) -> Answer:
    """GET /health without redirects and proxies; raise OSError or HTTPException."""
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
    """Why people do not reach this service there."""
    yield from _uncounted_proxy(settings)
    try:
        answer = ask(settings.public_url)
    except ssl.SSLCertVerificationError as error:
        wrong, remedy = certificate_error(error)
        yield Finding("PUBLIC_URL", f"the certificate there {wrong}", remedy)
    except ssl.SSLError:
        yield Finding(
            "PUBLIC_URL",
            "what listens there does not speak TLS",
            "set up https at the proxy, or add the port on which https is served",
        )
    except (OSError, http.client.HTTPException):
        yield Finding("PUBLIC_URL", "nothing answers there from here", _START_WEB, is_hint=True)
    else:
        yield from _judged(answer)


def _judged(answer: Answer) -> Iterator[Finding]:
    if answer.is_ours:
        return
    if answer.status in (502, 503, 504):
        wrong = "a proxy answers there, but the service behind it does not"
        yield Finding("PUBLIC_URL", wrong, _START_WEB, is_hint=True)
    elif answer.status // 100 == 3:
        yield Finding(
            "PUBLIC_URL",
            "redirects to another URL, which breaks links in e-mails and Mailchimp's calls",
            "set it to the URL that answers itself, or remove the redirect",
        )
    else:
        yield Finding(
            "PUBLIC_URL",
            f"another service answers there (status {answer.status} at /health)",
            "set it to this service's own URL with its path, or let the proxy pass requests to `web`",
        )


def _uncounted_proxy(settings: Settings) -> Iterator[Finding]:
    if settings.public_url.startswith("https://") and settings.trusted_proxies == 0:
        yield Finding(
            "TRUSTED_PROXIES",
            "is 0, though https needs a proxy before `web`, so all clients look alike and CLIENT_LIMIT is not applied",
            "set it to the number of proxies that add to X-Forwarded-For, 1 for a single nginx or Caddy",
        )


def certificate_error(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """What is wrong with a server's certificate, without a subject; and what to do."""
    return _CERTIFICATE_ERRORS.get(error.verify_code, _OTHER_ERROR)
