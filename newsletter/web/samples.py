"""Samples of every page, e-mail and consent text with made-up people, to find mistakes in templates early.

An application without a database renders them, in which a missing value is an error.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, render_template
from jinja2 import StrictUndefined, TemplateNotFound, TemplateSyntaxError

from newsletter import web
from newsletter.config import Locale, Settings
from newsletter.domain.consent import ConsentText
from newsletter.rights.access_text import Line, Part
from newsletter.rights.my_data import Erased
from newsletter.rights.proof import sample
from newsletter.rights.proof.page import WORDS
from newsletter.storage.models import LetterKind
from newsletter.subscriptions import wording
from newsletter.subscriptions.leave import Departure
from newsletter.texts import brand, formatting, letters, sentences
from newsletter.texts.letters import ConfirmationValues, LetterValues, MyDataValues, WayBackValues

#: No two of these times share a day, a time of day or, where the clocks change, a zone.
REQUESTED_AT = datetime(2026, 3, 1, 22, 59, tzinfo=UTC)
EXPIRES_AT = datetime(2026, 3, 29, 12, 5, tzinfo=UTC)
DELETED_BY = datetime(2026, 3, 30, 12, 5, tzinfo=UTC)

_FORM = "pages/signup.html"
CONFIRM = "pages/confirm.html"
_SNIPPET = "pages/embed_form.html"
_SNIPPET_VALUES = {"in_place": True, "next_url": "https://example.com/"}


@dataclass(frozen=True)
class SampleLetter:
    """An e-mail, and the values in it."""

    values: LetterValues
    message: EmailMessage


#: Routes are compiled by ast.parse, which fails in Python 3.11 if two threads use it (SystemError, "recursion depth
#: mismatch").
_parsing = threading.Lock()


def showroom(settings: Settings) -> Flask:
    """The application that renders samples."""
    app = brand.new_flask()
    app.jinja_options = {**app.jinja_options, "undefined": StrictUndefined}
    app.extensions["settings"] = settings.model_copy(update={"client_limit": "off"})
    brand.register(app, settings)
    formatting.register(app)
    with _parsing:
        web.register(app)
    return app


def consent(app: Flask, language: Locale) -> ConsentText:
    """The consent text in one language."""
    with app.app_context():
        return wording.render(language, app.extensions["settings"])


def forms(app: Flask, language: Locale) -> dict[str, str]:
    """The hosted sign-up form and the one for other sites, by template name."""
    shown = consent(app, language)
    hosted = values_of(shown)[_FORM][0]
    return {
        _FORM: _page(app, language, _FORM, hosted),
        _SNIPPET: _page(app, language, _SNIPPET, {"consent": shown, **_SNIPPET_VALUES}),
    }


def confirm_page(app: Flask, language: Locale) -> str:
    """The page that asks for the confirmation."""
    shown = consent(app, language)
    return _page(app, language, CONFIRM, values_of(shown)[CONFIRM][0])


def letter(app: Flask, language: Locale, kind: LetterKind) -> SampleLetter:
    """A sample e-mail."""
    settings: Settings = app.extensions["settings"]
    consent_text = consent(app, language).text
    with app.app_context():
        values = _VALUES[kind](language, settings, consent_text)
        return SampleLetter(values, letters.compose(values, settings))


def _confirmation(language: Locale, settings: Settings, consent_text: str) -> LetterValues:
    return ConfirmationValues(
        recipient="ada@example.com",
        language=language,
        consent_text=consent_text,
        requested_at=REQUESTED_AT,
        expires_at=EXPIRES_AT,
        deleted_by=DELETED_BY,
        confirm_url=f"{settings.public_url}/confirm/sample",
        not_me_url=f"{settings.public_url}/not-me/sample",
        from_our_form=True,
        reference="0" * 32,
        message_id="<sample@example.com>",
        sent_at=REQUESTED_AT,
    )


def _way_back(language: Locale, settings: Settings, _consent_text: str) -> LetterValues:
    return WayBackValues(
        recipient="ada@example.com",
        language=language,
        confirmed_at=REQUESTED_AT,
        signup_url=settings.mailchimp_signup_url or "https://example.com/mailchimp-form",
        unsubscribe_url=f"{settings.public_url}/unsubscribe/sample",
        reference="0" * 32,
        message_id="<sample@example.com>",
        sent_at=EXPIRES_AT,
    )


def _my_data(language: Locale, settings: Settings, _consent_text: str) -> LetterValues:
    return MyDataValues(
        recipient="ada@example.com",
        language=language,
        requested_at=REQUESTED_AT,
        expires_at=EXPIRES_AT,
        my_data_url=f"{settings.public_url}/my-data/sample",
        reference="0" * 32,
        message_id="<sample@example.com>",
        sent_at=REQUESTED_AT,
    )


_VALUES = {
    LetterKind.CONFIRMATION: _confirmation,
    LetterKind.WAY_BACK: _way_back,
    LetterKind.MY_DATA: _my_data,
}


def values_of(consent: ConsentText) -> dict[str, list[dict[str, Any]]]:
    """The values that views give to each page, in each of its states."""
    empty_form = {
        "consent": consent,
        "email": "",
        "error": None,
        "version": "0" * 64,
        "next_url": None,
    }
    asked = {"consent": consent, "expires_at": EXPIRES_AT, "not_me_url": "https://example.com/"}
    problem = {"title": "…", "text": "…"}
    confirmed = {
        "confirmed_at": REQUESTED_AT,
        "reference": "0" * 32,
        "unsubscribe_url": "/",
        "receipt_url": "/",
        "my_data_url": "/",
    }
    page = {**WORDS, "fingerprint": "0" * 64, "style": None}
    parts = [Part("data", "…", (Line("…", "…"),)), Part("wording", "…", quote="…", language="de")]
    all_ways = {"can_leave": True, "can_correct": True, "can_lift": True}
    no_way = dict.fromkeys(all_ways, False)
    urls = {"unsubscribe_url": "/", "erase_url": "/"}
    last_day = date(2029, 12, 31)
    times = {"expires_at": EXPIRES_AT, "proof_until": last_day}
    mine = {"summary": [Line("…", "…")], "parts": parts, **urls, **times, "error": None}
    return {
        _FORM: [
            empty_form,
            {**empty_form, "email": "ada", "error": "…", "next_url": "/"},
        ],
        "pages/inbox.html": [{}],
        CONFIRM: [{**asked, "is_confirmed": False}, {**asked, "is_confirmed": True}],
        "pages/confirmed.html": [
            confirmed,
            {**confirmed, "receipt_url": None, "my_data_url": None},
        ],
        "pages/not_me.html": [
            {"is_over": True, "proof_until": None},
            {"is_over": False, "proof_until": None},
            {"is_over": False, "proof_until": last_day},
        ],
        "pages/disowned.html": [
            {"is_blocked": False, "cannot_block": False},
            {"is_blocked": True, "cannot_block": False},
            {"is_blocked": False, "cannot_block": True},
        ],
        "pages/unsubscribe.html": [{"has_left": False}, {"has_left": True}],
        "pages/my_data_request.html": [
            {"email": "", "error": None},
            {"email": "ada", "error": "…"},
        ],
        "pages/my_data_inbox.html": [{}],
        "pages/my_data.html": [
            {**mine, **all_ways, "new_email": "", "done": None},
            {**mine, **no_way, "new_email": "", "done": "unsubscribe"},
            {**mine, **no_way, "new_email": "", "done": "lift"},
            {**mine, **all_ways, "new_email": "", "done": "rectify"},
            {**mine, **all_ways, "new_email": "ada", "done": None, "error": "…"},
        ],
        "pages/my_data_erase.html": [
            {"my_data_url": "/", "would_lose_block": False},
            {"my_data_url": "/", "would_lose_block": True},
        ],
        "pages/my_data_erased.html": [
            {"erased": Erased("0" * 32, keeps_block=False, is_done_at_mailchimp=False)},
            {"erased": Erased("0" * 32, keeps_block=True, is_done_at_mailchimp=True)},
        ],
        "pages/problem.html": [
            {**problem, "show_form_link": False, "show_my_data_link": False},
            {**problem, "show_form_link": True, "show_my_data_link": False},
            {**problem, "show_form_link": False, "show_my_data_link": True},
        ],
        "pages/proof.html": [
            {**page, "proof": sample.whole(consent)},
            {**page, "proof": sample.of_erased_person(consent)},
        ],
        "pages/unsubscribed.html": [
            {"departure": None},
            {"departure": Departure(REQUESTED_AT, last_day, is_permanent=False)},
            {"departure": Departure(REQUESTED_AT, last_day, is_permanent=True)},
        ],
    }


def broken(app: Flask) -> list[str]:
    """One line for each sentence and each template that cannot be used, with the reason."""
    settings: Settings = app.extensions["settings"]
    folder = settings.brand_dir or brand.TEMPLATES
    brought = brand.template_names(folder) if settings.brand_dir else []
    compiled = [(name, partial(app.jinja_env.get_template, name)) for name in brought]
    # A template that cannot be compiled would be listed twice.
    _, unusable = sentences.read(settings.brand_dir)
    problems = [*unusable, *_problems(compiled, folder)] or _problems(
        _everything(app, settings), folder
    )
    return list(dict.fromkeys(problems))


def _everything(app: Flask, settings: Settings) -> list[tuple[str, Callable[[], object]]]:
    tries: list[tuple[str, Callable[[], object]]] = []
    for language in settings.locales:
        tries.append((f"wordings/{language}.txt", partial(consent, app, language)))
        tries.append((_SNIPPET, partial(forms, app, language)))
        for kind in LetterKind:
            name = letters.name_of(kind, language, "txt")
            tries.append((name, partial(letter, app, language, kind)))
        for name, states in values_of(ConsentText("0" * 64, language, "…")).items():
            tries += [(name, partial(_page, app, language, name, values)) for values in states]
    return tries


def _page(app: Flask, language: Locale, name: str, values: dict[str, Any]) -> str:
    with app.test_request_context(query_string={"locale": language}):
        return render_template(name, **values)


def _problems(tries: Iterable[tuple[str, Callable[[], object]]], folder: Path) -> list[str]:
    return [words for name, make in tries if (words := _problem(name, make, folder))]


def _problem(name: str, make: Callable[[], object], folder: Path) -> str | None:
    try:
        make()
    except TemplateSyntaxError as error:
        return _in_words(Path(error.filename or name), error.lineno, error.message, folder)
    except TemplateNotFound as error:
        return _in_words(
            *_origin(error, name, folder), f"no template is named {error.name}", folder
        )
    except Exception as error:  # a template can raise anything
        return _in_words(*_origin(error, name, folder), str(error), folder)
    return None


def _origin(error: Exception, name: str, folder: Path) -> tuple[Path, int | None]:
    """The innermost template of the folder in the traceback, and its line."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return Path(frame.filename), frame.lineno
    return Path(name), None


def _in_words(file: Path, line: int | None, what: str | None, folder: Path) -> str:
    name = file.relative_to(folder) if file.is_relative_to(folder) else file
    where = f"{name}, line {line}" if line else f"{name}"
    return f"BRAND_DIR: {where}: {what or 'it cannot be used'}; correct the template, or remove it."
