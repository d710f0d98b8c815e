"""Erasures, open and done: each with its report, and its signed receipt by the erasure's or the person's number."""

from __future__ import annotations

from flask import Response, jsonify, render_template
from werkzeug.exceptions import NotFound

from newsletter.rights import erasure_report
from newsletter.storage import erasure_list
from newsletter.web.desk.pages import bp, done_among
from newsletter.web.http import language

FILE_NAME = "newsletter-erasure-receipt.json"


@bp.get("/erasures")
def erasures() -> str:
    return render_template(
        "desk/erasures.html",
        open=erasure_list.unfinished(),
        done=erasure_list.completed(),
        most=erasure_list.MOST,
    )


@bp.get("/erasures/<number>")
def erasure(number: str) -> str:
    return render_template(
        "desk/erasure.html",
        erasure=_found(number),
        done=done_among({"erase"}),
    )


@bp.get("/erasures/<number>/receipt")
def receipt(number: str) -> Response:
    document = _found(number)["receipt"]
    if document is None:
        raise NotFound
    response = jsonify(document)
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response


def _found(number: str) -> dict[str, object]:
    report = erasure_report.find(number.lower(), language.present())
    if report is None:
        raise NotFound
    return report
