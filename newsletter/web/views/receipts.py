"""The signed receipt of a consent, for an hour. It belongs to the person, so downloads are not recorded."""

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
    "The signed receipt of a consent, as a file. Changes nothing.",
    {200: (Receipt,)},
    ("unknown-link", "expired-link", "unavailable"),
    description="Its link is in the answer to a confirmation, and valid for an hour.",
)
def download(token: str) -> Response:
    response = say_signed(document.receipt(links.follow(Purpose.RECEIPT, token)))
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response
