"""The documents name what there is: commands, options, endpoints, settings, files and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from flask.testing import FlaskClient

from newsletter.cli import main
from newsletter.config import Settings

ROOT = Path(__file__).parent.parent
PAGES = {
    page: page.read_text("utf-8")
    for folder in (".", "docs", "docs/adr", "docs/deploy", "bench", "tests")
    for page in (ROOT / folder).glob("*.md")
}


def first_column(name: str) -> list[str]:
    """Of the tables in a document, the cells that begin with code."""
    return re.findall(r"^\| (`.*?) \|", PAGES[ROOT / "docs" / name], re.MULTILINE)


def options_of(command: click.Command, name: str = "") -> Iterator[tuple[str, set[str]]]:
    """All commands within one that do something by themselves, each with its options."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            assert inner is not None
            yield from options_of(inner, f"{name} {each}".strip())
        if not command.invoke_without_command:
            return
    own = [option for option in command.params if isinstance(option, click.Option)]
    yield name, {each for option in own for each in option.opts}


def test_the_documents_name_exactly_the_commands_and_options_there_are() -> None:
    named: dict[str, set[str]] = {}
    for cell in first_column("commands.md"):
        for span, more in re.findall(r"`((?!-)[^`]+)`(?: \(([^)]*)\))?", cell):
            # `retention --after-restore`, `wording show HASH`
            name = re.match(r"[a-z-]+(?: [a-z][a-z-]*)*", span)
            assert name
            named.setdefault(name[0], set()).update(re.findall(r"--[a-z-]+", f"{span} {more}"))

    assert named == dict(options_of(main))


def test_the_documents_name_exactly_the_endpoints_there_are(any_client: FlaskClient) -> None:
    rules = [rule.rule for rule in any_client.application.url_map.iter_rules()]
    there = {re.sub(r"<.*", "…", rule) for rule in rules if not rule.startswith("/desk/")}

    named = [path for cell in first_column("endpoints.md") for path in re.findall(r"/[^`]*", cell)]
    assert set(named) == there


def test_the_documents_name_exactly_the_settings_there_are() -> None:
    named = [name for cell in first_column("settings.md") for name in re.findall(r"`(\w+)`", cell)]

    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_modules_that_the_documents_name_are_there() -> None:
    named = [
        (page.name, path)
        for page, text in PAGES.items()
        for path in re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", text)
    ]

    assert len(named) > 40
    assert [
        each
        for each in named
        if not any((folder / each[1]).exists() for folder in (ROOT, ROOT / "newsletter"))
    ] == []


def headings_of(page: Path) -> set[str]:
    """The names by which links lead to its headings."""
    headings = re.findall(r"^#+ (.+)$", PAGES[page], re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_every_link_between_the_documents_leads_somewhere() -> None:
    links = [
        (page, *link)
        for page, text in PAGES.items()
        for link in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", text)
    ]

    assert len(links) > 100
    for page, path, heading in links:
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), (page.name, path)
        assert not heading or heading in headings_of(target), (page.name, path, heading)
