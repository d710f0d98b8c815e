"""Where people ask for what is held about them: a link goes to their mailbox. Every address gets the same answer."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress
from newsletter.rights import my_data
from newsletter.web.http import bodies, errors, language, negotiation
from newsletter.web.openapi.endpoint import BODY_PROBLEMS, JSON_OR_FORM, PAGE, Endpoint
from newsletter.web.schemas.my_data import MyDataRequest
from newsletter.web.schemas.public import Accepted, Offer, say

bp = Blueprint("my_data_request", __name__)


@bp.get("/my-data")
@Endpoint("The form that asks for what is held about oneself.", {200: (PAGE, Offer)})
def form() -> Response:
    """Show the form."""
    if negotiation.wants_json():
        return say(Offer(action="send a link"))
    return _form()


@bp.post("/my-data")
@Endpoint(
    "Have a link to what is held sent to an address. The answer is the same for every address.",
    {202: (Accepted,), 303: (PAGE,), 422: (PAGE,)},
    (*BODY_PROBLEMS, "invalid-address", "too-many-requests", "unavailable"),
    body=MyDataRequest,
    media=JSON_OR_FORM,
    description="Whoever is known gets a letter with a link that holds for an hour, unless they "
    "were written to within ten minutes, or three times within a day.",
    words={
        422: "The form again, with what was typed; to programs, why not.",
        303: "On to a page that asks to look into the inbox.",
    },
)
def ask() -> Response:
    """Take an address; a form with a mistake in it is shown again."""
    fields = bodies.fields()
    given = bodies.parse(MyDataRequest, fields if request.is_json else {"email": "", **fields})
    language.use(given.locale)
    try:
        address = Address.parse(given.email)
    except InvalidAddress:
        if not negotiation.wants_page():
            raise
        return _form(email=given.email, status=422)
    if not given.is_from_machine:
        my_data.ask(address)
    if negotiation.wants_json():
        return say(Accepted(), 202)
    inbox_url = url_for("my_data_request.inbox", locale=language.present())
    return make_response(redirect(inbox_url, 303))


@bp.get("/my-data-inbox")
@Endpoint("Where that form leads: please look into your inbox.", {200: (PAGE,)})
def inbox() -> str:
    """Ask the person to look into their inbox."""
    return render_template("pages/my_data_inbox.html")


def _form(*, email: str = "", status: int = 200) -> Response:
    page = render_template(
        "pages/my_data_request.html",
        email=email,
        error=errors.text_of("invalid-address", on_page=True)[1] if status == 422 else None,
        other_locale=language.other(),
    )
    return make_response(page, status)
