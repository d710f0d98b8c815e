"""What the `type` of a problem leads to: a page that explains it (RFC 9457 § 3.1.1)."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.exceptions import NotFound

from newsletter.web.http import errors, language
from newsletter.web.http.error_texts import TEXTS
from newsletter.web.openapi import docs
from newsletter.web.openapi.document import PAGE, Door, describe

bp = Blueprint("problems", __name__)


@bp.get("/problems")
@describe(Door("Every kind of problem, with its page.", {200: (PAGE,)}))
def show_all() -> str:
    """List every kind of problem."""
    return render_template(
        "pages/problem_types.html",
        types=sorted(TEXTS.items(), key=lambda it: (errors.STATUS_OF[it[0]], it[0])),
        statuses=errors.STATUS_OF,
        other_locale=language.other(),
    )


@bp.get("/problems/<slug>")
@describe(
    Door(
        "What a problem's type means, why it occurs and what to do.", {200: (PAGE,)}, ("not-found",)
    )
)
def show(slug: str) -> str:
    """Explain one type of problem."""
    if slug not in TEXTS:
        raise NotFound
    everywhere = list(docs.operations())
    where = [operation for operation in everywhere if _may_answer(operation, slug)]
    return render_template(
        "pages/problem_type.html",
        slug=slug,
        problem=errors.problem(slug, errors.STATUS_OF[slug]),
        told=TEXTS[slug],
        status=errors.STATUS_OF[slug],
        operations=where if len(where) < len(everywhere) else [],
        is_everywhere=len(where) == len(everywhere),
        other_locale=language.other(),
    )


def _may_answer(operation: docs.Operation, slug: str) -> bool:
    return any(
        slug in media.get("examples", {})
        for answer in operation.described["responses"].values()
        for media in answer.get("content", {}).values()
    )
