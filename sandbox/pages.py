"""Pages for a person: the mailbox, the contacts at Mailchimp, and the calls between."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask, Response, abort, redirect, render_template, request
from markupsafe import Markup, escape
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response as Answer

from sandbox.mailbox import Letter, Mailbox
from sandbox.mailchimp import StandIn

SHOWN_WEBHOOKS = 20
SHOWN_CALLS = 200

_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self' about:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def linked(text: str) -> Markup:
    """Plain text with its links to click on, everything else escaped."""
    parts, end = [Markup()], 0
    for found in _LINK.finditer(text):
        link = escape(found.group())
        parts.append(escape(text[end : found.start()]))
        parts.append(Markup('<a href="{0}" target="_blank" rel="noopener">{0}</a>').format(link))
        end = found.end()
    return Markup().join([*parts, escape(text[end:])])


def create_pages(mailchimp: StandIn, mailbox: Mailbox, service_url: str) -> Flask:
    """The pages about one stand-in and one mailbox; `service_url` is where the form is."""
    app = Flask("sandbox", static_folder=None)
    app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1"]
    app.jinja_env.filters |= {"linked": linked, "moment": _moment, "pretty": _pretty, "form": _form}
    app.jinja_env.globals["service_url"] = service_url
    app.before_request(_refuse_other_sites)
    app.after_request(_guard)
    _add_overview(app, mailchimp, mailbox)
    _add_mailbox(app, mailbox)
    _add_contacts(app, mailchimp)
    return app


def _add_overview(app: Flask, mailchimp: StandIn, mailbox: Mailbox) -> None:
    @app.get("/")
    def overview() -> str:
        return render_template(
            "overview.html",
            letters=len(mailbox.letters),
            contacts=len(mailchimp.contacts),
            calls=len(mailchimp.calls),
        )

    @app.get("/calls")
    def calls() -> str:
        newest = list(islice(reversed(list(mailchimp.calls)), SHOWN_CALLS))
        return render_template("calls.html", calls=newest)


def _add_mailbox(app: Flask, mailbox: Mailbox) -> None:
    @app.get("/mailbox")
    def letters() -> str:
        newest = list(enumerate(list(mailbox.letters), start=1))[::-1]
        return render_template("mailbox.html", letters=newest)

    @app.get("/mailbox/<int:number>")
    def letter(number: int) -> str:
        if not 0 < number <= len(mailbox.letters):
            abort(404)
        found = mailbox.letters[number - 1]
        plain, html = _body(found, "plain"), _body(found, "html")
        return render_template("letter.html", letter=found, plain=plain, html=html)


def _add_contacts(app: Flask, mailchimp: StandIn) -> None:
    acts: dict[str, Callable[[str], object]] = {
        "unsubscribe": mailchimp.unsubscribes,
        "complain": mailchimp.complains,
        "bounce": mailchimp.hard_bounces,
        "confirm": mailchimp.confirms_at_mailchimp,
    }

    @app.get("/contacts")
    def contacts() -> str:
        everybody = list(mailchimp.contacts.values())
        return render_template(
            "contacts.html",
            contacts=sorted(everybody, key=lambda it: it.last_changed, reverse=True),
            in_compliance=mailchimp.in_compliance,
            forgotten=len(mailchimp.forgotten),
            webhook_calls=mailchimp.webhook_calls[: -SHOWN_WEBHOOKS - 1 : -1],
        )

    @app.post("/contacts")
    def act() -> Answer:
        wanted = acts.get(request.form.get("act", ""))
        if wanted is None:
            abort(400)
        try:
            wanted(request.form.get("email", ""))
        except LookupError:
            abort(404)
        return redirect("/contacts#webhooks", 303)

    @app.get("/hosted-form")
    def hosted_form() -> str:
        return render_template("hosted_form.html")

    @app.post("/hosted-form")
    def sign_up() -> Answer:
        email = request.form.get("email", "").strip()
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            abort(400)
        mailchimp.signs_up_at_mailchimp(email)
        return redirect("/contacts", 303)


def _body(letter: Letter, kind: str) -> str | None:
    part = letter.message.get_body((kind,))
    return None if part is None else str(part.get_content())


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _form(body: bytes) -> str:
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    return "\n".join(f"{name} = {value}" for name, value in pairs)


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


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the service."""


class Pages:
    """Serves the pages on loopback."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._server: BaseWSGIServer | None = None

    def start(self, port: int = 0) -> int:
        """Listen and return the port; 0 takes a free one. Raise OSError if the port is taken."""
        # werkzeug would end the whole process where the port is taken.
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
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
