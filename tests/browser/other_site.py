"""A customer's own site on another origin, with pages that a test writes."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox.running import Running


class OtherSite(Running):
    """Serves what is put into `pages` (path to HTML) with the headers in `headers`; as a context manager it runs.

    The same server answers at two origins: `origin`, which ALLOWED_ORIGINS names, and `foreign_origin`, which
    it does not name. `posted` holds the bodies that were posted to it.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.posted: list[bytes] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = site.pages.get(self.path.split("?", 1)[0])
                self.send_response(200 if page is not None else 404)
                for name, value in {
                    "Content-Type": "text/html; charset=utf-8",
                    **site.headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write((page or "").encode())

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                site.posted.append(self.rfile.read(length))
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._handler = Handler

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def foreign_origin(self) -> str:
        return f"http://localhost:{self._server.server_port}"

    def start(self, port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
