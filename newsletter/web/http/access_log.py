"""One log line per request, and a count of it: method, rule, status, milliseconds; nothing about the client."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from newsletter.web import monitoring

#: Any other is what a client made up.
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Log every request; to be installed before headers and limits, so that it runs after them."""

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def _log(response: Response) -> Response:
        # The rule, not the path: a path may hold a token, and an unknown one may hold anything.
        rule = request.url_rule.rule if request.url_rule else "-"
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        status = response.status_code
        method = request.method if request.method in _METHODS else "-"
        log.info("%s %s %d %.0f ms", method, rule, status, seconds * 1000)
        monitoring.current().count_request(method, rule, status, seconds)
        return response
