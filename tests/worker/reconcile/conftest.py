"""What several modules about reconciling stand on: the command, and the audience as it is walked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from newsletter.cli import application, main
from newsletter.worker.mailchimp.client import client_for
from newsletter.worker.mailchimp.listing import MailchimpMembers

Command = Callable[..., Result]


@pytest.fixture
def command(app: Flask, environ: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`newsletter reconcile`, on the database of the test."""
    monkeypatch.setattr(application, "create_core", lambda _: app)

    def run(*options: str, **variables: str) -> Result:
        return CliRunner().invoke(main, ["reconcile", *options], env={**environ, **variables})

    return run


@pytest.fixture
def members(app: Flask) -> Iterator[MailchimpMembers]:
    """The audience of the test."""
    members = client_for(app.extensions["settings"], MailchimpMembers)
    assert members is not None
    yield members
    members.close()
