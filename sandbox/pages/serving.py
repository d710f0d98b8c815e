"""The pages' server, on loopback."""

from __future__ import annotations

import socket
import threading

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Log nothing: the terminal belongs to the service."""


class Pages:
    """Serves the pages on loopback."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._server: BaseWSGIServer | None = None

    def start(self, port: int = 0) -> int:
        """Listen and return the port; 0 takes a free one. Raise OSError if the port is taken."""
        # werkzeug ends the whole process where the port is taken.
        with socket.create_server(("127.0.0.1", port)) as listener:
            self._server = make_server(
                "127.0.0.1",
                listener.getsockname()[1],
                self._app,
                threaded=True,
                request_handler=_Quiet,
                fd=listener.fileno(),
            )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return int(self._server.port)

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
