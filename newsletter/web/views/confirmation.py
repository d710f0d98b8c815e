"""The confirmation link. Only a POST confirms, since mail scanners open links and some run scripts."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from newsletter.subscriptions import links
from newsletter.subscriptions.confirm import CONFIRM_PAGE, open_request
from newsletter.subscriptions.confirm import confirm as confirm_request
from newsletter.subscriptions.links import Purpose
from newsletter.web.http import language, negotiation
from newsletter.web.openapi.endpoint import PAGE, Endpoint
from newsletter.web.schemas.public import Confirmed, OpenRequest, say

_PROBLEMS = ("unknown-link", "outdated-link", "unavailable")

bp = Blueprint("confirmation", __name__)


@bp.get("/confirm/<token>")
@Endpoint(
    "The consent to confirm, and a button. Changes nothing.",
    {200: (PAGE, OpenRequest)},
    _PROBLEMS,
)
def show(token: str) -> Response:
    link = links.read(Purpose.CONFIRM, token)
    request = open_request(link)
    language.use(request.consent.language)
    not_me_url = links.url_for(Purpose.NOT_ME, link)
    if negotiation.wants_json():
        return say(
            OpenRequest(
                status="confirmed" if request.is_confirmed else "open",
                consent=request.consent.text,
                language=request.consent.language,
                expires_at=request.expires_at,
                not_me=not_me_url,
            )
        )
    page = render_template(
        CONFIRM_PAGE,
        consent=request.consent,
        expires_at=request.expires_at,
        not_me_url=not_me_url,
        is_confirmed=request.is_confirmed,
    )
    return make_response(page)


@bp.post("/confirm/<token>")
@Endpoint(
    "Confirm. Repeated: the same answer; after an hour, without the receipt.",
    {200: (PAGE, Confirmed)},
    _PROBLEMS,
)
def confirm(token: str) -> Response:
    is_program = negotiation.wants_json()
    consent = confirm_request(links.read(Purpose.CONFIRM, token), on_page=not is_program)
    language.use(consent.language)
    if is_program:
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
        my_data_url=consent.my_data_url,
    )
    return make_response(page)
