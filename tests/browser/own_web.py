"""A web process of a test's own, which can have other settings, be held up, and go away."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from newsletter.app import create_app
from newsletter.config import load
from newsletter.storage.models import db
from tests.conftest import COMPANY
from tests.patience import PATIENCE
from tests.ports import free_port

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class OwnWeb:
    """Always at the same `url`, whenever it runs.

    `posted` holds the headers of every POST it got; none is answered while `may_answer` is cleared.
    """

    def __init__(self, database_url: str) -> None:
        self._port = free_port()
        self.url = f"http://localhost:{self._port}"
        self.posted: list[dict[str, str]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._environ = {**COMPANY, "DATABASE_URL": database_url, "PUBLIC_URL": self.url}

    @contextmanager
    def running(self, **variables: str) -> Iterator[Flask]:
        """Serve with these settings until the end of the block."""
        app = create_app(load({**self._environ, **variables}))
        server = make_server(
            "127.0.0.1", self._port, self._watched(app), threaded=True, request_handler=_Quiet
        )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield app
        finally:
            self.may_answer.set()
            server.shutdown()
            thread.join()
            server.server_close()
            with app.app_context():
                db.engine.dispose()

    def _watched(self, app: Flask) -> WSGIApplication:
        def watched(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                headers = {name: str(environ[name]) for name in environ if name.startswith("HTTP_")}
                self.posted.append(headers)
                self.may_answer.wait(PATIENCE)
            return app(environ, start)

        return watched


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""
