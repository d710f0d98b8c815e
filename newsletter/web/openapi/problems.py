"""The page that explains every problem `type`, with an anchor for each (RFC 9457 § 3.1.1)."""

from __future__ import annotations

import re

from flask import Blueprint, render_template
from markupsafe import Markup, escape

from newsletter.web.http import errors
from newsletter.web.http.error_texts import TEXTS
from newsletter.web.openapi.endpoint import PAGE, Endpoint

bp = Blueprint("problems", __name__)


@bp.get("/problems")
@Endpoint("The meaning, cause and remedy of each problem type.", {200: (PAGE,)})
def show() -> str:
    return render_template(
        "pages/problems.html",
        problems=sorted(TEXTS.items(), key=lambda it: (errors.STATUS_OF[it[0]], it[0])),
        statuses=errors.STATUS_OF,
    )


@bp.app_template_filter()
def marked(text: object) -> Markup:
    """Turn `backticks` into <code>."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
