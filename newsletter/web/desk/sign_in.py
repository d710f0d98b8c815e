"""Signing in with an admin token, and out again. Wrong tokens are counted with those of the admin endpoints."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from newsletter.web.desk import sessions
from newsletter.web.desk.pages import bp
from newsletter.web.http import bearer


@bp.get("/sign-in")
def sign_in() -> AnyResponse:
    if current_user.is_authenticated:
        return redirect(url_for("desk.today"), 303)
    return _page()


@bp.post("/sign-in")
def begin() -> AnyResponse:
    admin = bearer.admin_of(request.form.get("token", "").strip())
    if admin is None:
        return _page(is_wrong=True)
    sessions.begin(admin)
    return redirect(url_for("desk.today"), 303)


@bp.post("/sign-out")
def sign_out() -> AnyResponse:
    sessions.end()
    return redirect(url_for("desk.sign_in"), 303)


def _page(*, is_wrong: bool = False) -> Response:
    page = render_template("desk/sign_in.html", is_wrong=is_wrong)
    return make_response(page, 403 if is_wrong else 200)
