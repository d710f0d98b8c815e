"""The language of the pages: the browser's, until somebody chooses the other one."""

from __future__ import annotations

from flask import Flask, request
from flask_babel import Babel, get_locale, gettext

LANGUAGES = ("en", "de")
_CHOSEN = "CHOSEN_LANGUAGE"


def install(app: Flask) -> None:
    """Let `?locale=` choose for all pages that follow: there is one visitor, and no cookie."""

    @app.before_request
    def _choose() -> None:
        if request.args.get("locale") in LANGUAGES:
            app.config[_CHOSEN] = request.args["locale"]

    def select() -> str:
        chosen = app.config.get(_CHOSEN) or request.accept_languages.best_match(LANGUAGES)
        return str(chosen or LANGUAGES[0])

    Babel(app, locale_selector=select)
    app.context_processor(lambda: {"language": present(), "other_language": _other()})


def present() -> str:
    """The language of the present request."""
    return str(get_locale() or LANGUAGES[0])


def _(text: str, **values: object) -> str:
    """The text in that language, filled in."""
    return str(gettext(text, **values))


def _other() -> str:
    return next(language for language in LANGUAGES if language != present())
