"""The stand-in Mailchimp's pages: contacts, its own form, and the calls received."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

from flask import Flask, abort, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from sandbox.mailchimp import StandIn

SHOWN_WEBHOOKS = 20
SHOWN_CALLS = 200


def add_to(app: Flask, mailchimp: StandIn) -> None:
    """Pages that show a stand-in's contacts and act on them."""
    _add_contacts(app, mailchimp)
    _add_hosted_form(app, mailchimp)

    @app.get("/calls")
    def calls() -> str:
        newest = list(islice(reversed(list(mailchimp.calls)), SHOWN_CALLS))
        return render_template("calls.html", calls=newest)


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


def _add_hosted_form(app: Flask, mailchimp: StandIn) -> None:
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
