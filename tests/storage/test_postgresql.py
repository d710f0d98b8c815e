"""Which statements PostgreSQL keeps prepared: all on a connection of its own, none behind a pooler."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url

from newsletter.app import create_app
from newsletter.config import load
from newsletter.storage.models import db
from tests.conftest import COMPANY, on_postgresql
from tests.people import sign_up

#: As the server tells which process of its own serves a connection (PostgreSQL, 55.7, BackendKeyData).
_PROCESS = re.compile(rb"(?<=K\x00\x00\x00\x0c).{4}", re.DOTALL)
_MADE_UP = b"\x00\x00\x00\x07"

pytestmark = on_postgresql


@contextmanager
def pooler(database_url: str) -> Iterator[str]:
    """The URL of something between us and the server that tells a number of its own, as every pooler does."""
    url = make_url(database_url)

    class Relay(BaseRequestHandler):
        def handle(self) -> None:
            with closing(socket.create_connection((url.host, url.port))) as server:
                threading.Thread(target=_pass_on, args=(self.request, server)).start()
                _pass_on(server, self.request)

    with ThreadingTCPServer(("127.0.0.1", 0), Relay) as relay:
        threading.Thread(target=relay.serve_forever).start()
        try:
            yield url.set(port=relay.server_address[1]).render_as_string(hide_password=False)
        finally:
            relay.shutdown()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(_PROCESS.sub(_MADE_UP, data))
        target.shutdown(socket.SHUT_WR)


def prepared_after_sign_ups(app: Flask, *, and_page: bool = False) -> int:
    """How many statements the server keeps for us; `and_page`: after a page, too, which only reads."""
    for number in range(10):
        assert sign_up(app.test_client(), f"ada-{number}@example.org").status_code == 202
    if and_page:
        assert app.test_client().get("/").status_code == 200
    with app.app_context():
        with db.engine.connect() as connection:
            count = connection.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
        db.engine.dispose()
    return count or 0


def test_a_sign_up_is_prepared_on_a_connection_of_its_own(app: Flask) -> None:
    assert prepared_after_sign_ups(app) >= 3


def test_a_page_that_only_reads_leaves_a_sign_up_prepared(app: Flask) -> None:
    assert prepared_after_sign_ups(app, and_page=True) >= 3


def test_nothing_is_prepared_behind_a_pooler(database_url: str) -> None:
    with pooler(database_url) as url:
        app = create_app(load({**COMPANY, "DATABASE_URL": url}))

        assert prepared_after_sign_ups(app) == 0
