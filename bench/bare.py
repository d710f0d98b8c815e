"""The least a Flask view can do, as the measure of all others: `gunicorn 'bench.bare:create_app()'`."""

from __future__ import annotations

from flask import Flask, Response, jsonify


def create_app() -> Flask:
    """One view that answers as a sign-up does, and does nothing."""
    app = Flask(__name__)

    @app.post("/subscriptions")
    def subscribe() -> tuple[Response, int]:
        return jsonify(status="accepted"), 202

    return app
