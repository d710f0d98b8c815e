"""The one table from exceptions to answers.

Programs get `application/problem+json` (RFC 9457), people get a page in their language. Neither
repeats the input: no address, token, path or trace.
"""

from __future__ import annotations

import logging
from dataclasses import asdict

from flask import (
    Flask,
    Response,
    current_app,
    jsonify,
    make_response,
    render_template,
    request,
    url_for,
)
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestedRangeNotSatisfiable,
    RequestEntityTooLarge,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)

from newsletter import config
from newsletter.domain import errors
from newsletter.domain.errors import NewsletterError
from newsletter.storage import database, outage
from newsletter.storage.outage_log import OutageLog
from newsletter.web.http import language, negotiation
from newsletter.web.http.bodies import InvalidRequest
from newsletter.web.http.error_texts import TEXTS
from newsletter.web.http.signature import WrongSignature

RETRY_SECONDS = 10

#: From an exception to the status and the slug of the problem's type; parents stand for subclasses.
_TABLE: dict[type[BaseException], tuple[int, str]] = {
    errors.InvalidAddress: (422, "invalid-address"),
    errors.ReservedAddress: (422, "reserved-address"),
    errors.UnknownWording: (422, "unknown-wording"),
    errors.UnknownLink: (404, "unknown-link"),
    errors.UnknownDataLink: (404, "unknown-data-link"),
    errors.OutdatedLink: (410, "outdated-link"),
    errors.ExpiredLink: (410, "expired-link"),
    errors.NobodyKnown: (404, "nobody-known"),
    errors.UnknownReference: (404, "unknown-reference"),
    errors.BlockedHard: (409, "blocked-hard"),
    errors.WrittenTooOften: (409, "written-too-often"),
    errors.CannotCorrect: (409, "cannot-correct"),
    errors.Unavailable: (503, "unavailable"),
    # DATA_KEY was rotated while this process ran: its operator has to restart it, and the caller may try again.
    errors.WrongDataKey: (503, "unavailable"),
    errors.Unreadable: (500, "internal-error"),
    InvalidRequest: (422, "invalid-request"),
    WrongSignature: (400, "wrong-signature"),
    BadRequest: (400, "bad-request"),
    Unauthorized: (401, "unauthorized"),
    Forbidden: (403, "forbidden"),
    NotFound: (404, "not-found"),
    MethodNotAllowed: (405, "method-not-allowed"),
    RequestEntityTooLarge: (413, "too-large"),
    UnsupportedMediaType: (415, "unsupported-media-type"),
    RequestedRangeNotSatisfiable: (416, "http-error"),
    TooManyRequests: (429, "too-many-requests"),
    Exception: (500, "internal-error"),
}
#: The status of each type of problem.
STATUS_OF = {slug: status for status, slug in _TABLE.values()}
#: Problems whose page links to the sign-up form.
_WITH_FORM_LINK = frozenset({"unknown-wording", "unknown-link", "outdated-link", "not-found"})
#: Problems whose page links to the form for one's own data.
_WITH_MY_DATA_LINK = frozenset({"unknown-data-link", "expired-link", "cannot-correct"})

_OUTAGES = "outages"
_WEB = "web"

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Register the handler of all exceptions."""
    app.extensions[_OUTAGES] = OutageLog()
    app.register_error_handler(Exception, answer)
    app.after_request(_note_recovery)


def answer(error: Exception) -> Response:
    """The answer to an exception, as a page or as problem+json."""
    if isinstance(error, HTTPException) and error.response is not None:
        return make_response(error.response)
    if isinstance(error, errors.OutdatedLink):
        language.use(error.language)
    status, slug = _meaning(error)
    _note(error, status)
    response = (
        make_response(_page(slug)) if negotiation.wants_page() else _problem(error, status, slug)
    )
    response.status_code = status
    for name, value in _headers_of(error):
        response.headers[name] = value
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def text_of(slug: str, *, on_page: bool) -> tuple[str, str]:
    """Title and text in the request's language; a page has a link instead of the form's URL."""
    title, text = str(TEXTS[slug].title), str(TEXTS[slug].text)
    if on_page:
        text = text.replace(": {form}", ".").replace(": {my_data}", ".")
    settings = config.current()
    url = settings.public_url
    links = {"form": f"{url}/", "my_data": f"{url}/my-data"}
    return title, text.format(**links, contact=settings.contact_email)


def reason_of(error: NewsletterError) -> str:
    """Why a form was not taken, for its page that is shown again."""
    return text_of(_meaning(error)[1], on_page=True)[1]


def type_of(slug: str) -> str:
    """The problem's type: a URL that explains it (RFC 9457 § 3.1.1)."""
    return f"{config.current().public_url}/problems#{slug}"


def _meaning(error: Exception) -> tuple[int, str]:
    if isinstance(error, SQLAlchemyError) and outage.is_outage(error):
        return _TABLE[errors.Unavailable]
    status, slug = next(_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE)
    if isinstance(error, HTTPException) and slug == "internal-error":
        code = error.code or 500
        return code, slug if code >= 500 else "http-error"
    return status, slug


def _note(error: Exception, status: int) -> None:
    if status == 503 and outage.is_outage(error):
        # The trace says nothing about an outage; its cause is logged once.
        current_app.extensions[_OUTAGES].record_failure(_WEB, outage.trouble_of(error))
    elif status >= 500:
        log.error("answered %d", status, exc_info=error)


def _note_recovery(response: Response) -> Response:
    """An outage ends with the first write: a database that can only be read is still out."""
    current_app.extensions[_OUTAGES].record_success(_WEB, at=database.breaker().written_at)
    return response


def _page(slug: str) -> str:
    title, text = text_of(slug, on_page=True)
    # The form that was sent is gone: link to a new one.
    show_form_link = slug in _WITH_FORM_LINK or request.blueprint == "signup"
    show_my_data_link = slug in _WITH_MY_DATA_LINK or request.blueprint == "my_data_request"
    desk = url_for("desk.today")
    is_on_desk = f"{request.script_root}{request.path}/".startswith(f"{desk}/")
    show_desk_link = bool(config.current().admins) and is_on_desk
    return render_template(
        "pages/problem.html",
        title=title,
        text=text,
        show_form_link=show_form_link and not (show_my_data_link or show_desk_link),
        show_my_data_link=show_my_data_link,
        show_desk_link=show_desk_link,
        # The URL of a button may be one that a browser cannot open.
        switch_at="" if _can_be_opened() or not show_desk_link else desk,
    )


def _can_be_opened() -> bool:
    urls = current_app.create_url_adapter(request)
    return urls is not None and "GET" in urls.allowed_methods()


def problem(
    slug: str, status: int, fields: list[dict[str, str]] | None = None
) -> dict[str, object]:
    """A problem as JSON, in the request's language (RFC 9457)."""
    title, text = text_of(slug, on_page=False)
    body: dict[str, object] = {
        "type": type_of(slug),
        "title": title,
        "status": status,
        "detail": text,
    }
    return body | ({"errors": fields} if fields else {})


def _problem(error: Exception, status: int, slug: str) -> Response:
    wrong = error.problems if isinstance(error, InvalidRequest) else []
    response = jsonify(problem(slug, status, [asdict(each) for each in wrong]))
    response.mimetype = "application/problem+json"
    return response


def _headers_of(error: Exception) -> list[tuple[str, str]]:
    """The headers of a status: Allow, WWW-Authenticate, Retry-After."""
    if not isinstance(error, HTTPException):
        return []
    return [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
