"""Endpoint for staff: the proof of a consent, as signed JSON or as a page to print."""

from __future__ import annotations

import re

from flask import Blueprint, Response, make_response, render_template

from newsletter.domain.errors import UnknownReference
from newsletter.rights.proof import document as proof
from newsletter.rights.proof import page
from newsletter.web.http import bearer, negotiation
from newsletter.web.openapi.endpoint import PAGE, Endpoint
from newsletter.web.schemas.proof import Proof, say_signed

_REFERENCE = re.compile(r"[0-9a-f]{32}")

bp = Blueprint("proofs", __name__, url_prefix="/admin")


@bp.get("/proofs/<reference>")
@Endpoint(
    "The signed proof of a consent; as a page to print if `Accept` prefers HTML.",
    {200: (Proof, PAGE)},
    ("unauthorized", "too-many-requests", "not-found", "unknown-reference", "unavailable"),
    bearer="required",
    description="Of an erased person only the events remain. Each view is recorded in the ledger.",
)
def show(reference: str) -> Response:
    actor = bearer.require()
    if not _REFERENCE.fullmatch(reference):
        raise UnknownReference
    document = proof.of(reference, actor=actor)
    if negotiation.wants_page():
        return make_response(render_template(page.TEMPLATE, **page.values_of(document)))
    return say_signed(document)
