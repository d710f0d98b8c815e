"""The link for whoever did not sign up: forgets the sign-up and, if asked, blocks the address."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from newsletter.subscriptions import leave
from newsletter.subscriptions.links import Purpose
from newsletter.web.http import bodies, links, negotiation
from newsletter.web.openapi.endpoint import BODY_PROBLEMS, JSON_OR_FORM, PAGE, Endpoint
from newsletter.web.schemas.public import Disowned, NotMe, Offer, say

bp = Blueprint("not_me", __name__)


@bp.get("/not-me/<token>")
@Endpoint(
    "Ask whether the sign-up is to be forgotten; changes nothing.",
    {200: (PAGE, Offer)},
    ("unknown-link", "unavailable"),
)
def show(token: str) -> Response:
    """Ask whether the sign-up is to be forgotten."""
    link = links.follow(Purpose.NOT_ME, token)
    if negotiation.wants_json():
        return say(Offer(action="disown"))
    is_confirmed = leave.stands_confirmed(link)
    return make_response(render_template("pages/not_me.html", is_confirmed=is_confirmed))


@bp.post("/not-me/<token>")
@Endpoint(
    "Forget the sign-up; the same answer where nothing is left of it.",
    {200: (PAGE, Disowned)},
    ("unknown-link", *BODY_PROBLEMS, "unavailable"),
    body=NotMe,
    media=JSON_OR_FORM,
)
def disown(token: str) -> Response:
    """Forget the sign-up."""
    link = links.follow(Purpose.NOT_ME, token)
    given = bodies.parse(NotMe, bodies.fields())
    left = leave.disown(link, and_block=given.block)
    if negotiation.wants_json():
        return say(Disowned(status="disowned" if left is None else "blocked"))
    if left is not None:
        page = render_template("pages/unsubscribed.html", proof_until=left.proof_until)
        return make_response(page)
    return make_response(render_template("pages/disowned.html", blocked=given.block))
