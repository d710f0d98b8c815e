"""The confirmation link. Mail scanners open links, some run scripts: only a POST confirms."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from newsletter.subscriptions import links
from newsletter.subscriptions.confirm import confirm as confirm_request
from newsletter.subscriptions.confirm import open_request
from newsletter.subscriptions.links import Purpose
from newsletter.web.http import language, negotiation
from newsletter.web.openapi.endpoint import PAGE, Endpoint
from newsletter.web.schemas.public import Confirmed, OpenRequest, say

_PROBLEMS = ("unknown-link", "outdated-link", "unavailable")

bp = Blueprint("confirmation", __name__)


@bp.get("/confirm/<token>")
@Endpoint(
    "Show what is to be confirmed, and a button; changes nothing.",
    {200: (PAGE, OpenRequest)},
    _PROBLEMS,
)
def show(token: str) -> Response:
    """Show what is to be confirmed."""
    link = links.read(Purpose.CONFIRM, token)
    asked = open_request(link)
    language.use(asked.consent.language)
    not_me_url = links.url_for(Purpose.NOT_ME, link)
    if negotiation.wants_json():
        return say(
            OpenRequest(
                status="confirmed" if asked.is_confirmed else "open",
                consent=asked.consent.text,
                language=asked.consent.language,
                expires_at=asked.expires_at,
                not_me=not_me_url,
            )
        )
    page = render_template(
        "pages/confirm.html",
        consent=asked.consent,
        expires_at=asked.expires_at,
        not_me_url=not_me_url,
        is_confirmed=asked.is_confirmed,
    )
    return make_response(page)


@bp.post("/confirm/<token>")
@Endpoint(
    "Confirm; again: the same answer, after an hour without the receipt.",
    {200: (PAGE, Confirmed)},
    _PROBLEMS,
)
def confirm(token: str) -> Response:
    """Confirm, and hand over the reference, the receipt and the link to leave again."""
    consent = confirm_request(links.read(Purpose.CONFIRM, token))
    language.use(consent.language)
    if negotiation.wants_json():
        return say(
            Confirmed(
                reference=consent.reference,
                unsubscribe=consent.unsubscribe_url,
                receipt=consent.receipt_url,
            )
        )
    page = render_template(
        "pages/confirmed.html",
        confirmed_at=consent.confirmed_at,
        reference=consent.reference,
        unsubscribe_url=consent.unsubscribe_url,
        receipt_url=consent.receipt_url,
    )
    return make_response(page)
