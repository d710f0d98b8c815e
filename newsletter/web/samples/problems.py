"""Which sentences and templates cannot be used, and why."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from flask import Flask
from jinja2 import TemplateNotFound, TemplateSyntaxError

from newsletter.config import Settings
from newsletter.domain.consent import ConsentText
from newsletter.storage.models import LetterKind
from newsletter.texts import brand, letters, sentences
from newsletter.web.samples.pages import page_values
from newsletter.web.samples.rendering import SNIPPET, consent, forms, letter, render_page


def problems_in(app: Flask) -> list[str]:
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
        tries.append((SNIPPET, partial(forms, app, language)))
        for kind in LetterKind:
            name = letters.name_of(kind, language, "txt")
            tries.append((name, partial(letter, app, language, kind)))
        for name, states in page_values(ConsentText("0" * 64, language, "…")).items():
            tries += [
                (name, partial(render_page, app, language, name, values)) for values in states
            ]
    return tries


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
