"""Requests for a link to one's own data, sent to the mailbox. The answer is the same for every address."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress
from newsletter.rights import my_data_link
from newsletter.web.http import bodies, errors, language, negotiation
from newsletter.web.openapi.endpoint import BODY_PROBLEMS, JSON_OR_FORM, PAGE, Endpoint
from newsletter.web.schemas.my_data import MyDataRequest
from newsletter.web.schemas.public import Accepted, Offer, say

bp = Blueprint("my_data_request", __name__)


@bp.get("/my-data")
@Endpoint("The form that requests a link to one's own data.", {200: (PAGE, Offer)})
def form() -> Response:
    if negotiation.wants_json():
        return say(Offer(action="send a link"))
    return _form()


@bp.post("/my-data")
@Endpoint(
    "Send a link to the stored data to an address. The answer is the same for every address.",
    {202: (Accepted,), 303: (PAGE,), 422: (PAGE,)},
    (*BODY_PROBLEMS, "invalid-address", "reserved-address", "too-many-requests", "unavailable"),
    body=MyDataRequest,
    media=JSON_OR_FORM,
    description="A known address gets an e-mail with a link that is valid for an hour, unless it is permanently "
    "blocked, restricted, got an e-mail within ten minutes or three within a day, or five about an open request.",
    words={
        422: "For forms: the form again with the input; for programs: the reason.",
        303: "For forms: to the page `/my-data-inbox`.",
    },
)
def ask() -> Response:
    """Accept an address; a form with an invalid one is shown again."""
    fields = bodies.fields()
    given = bodies.parse(MyDataRequest, fields if request.is_json else {"email": "", **fields})
    language.use(given.locale)
    try:
        address = Address.parse(given.email)
    except InvalidAddress as invalid:
        if not negotiation.wants_page():
            raise
        return _form(email=given.email, invalid=invalid)
    if not given.is_from_machine:
        my_data_link.send(address)
    if negotiation.wants_json():
        return say(Accepted(), 202)
    inbox_url = url_for("my_data_request.inbox", locale=language.present())
    return make_response(redirect(inbox_url, 303))


@bp.get("/my-data-inbox")
@Endpoint("The page after that form: please check your inbox.", {200: (PAGE,)})
def inbox() -> str:
    return render_template("pages/my_data_inbox.html")


def _form(*, email: str = "", invalid: InvalidAddress | None = None) -> Response:
    page = render_template(
        "pages/my_data_request.html",
        email=email,
        error=errors.reason_of(invalid) if invalid else None,
    )
    return make_response(page, 422 if invalid else 200)
