"""The sandbox's pages: tour, mailbox, contacts at Mailchimp, and the calls between them."""

from __future__ import annotations

from flask import Flask, Response, abort, request

from sandbox import language
from sandbox.filters import FILTERS, ZONE, linked
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.pages import contacts, mailbox
from sandbox.pages.serving import Pages
from sandbox.tour import pages as tour
from sandbox.tour.service import Service

__all__ = ["Pages", "create_pages", "linked"]

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self' about:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_pages(mailchimp: StandIn, letters: Mailbox, service: Service) -> Flask:
    """The pages about one stand-in, one mailbox and the service between them."""
    app = Flask("sandbox", static_folder=None)
    app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1"]
    app.jinja_env.filters |= FILTERS
    app.jinja_env.globals |= {"service_url": service.url, "zone": ZONE.key}
    app.before_request(_refuse_other_sites)
    language.install(app)
    app.after_request(_guard)
    tour.add_to(app, mailchimp, letters, service)
    mailbox.add_to(app, letters)
    contacts.add_to(app, mailchimp)
    return app


def _refuse_other_sites() -> None:
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and (
        request.method == "POST"
    ):
        abort(403)


def _guard(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
