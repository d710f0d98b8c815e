"""What /metrics shows: what the processes of `web` count by themselves, and what the database knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, current_app

if TYPE_CHECKING:
    from newsletter.web.monitoring.counters import Counters

_EXTENSION = "newsletter counters"


def install(app: Flask) -> None:
    """Give the application its counters."""
    # Not before: prometheus_client looks once, as it is imported, for the folder to count in (app/serving.py).
    from newsletter.web.monitoring.counters import Counters

    app.extensions[_EXTENSION] = Counters()


def current() -> Counters:
    """The counters of the present application."""
    counters: Counters = current_app.extensions[_EXTENSION]
    return counters
