"""The link for people who did not sign up: deletes the sign-up and, on request, blocks the address."""

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
    "A button that deletes the sign-up. Changes nothing.",
    {200: (PAGE, Offer)},
    ("unknown-link", "unavailable"),
)
def show(token: str) -> Response:
    link = links.follow(Purpose.NOT_ME, token)
    is_over = leave.is_over(link)
    if negotiation.wants_json():
        return say(Offer(action="disown", is_done=is_over or None))
    page = render_template(
        "pages/not_me.html", is_over=is_over, proof_until=leave.proof_until(link)
    )
    return make_response(page)


@bp.post("/not-me/<token>")
@Endpoint(
    "Delete the sign-up. Repeated: the same answer.",
    {200: (PAGE, Disowned)},
    ("unknown-link", *BODY_PROBLEMS, "unavailable"),
    body=NotMe,
    media=JSON_OR_FORM,
)
def disown(token: str) -> Response:
    link = links.follow(Purpose.NOT_ME, token)
    given = bodies.parse(NotMe, bodies.fields())
    disowned = leave.disown(link, and_block=given.block)
    if negotiation.wants_json():
        return say(Disowned(status="blocked" if disowned.departure else "disowned"))
    if disowned.departure is not None:
        page = render_template("pages/unsubscribed.html", departure=disowned.departure)
    else:
        page = render_template(
            "pages/disowned.html",
            is_blocked=disowned.is_blocked,
            cannot_block=given.block and not disowned.is_blocked,
        )
    return make_response(page)
