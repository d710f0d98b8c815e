"""The company's own look: BRAND_DIR may bring a style sheet, pages, letters and consent texts.

It is laid out as newsletter/texts/templates is. What it brings is found before ours, and all else stays ours. Under the
name `newsletter/…` a template of ours is found even where the brand has one of the same name, to extend it.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, meta

from newsletter.config import Settings

STYLE = "brand.css"
TEMPLATES = Path(__file__).parent / "templates"


def new_flask() -> Flask:
    """An application that finds the package's templates, translations and static files."""
    app = Flask("newsletter", template_folder="texts/templates", static_folder="web/static")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "texts/translations"
    return app


def register(app: Flask, settings: Settings) -> None:
    """Let an application find the brand's templates before ours."""
    if settings.brand_dir is not None:
        app.jinja_loader = loader(settings.brand_dir)


def loader(folder: Path) -> BaseLoader:
    """Find templates in a brand's folder, then in ours."""
    ours = FileSystemLoader(TEMPLATES)
    return ChoiceLoader([FileSystemLoader(folder), ours, PrefixLoader({"newsletter": ours})])


def style(settings: Settings) -> Path | None:
    """The brand's style sheet, if it brings one."""
    if settings.brand_dir is None or not (settings.brand_dir / STYLE).is_file():
        return None
    return settings.brand_dir / STYLE


def names(folder: Path) -> list[str]:
    """The templates in a folder, by the names they are found under."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.glob("*/**/*")
        if path.suffix in (".html", ".subject", ".txt")
    )


def sources(environment: Environment, name: str) -> dict[str, str]:
    """A template's source and those of all it extends, includes or imports, by name; raise TemplateError."""
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


def place(environment: Environment, name: str) -> str:
    """Where the source of a template stands, in words for whoever mends it."""
    assert environment.loader is not None  # noqa: S101 - tells mypy; Flask put it there
    file = environment.loader.get_source(environment, name)[1]
    is_ours = file is not None and Path(file).is_relative_to(TEMPLATES)
    return f"newsletter/texts/templates/{name}" if is_ours else f"BRAND_DIR/{name}"
