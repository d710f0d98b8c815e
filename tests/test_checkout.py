"""Tests that start a process run this checkout."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.checkout import command


def script(folder: Path, python: str) -> None:
    """A command as pip writes it."""
    (folder / "newsletter").write_text(f"#!{python}\nimport sys\n")


@pytest.mark.parametrize("name", ["newsletter", "gunicorn"])
def test_the_commands_beside_python_run_this_checkout(name: str) -> None:
    assert command(name) == f"{Path(sys.executable).parent}/{name}"


def test_a_command_whose_python_has_no_newsletter_is_refused(tmp_path: Path) -> None:
    script(tmp_path, f"{sys.base_prefix}/bin/python3")

    with pytest.raises(AssertionError, match="at nowhere, not here: make setup"):
        command("newsletter", tmp_path)


def test_a_command_of_another_checkout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "newsletter").mkdir(parents=True)
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\ncd {tmp_path}/elsewhere\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "elsewhere" / "newsletter" / "__init__.py").touch()
    script(tmp_path, str(python))

    with pytest.raises(AssertionError, match="/elsewhere/newsletter, not here: make setup"):
        command("newsletter", tmp_path)


def test_no_test_starts_a_command_that_was_not_looked_at() -> None:
    starting = [
        path.name
        for path in Path(__file__).parent.rglob("*.py")
        if "sys.executable)." in path.read_text("utf-8")
    ]

    assert sorted(starting) == ["checkout.py", "test_checkout.py", "test_environment.py"]
