"""For staff: erasing, access, blocking, lifting, holding, rectifying.

What is done stands in the record under the token's name. Addresses come in the body alone: a URL
ends up in logs.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, jsonify, request, url_for
from werkzeug.exceptions import NotFound

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Reason
from newsletter.rights import access as access_export
from newsletter.rights import access_text, erasure_report
from newsletter.subscriptions import corrections, staff
from newsletter.subscriptions.erase import erase as erase_person
from newsletter.web.http import bearer, bodies, language, negotiation
from newsletter.web.openapi.endpoint import BODY_PROBLEMS, TEXT, Endpoint
from newsletter.web.schemas.erasure import Erasure
from newsletter.web.schemas.public import Accepted, say
from newsletter.web.schemas.staff import (
    AccessRequest,
    BlockRequest,
    Erasing,
    ErasureRequest,
    Held,
    HoldRequest,
    RectificationRequest,
    Whom,
)

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_HIDDEN = ("unauthorized", "not-found", "unavailable")
_REFUSED = (*BODY_PROBLEMS, "invalid-address", *_HIDDEN)
_UNKNOWN = (*_REFUSED, "nobody-known")

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.before_app_request
def _refuse_without_token() -> None:
    # Before everything else, wrong methods too: without a token, nobody learns anything here.
    if request.path.startswith(f"{bp.url_prefix}/") and not _is_unknown_path():
        bearer.require()


def _is_unknown_path() -> bool:
    return isinstance(request.routing_exception, NotFound)


@bp.post("/erasures")
@Endpoint(
    "Erase somebody, here at once and at Mailchimp; while one is open, the same one again.",
    {202: (Erasure,)},
    _REFUSED,
    body=ErasureRequest,
    words={202: "Gone here; at Mailchimp it is under way."},
    headers={202: ("Location",)},
    bearer="required",
)
def erase() -> Response:
    """Begin an erasure."""
    given = bodies.parse(ErasureRequest, bodies.json_fields())
    id_ = erase_person(
        Address.as_held(given.email), actor=bearer.require(), keep_block=given.keep_block
    )
    response = _tell_erasure(id_)
    response.status_code = 202
    response.headers["Location"] = url_for("admin.show_erasure", erasure_id=id_)
    return response


@bp.get("/erasures/<erasure_id>")
@Endpoint(
    "How far an erasure is, and what it did; once completed, with a receipt to hand on.",
    {200: (Erasure,)},
    _HIDDEN,
    bearer="required",
)
def show_erasure(erasure_id: str) -> Response:
    """Tell how far an erasure is."""
    return _tell_erasure(erasure_id)


def _tell_erasure(id_: str) -> Response:
    erasure = erasure_report.find(id_, language.present()) if _ID.fullmatch(id_) else None
    if erasure is None:
        raise NotFound
    return jsonify(erasure)


@bp.post("/access")
@Endpoint(
    "All that is held (Art. 15).",
    {200: (Held, Erasing, TEXT)},
    _UNKNOWN,
    body=AccessRequest,
    bearer="required",
    description="As text to hand on, by an `Accept` that prefers `text/plain`.",
)
def access() -> Response:
    """Tell all that is held about somebody."""
    given = bodies.parse(AccessRequest, bodies.json_fields())
    address = Address.as_held(given.email)
    locale = given.locale or language.asked_for()
    held = access_export.of(address, actor=bearer.require(), locale=locale)
    if negotiation.wants_text():
        text = access_text.plain(held, locale or access_text.language_of(held))
        return Response(text, mimetype=TEXT)
    return jsonify(held)


@bp.post("/blocks")
@Endpoint(
    "Enter a withdrawal, a complaint, a bounce, or: never again.",
    {202: (Accepted,)},
    _UNKNOWN,
    body=BlockRequest,
    bearer="required",
)
def block() -> Response:
    """Block an address."""
    given = bodies.parse(BlockRequest, bodies.json_fields())
    address = Address.as_held(given.email)
    staff.block(address, Reason(given.reason), actor=bearer.require())
    return say(Accepted(), 202)


@bp.post("/lifts")
@Endpoint(
    "Make a hard block a soft one.", {202: (Accepted,)}, _UNKNOWN, body=Whom, bearer="required"
)
def lift() -> Response:
    """Let an address sign up again."""
    given = bodies.parse(Whom, bodies.json_fields())
    staff.lift(Address.as_held(given.email), actor=bearer.require())
    return say(Accepted(), 202)


@bp.post("/holds")
@Endpoint(
    "Restrict what is done with somebody's data, or release it (Art. 18).",
    {202: (Accepted,)},
    _UNKNOWN,
    body=HoldRequest,
    bearer="required",
)
def hold() -> Response:
    """Hold somebody's data, or release it."""
    given = bodies.parse(HoldRequest, bodies.json_fields())
    address = Address.as_held(given.email)
    staff.hold(address, is_held=given.hold, actor=bearer.require())
    return say(Accepted(), 202)


@bp.post("/rectifications")
@Endpoint(
    "Correct an address; its new owner is asked first.",
    {202: (Accepted,)},
    (*_UNKNOWN, "blocked-hard", "cannot-correct", "written-too-often"),
    body=RectificationRequest,
    bearer="required",
)
def rectify() -> Response:
    """Correct an address."""
    given = bodies.parse(RectificationRequest, bodies.json_fields())
    old, new = Address.as_held(given.email), Address.parse(given.new_email)
    corrections.rectify(old, new, actor=bearer.require())
    return say(Accepted(), 202)
