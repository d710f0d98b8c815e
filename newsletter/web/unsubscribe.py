"""The link to leave: one button for people, one click for mail programs (RFC 8058)."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from newsletter import subscriptions
from newsletter.tokens import Purpose
from newsletter.web import links, negotiation
from newsletter.web.openapi import PAGE, Door, describe
from newsletter.web.schemas import Ask, Blocked, say

bp = Blueprint("unsubscribe", __name__)


@bp.get("/unsubscribe/<token>")
@describe(Door("A page with one button; changes nothing.", {200: (PAGE, Ask)}, (404, 503)))
def show(token: str) -> Response:
    """Ask whether to leave."""
    links.follow(Purpose.UNSUBSCRIBE, token)
    if negotiation.wants_json():
        return say(Ask(action="unsubscribe"))
    return make_response(render_template("pages/unsubscribe.html"))


@bp.post("/unsubscribe/<token>")
@describe(Door("Leave; again: the same answer.", {200: (PAGE, Blocked)}, (404, 503)))
def leave(token: str) -> Response:
    """Leave. Whatever the body says: it need not be read, a redirect would break RFC 8058."""
    departure = subscriptions.unsubscribe(links.follow(Purpose.UNSUBSCRIBE, token))
    if negotiation.wants_json():
        return say(Blocked())
    proof_until = departure.proof_until if departure else None
    return make_response(render_template("pages/unsubscribed.html", proof_until=proof_until))
