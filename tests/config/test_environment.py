"""Where settings come from: the environment, or files that it names, as containers hand in secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.config import load
from newsletter.domain.errors import SettingsError
from tests.config.test_settings import KEY, MINIMAL, ONLINE
from tests.config.test_strange_values import STRANGE, Refused

SECRET = "any-text-of-more-than-32-characters"


def problems_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environ)
    return refused.value.problems


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\r\n", "utf-8")
    return file


def without(name: str) -> dict[str, str]:
    return {other: value for other, value in MINIMAL.items() if other != name}


@pytest.mark.parametrize("name", STRANGE)
def test_every_setting_may_come_from_a_file(name: str, tmp_path: Path) -> None:
    environ = {**ONLINE, **KEY, "MAILCHIMP_API_URL": "https://api.example.com/3.0"}
    value = next(value for value, used in STRANGE[name].items() if not isinstance(used, Refused))
    file = tmp_path / name
    file.write_text(value, "utf-8")
    from_file = {other: given for other, given in environ.items() if other != name}

    assert load({**from_file, f"{name}_FILE": f" {file}\n"}) == load({**environ, name: value})


def test_a_file_that_is_not_there_is_named_by_its_variable_alone(tmp_path: Path) -> None:
    environ = {**without("DATA_KEY"), "DATA_KEY_FILE": str(tmp_path / "none")}

    assert problems_of(environ) == [
        "DATA_KEY: DATA_KEY_FILE cannot be read (No such file or directory)"
    ]


def test_an_empty_file_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    environ = {**without("DATA_KEY"), "DATA_KEY_FILE": str(tmp_path / "empty")}

    assert problems_of(environ) == ["DATA_KEY: DATA_KEY_FILE names an empty file"]


def test_what_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "octets").write_bytes(b"\xff" * 40)
    environ = {**without("DATA_KEY"), "DATA_KEY_FILE": str(tmp_path / "octets")}

    assert problems_of(environ) == ["DATA_KEY: must be text in UTF-8"]


def test_a_setting_that_is_set_twice_is_refused(secret: Path) -> None:
    assert problems_of({**MINIMAL, "DATA_KEY_FILE": str(secret)}) == [
        "DATA_KEY: is set twice: remove it or DATA_KEY_FILE"
    ]


def test_what_a_file_holds_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("too-short")
    environ = {**without("DATA_KEY"), "DATA_KEY_FILE": str(tmp_path / "short")}

    assert "too-short" not in str(problems_of(environ))


def test_the_environment_of_the_process_does_not_fill_in_what_is_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LINK_DAYS", "3")

    assert load(MINIMAL).link_days == 7
