"""Endpoints for staff: erase, access, block, unblock (lift), restrict (hold), rectify.

The ledger records each call under the token's name. Addresses are only in the body, since URLs end up in logs.
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
    Subject,
)

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_HIDDEN = ("unauthorized", "too-many-requests", "not-found", "unavailable")
_REFUSED = (*BODY_PROBLEMS, "invalid-address", *_HIDDEN)
_ACTING = (*_REFUSED, "forbidden")
_UNKNOWN = (*_ACTING, "nobody-known")

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.before_app_request
def _refuse_without_token() -> None:
    # First of all, even for wrong methods: without a token, nothing here may be learned.
    if request.path.startswith(f"{bp.url_prefix}/") and not _is_unknown_path():
        bearer.require()


def _is_unknown_path() -> bool:
    return isinstance(request.routing_exception, NotFound)


@bp.post("/erasures")
@Endpoint(
    "Erase a person, here at once and at Mailchimp. While an erasure is open, it is returned again.",
    {202: (Erasure,)},
    _ACTING,
    body=ErasureRequest,
    words={202: "Deleted here; the deletion at Mailchimp is under way."},
    headers={202: ("Location",)},
    bearer="required",
)
def erase() -> Response:
    actor = bearer.require_to_act()
    given = bodies.parse(ErasureRequest, bodies.json_fields())
    id_ = erase_person(
        Address.parse_leniently(given.email), actor=actor, keep_block=given.keep_block
    )
    response = _erasure_response(id_)
    response.status_code = 202
    response.headers["Location"] = url_for("admin.show_erasure", erasure_id=id_)
    return response


@bp.get("/erasures/<erasure_id>")
@Endpoint(
    "The state and report of an erasure; once completed, with a signed receipt.",
    {200: (Erasure,)},
    _HIDDEN,
    bearer="required",
)
def show_erasure(erasure_id: str) -> Response:
    return _erasure_response(erasure_id)


def _erasure_response(id_: str) -> Response:
    erasure = erasure_report.find(id_, language.present()) if _ID.fullmatch(id_) else None
    if erasure is None:
        raise NotFound
    return jsonify(erasure)


@bp.post("/access")
@Endpoint(
    "All data stored about a person (Art. 15).",
    {200: (Held, Erasing, TEXT)},
    (*_REFUSED, "nobody-known"),
    body=AccessRequest,
    bearer="required",
    description="As readable text if `Accept` prefers `text/plain`.",
)
def access() -> Response:
    given = bodies.parse(AccessRequest, bodies.json_fields())
    address = Address.parse_leniently(given.email)
    locale = given.locale or language.asked_for()
    held = access_export.of(address, actor=bearer.require(), locale=locale)
    if negotiation.wants_text():
        text = access_text.plain(held, locale or access_text.language_of(held))
        return Response(text, mimetype=TEXT)
    return jsonify(held)


@bp.post("/blocks")
@Endpoint(
    "Block an address: a withdrawal, a complaint, a bounce, or permanently (`staff`).",
    {202: (Accepted,)},
    _UNKNOWN,
    body=BlockRequest,
    bearer="required",
)
def block() -> Response:
    actor = bearer.require_to_act()
    given = bodies.parse(BlockRequest, bodies.json_fields())
    address = Address.parse_leniently(given.email)
    staff.block(address, Reason(given.reason), actor=actor)
    return say(Accepted(), 202)


@bp.post("/lifts")
@Endpoint(
    "Unblock an address: a hard block becomes a soft one, which a new sign-up ends.",
    {202: (Accepted,)},
    _UNKNOWN,
    body=Subject,
    bearer="required",
)
def lift() -> Response:
    actor = bearer.require_to_act()
    given = bodies.parse(Subject, bodies.json_fields())
    staff.lift(Address.parse_leniently(given.email), actor=actor)
    return say(Accepted(), 202)


@bp.post("/holds")
@Endpoint(
    "Restrict the processing of a person's data, or end the restriction (Art. 18).",
    {202: (Accepted,)},
    _UNKNOWN,
    body=HoldRequest,
    bearer="required",
)
def hold() -> Response:
    actor = bearer.require_to_act()
    given = bodies.parse(HoldRequest, bodies.json_fields())
    address = Address.parse_leniently(given.email)
    staff.hold(address, is_held=given.hold, actor=actor)
    return say(Accepted(), 202)


@bp.post("/rectifications")
@Endpoint(
    "Correct an address; the owner of the new one has to confirm.",
    {202: (Accepted,)},
    (*_UNKNOWN, "blocked-hard", "cannot-correct", "written-too-often"),
    body=RectificationRequest,
    bearer="required",
)
def rectify() -> Response:
    actor = bearer.require_to_act()
    given = bodies.parse(RectificationRequest, bodies.json_fields())
    old, new = Address.parse_leniently(given.email), Address.parse(given.new_email)
    corrections.rectify(old, new, actor=actor)
    return say(Accepted(), 202)
