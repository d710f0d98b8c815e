"""A correctly deployed service, off localhost, with everything around it; tests plant mistakes in it."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509
from flask import Flask
from sqlalchemy import text
from werkzeug.serving import WSGIRequestHandler, make_server

from newsletter.app import create_app
from newsletter.cli import check as checkup
from newsletter.cli.check.finding import Finding
from newsletter.config import load
from newsletter.storage import jobs
from newsletter.storage.database import writing
from newsletter.storage.models import db
from newsletter.texts import brand
from sandbox.environment import COMPANY as SANDBOX
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.hooks import Webhook
from tests.cli.check.dns_standin import DnsStandIn
from tests.conftest import COMPANY
from tests.people import WEBHOOK_SECRET
from tests.worker.certificates import self_signed, server_side

#: An address of this machine that the settings do not take for localhost, so that everything is checked.
HOST = "127.0.0.2"
PASSWORD = "s3cretword"
#: A port on which nothing listens.
NOWHERE = "127.0.0.1:9"

#: Consent to Mailchimp's tracking.
TRACKING = {
    "de": "Wir messen, ob ich den Newsletter öffne und worauf ich darin klicke.",
    "en": "You may note whether I open the newsletter and what I click in it.",
}

Server = TypeVar("Server")


def records(domain: str = "example.com") -> dict[tuple[str, str], list[str]]:
    """A correct sender's domain."""
    return {
        (domain, "MX"): ["10 mx.example.com."],
        (domain, "TXT"): ["v=spf1 include:_spf.provider.net -all", "another text"],
        ("smtp.provider.net", "A"): ["9.9.9.9"],
        (f"_dmarc.{domain}", "TXT"): ["v=DMARC1; p=reject; rua=mailto:dmarc@example.com"],
    }


def mention_tracking(wordings: Path) -> None:
    """Write consent texts that mention it."""
    wordings.mkdir(parents=True)
    for language, sentence in TRACKING.items():
        text = (brand.TEMPLATES / f"wordings/{language}.txt").read_text(encoding="utf-8")
        (wordings / f"{language}.txt").write_text(f"{text} {sentence}\n", encoding="utf-8")


@dataclass
class Deployed:
    """The service and everything around it; servers that a test adds end with it."""

    environ: dict[str, Any]
    app: Flask
    dns: DnsStandIn
    mailbox: Mailbox
    mailchimp: StandIn
    hook: Webhook
    folder: Path
    tls: ssl.SSLContext  #: with a trusted certificate
    stack: ExitStack = field(default_factory=ExitStack)

    def enter(self, server: AbstractContextManager[Server]) -> Server:
        """Run a server until the test is over."""
        return self.stack.enter_context(server)

    def execute(self, statement: str) -> None:
        """Execute a statement in the database."""
        with self.app.app_context(), writing() as session:
            session.execute(text(statement))

    def check(self, **variables: str) -> list[Finding]:
        """The findings with other settings."""
        settings = load({**self.environ, **variables})
        return checkup.findings(settings, resolver=self.dns.resolver)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of all servers here."""
    hosts = ("127.0.0.1", HOST)
    names = (x509.IPAddress(ipaddress.ip_address(host)) for host in hosts)
    return self_signed(tmp_path_factory.mktemp("certificate"), *names)


@pytest.fixture
def deployed(
    database_url: str,
    certificate: Path,
    mailchimp: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Deployed]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with ExitStack() as stack:
        tls = server_side(certificate)
        mailbox = stack.enter_context(Mailbox(auth=("muster", PASSWORD), tls=tls))
        web = Web(tls)
        hook = Webhook(f"{web.url}/webhooks/mailchimp/{WEBHOOK_SECRET}")
        mailchimp.hooks.registered.append(hook)
        (tmp_path / "heads").mkdir()
        mention_tracking(tmp_path / "brand/wordings")
        environ = {
            **COMPANY,
            **SANDBOX,
            "DATABASE_URL": database_url,
            "PUBLIC_URL": web.url,
            "TRUSTED_PROXIES": "1",
            "SMTP_URL": f"{mailbox.smtp_url}?starttls=required",
            "MAILCHIMP_API_KEY": mailchimp.api_key,
            "MAILCHIMP_LIST_ID": mailchimp.list_id,
            "MAILCHIMP_API_URL": mailchimp.api_url,
            "LEDGER_CHECKPOINTS": str(tmp_path / "heads"),
            "BRAND_DIR": str(tmp_path / "brand"),
        }
        # A brand is rendered whole when an application starts, which is tested elsewhere.
        app = create_app(load({**environ, "BRAND_DIR": ""}))
        stack.enter_context(web.serving(app))
        dns = stack.enter_context(DnsStandIn(records()))
        with app.app_context():
            jobs.beat("a worker")
        yield Deployed(environ, app, dns, mailbox, mailchimp, hook, tmp_path, tls, stack)
        with app.app_context():
            db.engine.dispose()


class Silent(WSGIRequestHandler):
    """Logs no requests."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing."""


class Web:
    """A web server whose URL is known before it serves an application."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._app: Flask | None = None
        self._server = make_server(
            HOST, 0, self._answer, threaded=True, request_handler=Silent, ssl_context=tls
        )
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{HOST}:{self._server.server_port}"

    def _answer(self, environ: Any, start: Any) -> Any:
        assert self._app is not None
        return self._app(environ, start)

    def show(self, app: Flask) -> None:
        """Serve another application from now on."""
        self._app = app

    @contextmanager
    def serving(self, app: Flask) -> Iterator[None]:
        """Serve an application for so long."""
        self.show(app)
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
