"""One log line per request: method, rule, status, milliseconds; nothing about the client."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Log every request; installed before other headers and limits, so that it runs after them."""

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def _log(response: Response) -> Response:
        # The rule, not the path: a path may hold a token, and an unknown one may hold anything.
        rule = request.url_rule.rule if request.url_rule else "-"
        milliseconds = (time.perf_counter() - g.get("began", time.perf_counter())) * 1000
        log.info("%s %s %d %.0f ms", request.method, rule, response.status_code, milliseconds)
        return response
