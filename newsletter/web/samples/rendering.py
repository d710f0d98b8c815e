"""Renders the samples in an application without a database, in which a missing value is an error."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from flask import Flask, render_template
from jinja2 import StrictUndefined

from newsletter import web
from newsletter.config import Locale, Settings
from newsletter.domain.consent import ConsentText
from newsletter.storage.models import LetterKind
from newsletter.subscriptions import wording
from newsletter.texts import brand, formatting, letters
from newsletter.texts.letters import LetterValues
from newsletter.web.samples.letters import letter_values
from newsletter.web.samples.pages import CONFIRM, FORM, page_values

SNIPPET = "pages/embed_form.html"
_SNIPPET_VALUES = {"in_place": True, "next_url": "https://example.com/"}

#: Routes are compiled by ast.parse, which fails in Python 3.11 if two threads use it (SystemError, "recursion depth
#: mismatch").
_parsing = threading.Lock()


@dataclass(frozen=True)
class SampleLetter:
    """An e-mail, and the values in it."""

    values: LetterValues
    message: EmailMessage


def sample_app(settings: Settings) -> Flask:
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
    hosted = page_values(shown)[FORM][0]
    return {
        FORM: render_page(app, language, FORM, hosted),
        SNIPPET: render_page(app, language, SNIPPET, {"consent": shown, **_SNIPPET_VALUES}),
    }


def confirm_page(app: Flask, language: Locale) -> str:
    """The page that asks for the confirmation."""
    shown = consent(app, language)
    return render_page(app, language, CONFIRM, page_values(shown)[CONFIRM][0])


def letter(app: Flask, language: Locale, kind: LetterKind) -> SampleLetter:
    """A sample e-mail."""
    settings: Settings = app.extensions["settings"]
    consent_text = consent(app, language).text
    with app.app_context():
        values = letter_values(kind, language, settings, consent_text)
        return SampleLetter(values, letters.compose(values, settings))


def render_page(app: Flask, language: Locale, name: str, values: dict[str, Any]) -> str:
    with app.test_request_context(query_string={"locale": language}):
        return render_template(name, **values)
