"""The lint of pages, e-mails and consent texts in use, those of BRAND_DIR included: what the law requires.

One sentence for each mistake: where it is, what it is, how to correct it. The modules of this package are pure: they
read what was rendered. They find what was forgotten, and are no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

from flask import Flask

from newsletter.cli.check.law.consent import (
    consent_problems,
    declaration_problems,
    form_problems,
)
from newsletter.cli.check.law.imprint import imprint_problems
from newsletter.cli.check.law.letters import html_problems, letter_problems, subject_problems
from newsletter.config import Locale, Settings
from newsletter.storage.models import LetterKind
from newsletter.texts import brand, sentences
from newsletter.texts.letters import name_of
from newsletter.web.samples import rendering
from newsletter.web.samples.pages import CONFIRM

_LANGUAGES: dict[Locale, str] = {"de": "German", "en": "English"}


def findings(app: Flask) -> list[str]:
    """Findings in every language offered; `app` can render all samples."""
    settings: Settings = app.extensions["settings"]
    found = [*_of_imprints(settings), *_of_templates(app, settings), *_of_brand(app, settings)]
    return list(dict.fromkeys(found))


def _of_imprints(settings: Settings) -> Iterator[str]:
    for language in settings.locales:
        name = "IMPRINT_EN" if language == "en" and settings.imprint_en else "IMPRINT"
        for problem in imprint_problems(settings.imprint_in(language), settings.organisation):
            yield f"{name}: {problem}"


def _of_templates(app: Flask, settings: Settings) -> Iterator[str]:
    for language in settings.locales:
        consent = rendering.consent(app, language)
        forms = rendering.forms(app, language)
        confirm = rendering.confirm_page(app, language)
        for name, problems in (
            *((name, form_problems(form, consent)) for name, form in forms.items()),
            (CONFIRM, declaration_problems(confirm, consent)),
            (f"wordings/{language}.txt", consent_problems(consent, settings)),
            *(found for kind in LetterKind for found in _of_letter(app, settings, language, kind)),
        ):
            where = f"{_place(app, name, language)} ({_LANGUAGES[language]})"
            yield from (f"{where}: {problem}" for problem in problems)


def _place(app: Flask, name: str, language: Locale) -> str:
    """The template, and the file of the sentences that a brand replaces in it."""
    place = brand.path_of(app.jinja_env, name)
    is_of_both = name.startswith("pages/") and app.extensions[brand.REPLACED].get(language)
    return f"{place} with BRAND_DIR/{sentences.file_of(language)}" if is_of_both else place


def _of_letter(
    app: Flask, settings: Settings, language: Locale, kind: LetterKind
) -> Iterator[tuple[str, Iterator[str]]]:
    """The three templates of an e-mail by name, and the problems of each."""
    letter = rendering.letter(app, language, kind)
    message, values = letter.message, letter.values
    for part, problems in (
        ("subject", subject_problems(message["Subject"], settings)),
        ("txt", letter_problems(_part(message, "plain"), values, settings)),
        ("html", html_problems(_part(message, "html"), values, settings)),
    ):
        yield name_of(kind, language, part), problems


def _of_brand(app: Flask, settings: Settings) -> Iterator[str]:
    """Files that are used nowhere: their names are misspelt."""
    if settings.brand_dir is None:
        return
    known = [sentences.file_of(language) for language in _LANGUAGES]
    for file in sorted(settings.brand_dir.glob("*.toml")):
        if file.name not in known:
            yield f"BRAND_DIR/{file.name}: nothing uses it; name it {' or '.join(known)}, or remove it."
    ours = brand.template_names(brand.TEMPLATES)
    own = [name for name in brand.template_names(settings.brand_dir) if name not in ours]
    # Reading the includes of all templates takes long and is seldom necessary.
    used = {source for name in ours for source in brand.sources(app.jinja_env, name)} if own else ()
    for name in own:
        if name not in used:
            yield f"BRAND_DIR/{name}: nothing uses it; name it as in newsletter/texts/templates, or remove it."


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None  # noqa: S101 - tells mypy; compose makes both
    return str(part.get_content())
