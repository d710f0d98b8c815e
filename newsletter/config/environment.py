"""Reading the environment: all problems at once, by the variable's name and without its value."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from flask import current_app
from pydantic import ValidationError

from newsletter.config.settings import Settings
from newsletter.domain.errors import SettingsError

_IN_QUOTES = re.compile(r"""(["'])(?:(?!\1).)*\1""", re.DOTALL)


def load(environ: Mapping[str, Any] | None = None) -> Settings:
    """Read the environment, or `environ` instead; raise SettingsError with every problem."""
    try:
        if environ is None:
            return Settings()
        return Settings(
            _env_file=None, **{name.lower(): v for name, v in environ.items() if v != ""}
        )
    except ValidationError as error:
        raise SettingsError([_in_words(problem) for problem in error.errors()]) from None


def variables() -> frozenset[str]:
    """The names of all environment variables that are set."""
    return frozenset(name for name, value in os.environ.items() if value)


def quoted() -> frozenset[str]:
    """The names of settings whose value is in quotes."""
    return frozenset(
        name
        for name, value in os.environ.items()
        if name.lower() in Settings.model_fields and _IN_QUOTES.fullmatch(value)
    )


def load_or_exit() -> Settings:
    """Read the environment, or end the process with exit status 2 and every problem on stderr."""
    try:
        return load()
    except SettingsError as error:
        refuse(error)


def refuse(error: Exception) -> NoReturn:
    """Print what is wrong with the environment, and end the process with exit status 2."""
    print(f"The settings are not right:\n{error}", file=sys.stderr)  # noqa: T201 - logging is not set up yet
    raise SystemExit(2)


def _in_words(problem: Any) -> str:
    name = str(problem["loc"][0]).upper() if problem["loc"] else "environment"
    if problem["type"] == "missing":
        return f"{name}: is required"
    if problem["type"] == "literal_error":
        offered = problem["ctx"]["expected"].replace("'", "")
        return f"{name}: must be {offered}"
    if problem["type"] == "value_error":
        return f"{name}: {problem['ctx']['error']}"
    if (between := _bounds_of(name)) is not None:
        return f"{name}: must be a whole number from {between[0]} to {between[1]}"
    return f"{name}: cannot be read"


def _bounds_of(name: str) -> tuple[object, object] | None:
    """The least and the greatest value of a numeric setting; None for any other."""
    field = Settings.model_fields.get(name.lower())
    limiting = field.metadata if field else []
    least = [one.ge for one in limiting if hasattr(one, "ge")]
    greatest = [one.le for one in limiting if hasattr(one, "le")]
    return (least[0], greatest[0]) if least and greatest else None


def current() -> Settings:
    """The settings of the current application."""
    settings = current_app.extensions["settings"]
    assert isinstance(settings, Settings)  # noqa: S101 - tells mypy; create_app put it there
    return settings
