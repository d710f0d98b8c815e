"""Commands of `newsletter`, run within the test's own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from click.testing import CliRunner, Result
from flask import Flask

from newsletter.app import create_core
from newsletter.cli import application, main
from newsletter.cli.check import running
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings
from newsletter.storage import notices
from newsletter.storage.models import db
from newsletter.storage.notices import Code

Run = Callable[..., Result]


@contextmanager
def commands(environ: dict[str, Any]) -> Iterator[Run]:
    """Run commands with something on their standard input, and perhaps other settings."""
    apps: list[Flask] = []

    def create(settings: Settings) -> Flask:
        apps.append(create_core(settings))
        return apps[-1]

    def run(*words: str, given: str | bytes = "", **variables: str) -> Result:
        result = CliRunner().invoke(main, words, input=given, env={**environ, **variables})
        # A command's connections end with its process, which here goes on.
        while apps:
            with apps.pop().app_context():
                db.engine.dispose()
        return result

    with mock.patch.object(application, "create_core", create):
        yield run


def found_in_use(app: Flask, about: str) -> list[Finding]:
    """What `newsletter check` finds about one subject in a database in use."""
    return [finding for finding in running.findings(app) if finding.about == about]


def noticed(*codes: Code) -> list[str]:
    """What staff are told now, in the order of its beginning."""
    return [posted.sentence.wrong for posted in notices.current(*codes)]
