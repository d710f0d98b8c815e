"""Mailchimp's webhooks, authenticated by a secret in the URL and, if one is set, by a signature.

Mailchimp repeats a call after any answer but a 2xx, and disables the webhook after a 410. So calls that are ignored get
the same answer as all others.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from newsletter import config
from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress
from newsletter.domain.lifecycle import Reason
from newsletter.subscriptions import reported
from newsletter.web import monitoring
from newsletter.web.http import bodies, signature
from newsletter.web.http.bodies import FORMS
from newsletter.web.http.signature import WrongSignature
from newsletter.web.openapi.endpoint import Endpoint
from newsletter.web.schemas.public import MailchimpCall

#: Octets; large, since a profile may have many merge fields, and a refused call may be a lost withdrawal.
LONGEST = 1024 * 1024

#: What a call means, where it is no reason to block somebody.
LOOK_UP, NOTHING = "look_up", "nothing"

Fields = Mapping[str, str]

bp = Blueprint("webhooks", __name__)

log = logging.getLogger(__name__)


@bp.get("/webhooks/mailchimp/<secret>")
@Endpoint("Mailchimp's check of the URL.", {200: ("text/plain",)}, ("not-found",))
def check(secret: str) -> Response:
    _require(secret)
    return Response("ok\n", mimetype="text/plain")


@bp.post("/webhooks/mailchimp/<secret>")
@Endpoint(
    "A change that Mailchimp reports; committed before the answer.",
    {204: (None,)},
    ("wrong-signature", "not-found", "too-large", "unavailable"),
    body=MailchimpCall,
    media=FORMS[:1],
    description="Where MAILCHIMP_SIGNING_SECRET is set, `X-Mailchimp-Signature` must be valid. An "
    "unknown address, type or audience gets the same answer, and never 410: Mailchimp would "
    "not call again.",
    words={204: "Received, also if it changes nothing."},
)
def receive(secret: str) -> Response:
    """Apply one call, and answer after the commit."""
    _require(secret)
    body = bodies.octets(LONGEST)
    _check_signature(body)
    monitoring.current().count_webhook(apply(read(body)))
    return Response(status=204)


def read(body: bytes) -> Fields:
    """The form's fields, the first of each name; octets that are not UTF-8 are replaced."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")
    return dict(reversed(pairs))


def apply(fields: Fields) -> str:
    """Apply a call, and say what it means; one about another audience, or of another type, changes nothing.

    If it names no audience, the contact is only looked up.
    """
    ours, named = config.current().mailchimp_list_id, fields.get("data[list_id]")
    handler = _HANDLERS.get(fields.get("type", ""))
    if handler is None or (named and ours is not None and named != ours):
        return NOTHING
    try:
        return handler(fields) if named else _look_up(fields)
    except InvalidAddress:
        return NOTHING  # nobody here has such an address


def fired_at(fields: Fields) -> datetime | None:
    """When it happened there: in UTC, though Mailchimp does not say so; None where it is no time."""
    try:
        return datetime.strptime(fields.get("fired_at", ""), "%Y-%m-%d %H:%M:%S").replace(
            tzinfo=UTC
        )
    except ValueError:
        return None


def _unsubscribe(fields: Fields) -> str:
    match fields.get("data[reason]"), fields.get("data[action]", "unsub"):
        case "abuse", _:
            return _left(fields, Reason.COMPLAINT)
        case _, "unsub":
            return _left(fields, Reason.UNSUBSCRIBED)
        case _, "delete":
            reported.removed(_address(fields), fired_at(fields))
            return Reason.REMOVED_AT_MAILCHIMP
        case _:
            return _changed(fields)


def _cleaned(fields: Fields) -> str:
    match fields.get("data[reason]"):
        case "abuse":
            return _left(fields, Reason.COMPLAINT)
        case "hard":
            return _left(fields, Reason.BOUNCE)
        case _:
            return _changed(fields)


def _left(fields: Fields, reason: Reason) -> str:
    reported.unsubscribed(_address(fields), reason, fired_at(fields))
    return reason


def _changed(fields: Fields) -> str:
    reported.profile_changed(_address(fields))
    return LOOK_UP


def _look_up(fields: Fields) -> str:
    log.warning("a webhook call names no audience (data[list_id]): the contact is looked up")
    name = "data[email]" if "data[email]" in fields else "data[old_email]"
    reported.profile_changed(_address(fields, name))
    return LOOK_UP


def _upemail(fields: Fields) -> str:
    old, new = _address(fields, "data[old_email]"), _address(fields, "data[new_email]")
    reported.address_changed(old, new, fired_at(fields))
    return Reason.RECTIFIED


_HANDLERS: Mapping[str, Callable[[Fields], str]] = {
    "unsubscribe": _unsubscribe,
    "cleaned": _cleaned,
    "subscribe": _changed,
    "profile": _changed,
    "upemail": _upemail,
}


def _address(fields: Fields, name: str = "data[email]") -> Address:
    return Address.parse_leniently(fields.get(name, ""))


def _check_signature(body: bytes) -> None:
    secret = config.current().mailchimp_signing_secret
    if secret is None:
        return
    given = request.headers.get(signature.HEADER, "")
    try:
        signature.check(given, body, secret.get_secret_value())
    except WrongSignature:
        signature.report_refusal()
        raise


def _require(secret: str) -> None:
    right = config.current().mailchimp_webhook_secret
    if right is None:
        raise NotFound
    if not hmac.compare_digest(secret.encode(), right.get_secret_value().encode()):
        raise NotFound
