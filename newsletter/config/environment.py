"""Reads the environment. All problems are reported at once, each with the variable's name and without its value.

A setting may instead be in a file, which the variable with the suffix _FILE names: containers pass secrets so.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from flask import current_app
from pydantic import ValidationError

from newsletter.config.settings import Settings
from newsletter.domain.address import trimmed
from newsletter.domain.errors import SettingsError

_IN_QUOTES = re.compile(r"""(["'])(?:(?!\1).)*\1""", re.DOTALL)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment, or `environ` instead; raise SettingsError with every problem."""
    source = os.environ if environ is None else environ
    values, problems = _values({name.upper(): value for name, value in source.items()})
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems = {**{_name_of(one): _message(one) for one in error.errors()}, **problems}
    if problems:
        raise SettingsError([f"{name}: {problem}" for name, problem in problems.items()])
    return settings


def _values(variables: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The values that are set, by field, and the problems of reading them, by variable."""
    values, problems = {}, {}
    for name in (field.upper() for field in Settings.model_fields):
        try:
            value = trimmed(_value_of(name, variables))
            value.encode()
        except UnicodeError:
            problems[name] = "must be text in UTF-8"
        except ValueError as error:
            problems[name] = str(error)
        else:
            if value:
                values[name.lower()] = value
    return values, problems


def _value_of(name: str, variables: Mapping[str, str]) -> str:
    value, file = variables.get(name, ""), trimmed(variables.get(f"{name}_FILE", ""))
    if not file:
        return value
    if trimmed(value):
        raise ValueError(f"is set twice: remove it or {name}_FILE")
    try:
        text = Path(file).read_text("utf-8")
    except OSError as error:
        raise ValueError(f"{name}_FILE cannot be read ({error.strerror})") from None
    if not trimmed(text):
        raise ValueError(f"{name}_FILE names an empty file")
    return text


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
    """End the process with exit status 2, and the error on stderr."""
    print(f"The settings are not right:\n{error}", file=sys.stderr)  # noqa: T201 - logging is not set up yet
    raise SystemExit(2)


def _name_of(problem: Any) -> str:
    return str(problem["loc"][0]).upper() if problem["loc"] else "environment"


def _message(problem: Any) -> str:
    if problem["type"] == "missing":
        return "is required"
    if problem["type"] == "literal_error":
        offered = problem["ctx"]["expected"].replace("'", "")
        return f"must be {offered}"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if (bounds := _bounds_of(_name_of(problem))) is not None:
        return f"must be a whole number from {bounds[0]} to {bounds[1]}"
    return "cannot be read"


def _bounds_of(name: str) -> tuple[object, object] | None:
    """The least and the greatest value of a numeric setting; None for any other."""
    field = Settings.model_fields.get(name.lower())
    metadata = field.metadata if field else []
    least = [one.ge for one in metadata if hasattr(one, "ge")]
    greatest = [one.le for one in metadata if hasattr(one, "le")]
    return (least[0], greatest[0]) if least and greatest else None


def current() -> Settings:
    """The settings of the current application."""
    settings = current_app.extensions["settings"]
    assert isinstance(settings, Settings)  # noqa: S101 - tells mypy; create_app put it there
    return settings
