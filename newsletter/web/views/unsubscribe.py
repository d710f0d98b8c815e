"""The unsubscribe link: a button for people, one click for mail programs (RFC 8058)."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from newsletter.subscriptions import leave
from newsletter.subscriptions.links import Purpose
from newsletter.web.http import links, negotiation
from newsletter.web.http.bodies import FORMS
from newsletter.web.openapi.endpoint import PAGE, Endpoint
from newsletter.web.schemas.public import Blocked, Offer, OneClick, say

_PROBLEMS = ("unknown-link", "unavailable")

bp = Blueprint("unsubscribe", __name__)


@bp.get("/unsubscribe/<token>")
@Endpoint("A button that unsubscribes. Changes nothing.", {200: (PAGE, Offer)}, _PROBLEMS)
def show(token: str) -> Response:
    has_left = leave.has_left(links.follow(Purpose.UNSUBSCRIBE, token))
    if negotiation.wants_json():
        return say(Offer(action="unsubscribe", is_done=has_left or None))
    return make_response(render_template("pages/unsubscribe.html", has_left=has_left))


@bp.post("/unsubscribe/<token>")
@Endpoint(
    "Unsubscribe. Repeated: the same answer.",
    {200: (PAGE, Blocked)},
    _PROBLEMS,
    body=OneClick,
    media=FORMS,
    description="Mail programs call it for their users (RFC 8058): "
    "no redirect, no cookie, no further question.",
)
def act(token: str) -> Response:
    """Unsubscribe. The body is ignored, and there is no redirect, as RFC 8058 requires."""
    departure = leave.unsubscribe(links.follow(Purpose.UNSUBSCRIBE, token))
    if negotiation.wants_json():
        return say(Blocked())
    return make_response(render_template("pages/unsubscribed.html", departure=departure))
