"""The receipt that a person may keep, to be had for an hour. It is theirs: that they took it, nobody writes down."""

from __future__ import annotations

from flask import Blueprint, Response

from newsletter.rights.proof import document
from newsletter.subscriptions.links import Purpose
from newsletter.web.http import links
from newsletter.web.openapi.endpoint import Endpoint
from newsletter.web.schemas.proof import Receipt, say_signed

FILE_NAME = "consent-receipt.json"

bp = Blueprint("receipts", __name__)


@bp.get("/receipts/<token>")
@Endpoint(
    "The receipt of a consent, signed, as a file; changes nothing.",
    {200: (Receipt,)},
    ("unknown-link", "outdated-link", "unavailable"),
    description="Its link comes with a confirmation, and holds for an hour.",
)
def download(token: str) -> Response:
    """Hand over the receipt."""
    response = say_signed(document.receipt(links.follow(Purpose.RECEIPT, token)))
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response
