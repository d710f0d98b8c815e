"""The language of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import babel
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, Domain, get_locale, refresh

from newsletter import config
from newsletter.config import Locale, Settings
from newsletter.texts import brand

_DOMAIN = "messages"  #: Flask-Babel's name of a catalogue


class _Replaced(NullTranslations):
    """A catalogue in which a brand has replaced sentences."""

    def __init__(self, sentences: Mapping[str, str], ours: NullTranslations) -> None:
        super().__init__()
        self._sentences = sentences
        self.add_fallback(ours)

    def ugettext(self, message: str) -> str:
        return self._sentences.get(message) or super().ugettext(message)


def install(app: Flask, settings: Settings) -> None:
    """Let Flask-Babel choose the language of each request, with times in TIMEZONE."""
    flask_babel = Babel(
        app,
        default_locale=settings.default_locale,
        default_timezone=settings.timezone,
        locale_selector=_select,
    )
    flask_babel.domain_instance = Domain(domain=_DOMAIN)
    folder = Path(app.root_path) / app.config["BABEL_TRANSLATION_DIRECTORIES"]
    for locale, sentences in app.extensions[brand.REPLACED].items():
        catalogue = _Replaced(sentences, Translations.load(folder, [locale]))
        flask_babel.domain_instance.cache[locale, _DOMAIN] = catalogue
    app.context_processor(
        lambda: {"settings": config.current(), "locale": present(), "other_locale": other()}
    )


def use(locale: str | None) -> None:
    """Use this language from here on, if it is offered and the URL does not name another."""
    if (offered := _offered(locale)) is not None:
        g.locale = offered
        refresh()


def present() -> Locale:
    """The language of the current request, or the default one."""
    chosen = get_locale()
    return _offered(chosen.language if chosen else None) or config.current().default_locale


def asked_for() -> Locale | None:
    """The offered language that the current request names itself; None if it names none."""
    best = request.accept_languages.best_match(config.current().locales)
    return _offered(request.args.get("locale")) or _offered(best)


def named_in_url() -> Locale | None:
    """The offered language that the URL names."""
    return _offered(request.args.get("locale"))


def other() -> Locale | None:
    """The language a person may switch to; None if only one is offered, and outside of a request."""
    if not has_request_context():
        return None
    return next((locale for locale in config.current().locales if locale != present()), None)


#: Flask-Babel would parse the name for each request.
_parsed = cache(babel.Locale.parse)


def _select() -> babel.Locale:
    return _parsed(_chosen())


def _chosen() -> str:
    settings = config.current()
    if not has_request_context():
        return settings.default_locale
    return (
        _offered(request.args.get("locale"))
        or _offered(g.get("locale"))
        or request.accept_languages.best_match(settings.locales)
        or settings.default_locale
    )


def _offered(locale: str | None) -> Locale | None:
    return locale if locale in config.current().locales else None
