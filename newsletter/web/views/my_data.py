"""The link to a person's data: see, download, unsubscribe, correct, erase, unblock. Opening it changes nothing."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress
from newsletter.rights import access_text, my_data
from newsletter.subscriptions.links import MY_DATA_VALID_FOR, Link, Purpose
from newsletter.web.http import bodies, errors, language, links, negotiation
from newsletter.web.openapi.endpoint import BODY_PROBLEMS, JSON_OR_FORM, PAGE, Endpoint
from newsletter.web.schemas.my_data import Done, MyDataAct
from newsletter.web.schemas.public import say
from newsletter.web.schemas.staff import Held

FILE_NAME = "newsletter-data.json"

_LINK_PROBLEMS = ("unknown-data-link", "expired-link", "unavailable")
#: The actions that the page confirms after a redirect.
_CONFIRMED = frozenset({"unsubscribe", "rectify", "lift"})

bp = Blueprint("my_data", __name__)


@bp.get("/my-data/<token>")
@Endpoint("All data stored about a person. Changes nothing.", {200: (PAGE, Held)}, _LINK_PROBLEMS)
def show(token: str) -> Response:
    return _page(links.follow(Purpose.MY_DATA, token), token)


@bp.get("/my-data/<token>/erase")
@Endpoint(
    "What erasing does, and a last question. Changes nothing.",
    {200: (PAGE,)},
    _LINK_PROBLEMS,
    description="Its button sends a POST to `/my-data/{token}`.",
)
def ask_to_erase(token: str) -> Response:
    link = links.follow(Purpose.MY_DATA, token)
    page = render_template(
        "pages/my_data_erase.html",
        would_lose_block=my_data.would_lose_block(link),
        my_data_url=url_for("my_data.show", token=token, locale=language.present()),
    )
    return make_response(page)


@bp.get("/my-data/<token>/erased")
@Endpoint(
    "Say that the data has been erased, and by which reference number; changes nothing.",
    {200: (PAGE,)},
    _LINK_PROBLEMS,
    description="Can be opened for as long as the record of the erasure is kept.",
)
def erased(token: str) -> Response:
    link = links.follow(Purpose.MY_DATA, token)
    return make_response(render_template("pages/my_data_erased.html", erased=my_data.erased(link)))


@bp.post("/my-data/<token>")
@Endpoint(
    "Act on one's own data. Repeated: the same answer, until the data is erased.",
    {200: (PAGE, Held, Done), 303: (PAGE,), 422: (PAGE,)},
    (
        *_LINK_PROBLEMS,
        *BODY_PROBLEMS,
        *(
            "invalid-address",
            "reserved-address",
            "blocked-hard",
            "cannot-correct",
            "too-many-requests",
        ),
    ),
    body=MyDataAct,
    media=JSON_OR_FORM,
    words={
        200: "All data as a file (`download`), or that it was done.",
        303: "For forms: back to the page.",
        422: "For forms: the page again with the input; for programs: the reason.",
    },
)
def act(token: str) -> Response:
    link = links.follow(Purpose.MY_DATA, token)
    given = bodies.parse(MyDataAct, bodies.fields())
    try:
        new = _new_address(given)
    except InvalidAddress as invalid:
        if not negotiation.wants_page():
            raise
        return _page(link, token, new_email=given.new_email or "", invalid=invalid)
    match given.action:
        case "download":
            return _file(link)
        case "erase":
            my_data.erase(link, keep_block=given.keep_block)
            return _show_erased(link, token)
        case "unsubscribe":
            my_data.unsubscribe(link)
        case "lift":
            my_data.lift(link)
        case "rectify":
            assert new is not None  # noqa: S101 - tells mypy; correcting needs one
            my_data.rectify(link, new)
    if negotiation.wants_json():
        return say(Done(action=given.action))
    here = url_for("my_data.show", token=token, done=given.action, locale=language.present())
    return make_response(redirect(here, 303))


def _new_address(given: MyDataAct) -> Address | None:
    """The new address; validated even if the action does not need it."""
    if given.new_email is None and given.action != "rectify":
        return None
    return Address.parse(given.new_email or "")


def _page(
    link: Link, token: str, *, new_email: str = "", invalid: InvalidAddress | None = None
) -> Response:
    locale = language.present()
    mine = my_data.view(link, locale)
    if negotiation.wants_json():
        return jsonify(mine.data)
    done = request.args.get("done")
    page = render_template(
        "pages/my_data.html",
        summary=access_text.summary(mine.data, locale),
        parts=access_text.parts(mine.data, locale),
        can_leave=mine.can_leave,
        can_correct=mine.can_correct,
        can_lift=mine.can_lift,
        unsubscribe_url=mine.unsubscribe_url,
        proof_until=mine.proof_until,
        erase_url=url_for("my_data.ask_to_erase", token=token, locale=locale),
        expires_at=link.written_at + MY_DATA_VALID_FOR,
        done=done if done in _CONFIRMED and not invalid else None,
        new_email=new_email,
        error=errors.reason_of(invalid) if invalid else None,
    )
    return make_response(page, 422 if invalid else 200)


def _file(link: Link) -> Response:
    response = jsonify(my_data.export(link, language.present()))
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response


def _show_erased(link: Link, token: str) -> Response:
    if negotiation.wants_json():
        return say(Done(action="erase", reference=link.ref))
    return make_response(
        redirect(url_for("my_data.erased", token=token, locale=language.present()), 303)
    )
