"""A bare Flask view, the yardstick: `gunicorn 'bench.bare:create_app()'`."""

from __future__ import annotations

from flask import Flask, Response, jsonify


def create_app() -> Flask:
    """One view that answers like a sign-up without doing anything."""
    app = Flask(__name__)

    @app.post("/subscriptions")
    def subscribe() -> tuple[Response, int]:
        return jsonify(status="accepted"), 202

    return app
