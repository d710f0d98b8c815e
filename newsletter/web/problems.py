"""What the `type` of a problem leads to: a page that explains it (RFC 9457 § 3.1.1)."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.exceptions import NotFound

from newsletter.web import errors
from newsletter.web.error_texts import TEXTS
from newsletter.web.openapi import PAGE, Door, describe

bp = Blueprint("problems", __name__)


@bp.get("/problems/<slug>")
@describe(Door("What a problem's type means.", {200: (PAGE,)}, (404,)))
def explain(slug: str) -> str:
    """Explain one type of problem."""
    if slug not in TEXTS:
        raise NotFound
    return errors.explain(slug)
