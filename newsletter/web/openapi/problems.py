"""Where the `type` of every problem leads: one page, with an anchor for each (RFC 9457 § 3.1.1)."""

from __future__ import annotations

import re

from flask import Blueprint, render_template
from markupsafe import Markup, escape

from newsletter.web.http import errors, language
from newsletter.web.http.error_texts import TEXTS
from newsletter.web.openapi.endpoint import PAGE, Endpoint

bp = Blueprint("problems", __name__)


@bp.get("/problems")
@Endpoint("What each problem's type means, why it occurs and what to do.", {200: (PAGE,)})
def show() -> str:
    """Explain every type of problem."""
    return render_template(
        "pages/problems.html",
        problems=sorted(TEXTS.items(), key=lambda it: (errors.STATUS_OF[it[0]], it[0])),
        statuses=errors.STATUS_OF,
        other_locale=language.other(),
    )


@bp.app_template_filter()
def marked(text: object) -> Markup:
    """A text in which backticks mark what is to be taken literally."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
