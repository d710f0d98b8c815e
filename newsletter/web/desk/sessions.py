"""Sessions of staff: a signed cookie for the paths of the desk alone. Everywhere else there is no session.

A session ends after HOURS, whatever is done in it, and at once when its token is no longer in ADMIN_TOKENS.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask, Request, redirect, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest, Forbidden
from werkzeug.wrappers import Response as AnyResponse

from newsletter import config
from newsletter.config import Settings
from newsletter.config.settings import AdminToken
from newsletter.domain import clock
from newsletter.domain.clock import as_moment, rfc3339

PATH = "/desk"
HOURS = 8
LOCALE = "locale"
_SINCE = "since"

csrf = CSRFProtect()


@dataclass(frozen=True)
class Staff:
    """Who is signed in, as Flask-Login asks for it."""

    admin: AdminToken
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """The name, and a code from which the token cannot be read; a cookie is signed, not encrypted."""
        key = config.current().secret_key[0].get_secret_value().encode()
        token = self.admin.token.get_secret_value().encode()
        code = hmac.new(key, b"newsletter desk " + token, hashlib.sha256).hexdigest()
        return f"{self.admin.name} {code}"


class _DeskSessions(SecureCookieSessionInterface):
    """Flask's sessions, which other paths do not have."""

    salt = "newsletter desk"

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - Flask passes it
        return url_for("desk.today")

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path != PATH and not request.path.startswith(f"{PATH}/"):
            return None
        return super().open_session(app, request)


def install(app: Flask, settings: Settings) -> None:
    """Give the application sessions, sign-in and protection of forms."""
    is_secure = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key[0].get_secret_value(),
        SESSION_COOKIE_NAME="__Secure-desk" if is_secure else "desk",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=is_secure,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=HOURS),
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=HOURS * 3600,
        # No page sends a Referer (web/http/headers.py); the cookie is SameSite=Strict.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.session_interface = _DeskSessions()
    csrf.init_app(app)
    manager = LoginManager(app)
    # It would keep a hash of the network address in the cookie.
    manager.session_protection = None
    manager.user_loader(_load)
    manager.unauthorized_handler(_to_sign_in)


def begin(admin: AdminToken) -> None:
    """Sign somebody in, in a new session that keeps the language."""
    locale = session.get(LOCALE)
    session.clear()
    if locale is not None:
        session[LOCALE] = locale
    session.permanent = True
    session[_SINCE] = rfc3339(clock.now())
    login_user(Staff(admin))
    session.pop("_id")


def end() -> None:
    """Sign out."""
    logout_user()
    session.clear()


def actor() -> str:
    """The name of whoever is signed in, for the ledger."""
    return _present().name


def may_act() -> bool:
    """Tell whether whoever is signed in may change anything."""
    return _present().may_act


def require_to_act() -> str:
    """`actor`; raise Forbidden where the token only sees."""
    if not may_act():
        raise Forbidden
    return actor()


def protect(request: Request) -> None:
    """Refuse a form that another site sent: raise BadRequest."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise BadRequest
    csrf.protect()


def _present() -> AdminToken:
    admin: AdminToken = current_user.admin
    return admin


def _load(user_id: str) -> Staff | None:
    if not _is_fresh(session.get(_SINCE)):
        return None
    everybody = [Staff(admin) for admin in config.current().admins]
    found = [staff for staff in everybody if hmac.compare_digest(staff.get_id(), user_id)]
    return found[0] if found else None


def _is_fresh(since: Any) -> bool:
    if not isinstance(since, str):
        return False
    age = clock.now() - as_moment(since)
    return timedelta(0) <= age < timedelta(hours=HOURS)


def _to_sign_in() -> AnyResponse:
    return redirect(url_for("desk.sign_in"), 303)
