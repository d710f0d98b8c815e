"""What all pages of the desk share: the blueprint, who may see them, and their language."""

from __future__ import annotations

from collections.abc import Collection

from flask import Blueprint, current_app, request, session
from flask_login import current_user
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from newsletter import config
from newsletter.web.desk import sessions
from newsletter.web.http import language

#: For those who are not signed in yet.
OPEN = frozenset({"desk.sign_in", "desk.begin"})

bp = Blueprint("desk", __name__, url_prefix=sessions.PATH)


@bp.before_request
def _let_in() -> AnyResponse | None:
    if not config.current().admins:
        raise NotFound
    _choose_language()
    if request.endpoint not in OPEN and not current_user.is_authenticated:
        answer: AnyResponse = current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
        return answer
    if request.method == "POST":
        sessions.protect(request)
    return None


def _choose_language() -> None:
    """The language that was chosen on a page holds for the session."""
    chosen = request.args.get("locale")
    if chosen in config.current().locales and session.get(sessions.LOCALE) != chosen:
        session[sessions.LOCALE] = chosen
    language.use(session.get(sessions.LOCALE))


def done_among(known: Collection[str]) -> str | None:
    """What was just done, as the page's URL says; None for what the page does not know."""
    done = request.args.get("done")
    return done if done in known else None


@bp.context_processor
def _values() -> dict[str, object]:
    """What the layout shows: who is signed in."""
    is_signed_in = current_user.is_authenticated
    return {
        "staff_name": sessions.actor() if is_signed_in else None,
        "may_act": is_signed_in and sessions.may_act(),
    }
