"""Every consent text ever shown: since when, how often it was confirmed; one is withdrawn."""

from __future__ import annotations

from flask import make_response, redirect, render_template, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from newsletter.domain.errors import PresentWording, UnknownWording
from newsletter.subscriptions import wording_registry
from newsletter.subscriptions.wording_registry import Registered
from newsletter.web.desk import sessions
from newsletter.web.desk.pages import bp, done_among


@bp.get("/consent-texts")
def consent_texts() -> str:
    return render_template(
        "desk/consent_texts.html",
        texts=wording_registry.all_texts(),
        done=done_among({"withdrawn"}),
    )


@bp.get("/consent-texts/<hash_>/withdraw")
def ask_to_withdraw(hash_: str) -> str:
    sessions.require_to_act()
    return render_template("desk/withdraw.html", text=_found(hash_), is_present=False)


@bp.post("/consent-texts/<hash_>/withdraw")
def withdraw(hash_: str) -> AnyResponse:
    sessions.require_to_act()
    text = _found(hash_)
    try:
        wording_registry.withdraw(hash_)
    except PresentWording:
        page = render_template("desk/withdraw.html", text=text, is_present=True)
        return make_response(page, 409)
    return redirect(url_for("desk.consent_texts", done="withdrawn"), 303)


def _found(hash_: str) -> Registered:
    try:
        return wording_registry.find(hash_)
    except UnknownWording:
        raise NotFound from None
