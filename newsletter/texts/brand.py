"""BRAND_DIR: the company's style sheet, sentences, pages, e-mails and consent texts.

It has the layout of newsletter/texts/templates, and its templates take precedence over ours. `newsletter/…` names our
template even if the brand has one of the same name, so that the brand's can extend it.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, meta

from newsletter.config import Settings
from newsletter.texts import sentences

STYLE = "brand.css"
REPLACED = "replaced sentences"  #: the application's extension
TEMPLATES = Path(__file__).parent / "templates"


def new_flask() -> Flask:
    """A Flask application with the package's templates, translations and static files."""
    app = Flask("newsletter", template_folder="texts/templates", static_folder="web/static")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "texts/translations"
    return app


def register(app: Flask, settings: Settings) -> None:
    """Give the brand's templates and sentences precedence over ours."""
    app.extensions[REPLACED], _ = sentences.read(settings.brand_dir)
    if settings.brand_dir is not None:
        app.jinja_loader = loader(settings.brand_dir)


def loader(folder: Path) -> BaseLoader:
    """A loader that searches a brand's folder first, then ours."""
    ours = FileSystemLoader(TEMPLATES)
    return ChoiceLoader([FileSystemLoader(folder), ours, PrefixLoader({"newsletter": ours})])


def style_sheet(settings: Settings) -> Path | None:
    """The path of the brand's style sheet, if it has one."""
    if settings.brand_dir is None or not (settings.brand_dir / STYLE).is_file():
        return None
    return settings.brand_dir / STYLE


def whole_files(settings: Settings) -> dict[str, bool]:
    """The templates of e-mails and consent texts by name: True if it is the brand's."""
    folder = settings.brand_dir
    return {
        name: folder is not None and (folder / name).is_file()
        for name in template_names(TEMPLATES)
        if name.startswith(("letters/", "wordings/"))
    }


def template_names(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.glob("*/**/*")
        if path.suffix in (".html", ".subject", ".txt")
    )


def sources(environment: Environment, name: str) -> dict[str, str]:
    """The sources of a template and of all it extends, includes or imports, by name; raise TemplateError."""
    assert environment.loader is not None  # noqa: S101 - tells mypy; Flask put it there
    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = environment.loader.get_source(environment, name)[0]
            referenced = meta.find_referenced_templates(environment.parse(found[name], name))
            waiting += [other for other in referenced if other is not None]
    return found


def path_of(environment: Environment, name: str) -> str:
    """The path of a template's source, for messages."""
    assert environment.loader is not None  # noqa: S101 - tells mypy; Flask put it there
    file = environment.loader.get_source(environment, name)[1]
    is_ours = file is not None and Path(file).is_relative_to(TEMPLATES)
    return f"newsletter/texts/templates/{name}" if is_ours else f"BRAND_DIR/{name}"
