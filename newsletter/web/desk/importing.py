"""Bringing a list: a file is tried out, and sent again to be taken, so that nothing of it is kept in between."""

from __future__ import annotations

import threading
from typing import BinaryIO, cast

from flask import Response, make_response, render_template, request
from flask_babel import gettext
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from newsletter.domain.errors import RestoredDatabase, UnreadableFile, WrongPassphrase
from newsletter.storage import deadline
from newsletter.subscriptions.importing import take as importing
from newsletter.subscriptions.importing.entry import Why
from newsletter.subscriptions.importing.report import Fate, Report
from newsletter.subscriptions.importing.take import Upload
from newsletter.web.desk import sessions
from newsletter.web.desk.pages import bp
from newsletter.web.http import errors

#: Octets of a request, as many as a webhook may have: each is held in memory as a whole (ADR 7).
LONGEST = 1024 * 1024
MOST_ROWS = 10_000
SECONDS = 30  #: for the database; so many rows take a few, and proxies wait little longer
_ENDPOINT = "desk.try_or_take"

#: Sign-ups share this process's threads.
_one_at_a_time = threading.Lock()


@bp.url_value_preprocessor
def _accept_files(endpoint: str | None, _values: object) -> None:
    if endpoint == _ENDPOINT:
        request.max_content_length = LONGEST


@bp.errorhandler(RequestEntityTooLarge)
def _refuse(error: RequestEntityTooLarge) -> Response:
    if request.endpoint != _ENDPOINT:
        return errors.answer(error)
    return _form(_("The file is larger than 1 MB."), 413)


@bp.get("/import")
def bring() -> Response:
    sessions.require_to_act()
    return _form()


@bp.post("/import")
def try_or_take() -> Response:
    """Take over the file whose report was shown; try out any other."""
    actor = sessions.require_to_act()
    file = request.files.get("file")
    if file is None or not file.filename:
        return _form(_("Choose a file."), 422)
    if not _one_at_a_time.acquire(blocking=False):
        return _form(_("Another list is being taken over. Try again in a minute."), 503)
    try:
        with deadline.unlimited(), deadline.within(SECONDS):
            return _report(*_done_with(file, actor))
    except UnreadableFile as unreadable:
        return _form(gettext(unreadable.sentence, **unreadable.values), 422)
    except WrongPassphrase:
        return _form(_("An encrypted export is taken over at the command line."), 422)
    except RestoredDatabase:
        return _form(_("A backup was restored: nothing is taken over until that is settled."), 409)
    finally:
        _one_at_a_time.release()


def _done_with(file: FileStorage, actor: str) -> tuple[Upload, Report, bool]:
    is_subscribed, without_proof = ("subscribed" in request.form), ("without_proof" in request.form)
    stream = cast("BinaryIO", file.stream)
    upload = importing.read(stream, file.filename or "", is_subscribed=is_subscribed)
    if upload.table.length > MOST_ROWS:
        raise UnreadableFile(
            "The file has more than 10,000 rows, and is taken over at the command line."
        )
    is_tried = request.form.get("tried") == upload.table.digest
    report = importing.take(upload, actor=actor, without_proof=without_proof, dry_run=not is_tried)
    return upload, report, is_tried


def _form(error: str | None = None, status: int = 200) -> Response:
    return make_response(render_template("desk/import.html", error=error), status)


def _report(upload: Upload, report: Report, is_taken: bool) -> Response:
    page = render_template(
        "desk/imported.html",
        upload=upload,
        report=report,
        is_taken=is_taken,
        is_another="tried" in request.form and not is_taken,
        Fate=Fate,
        Why=Why,
    )
    return make_response(page)
