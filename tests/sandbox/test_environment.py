"""The environment a run is given, and the secrets that stay."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from newsletter.config import load
from sandbox.environment import environment, secrets_in, settings_in

NAMES = {
    "SECRET_KEY",
    "DATA_KEY",
    "ADMIN_TOKENS",
    "MAILCHIMP_WEBHOOK_SECRET",
    "MAILCHIMP_SIGNING_SECRET",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "sandbox.env"


def given(outer: dict[str, str], own: dict[str, str]) -> dict[str, str]:
    smtp, api = "smtp://127.0.0.1:2525", "http://127.0.0.1:9000/3.0"
    file = Path("/somewhere/sandbox.sqlite3")
    return environment(outer, own, service=8000, pages=8025, database=file, smtp=smtp, api=api)


def test_secrets_are_generated_once(file: Path) -> None:
    first = secrets_in(file)

    assert first.keys() == NAMES
    assert secrets_in(file) == first


def test_secrets_differ_between_checkouts(file: Path, tmp_path: Path) -> None:
    other = secrets_in(tmp_path / "other.env")

    assert not set(other.values()) & set(secrets_in(file).values())


def test_only_the_owner_may_read_the_secrets(file: Path) -> None:
    secrets_in(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_missing_secret_is_added_to_the_others(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("# mine\nSECRET_KEY=kept=as it is\n")

    assert secrets_in(file)["SECRET_KEY"] == "kept=as it is"
    assert secrets_in(file).keys() == NAMES


def test_the_service_takes_the_environment(file: Path) -> None:
    settings = load(given({}, secrets_in(file)))

    assert settings.organisation == "Muster & Söhne GmbH"
    assert settings.locales == ("de", "en")
    assert settings.imprint.count("\n") == 7
    assert settings.smtp is not None
    assert settings.smtp.starttls == "never"
    assert [admin.name for admin in settings.admins] == ["admin"]


def test_nothing_else_of_the_outer_environment_is_passed_on(file: Path) -> None:
    outer = {"HOME": "/home/x", "LANG": "C", "TZ": "UTC", "PATH": "/bin", "PYTHONPATH": "/x"}

    passed = given({**outer, "AWS_SECRET_ACCESS_KEY": "x", "PORT": "1"}, secrets_in(file))

    assert {name: passed.get(name) for name in ("HOME", "LANG", "TZ")} == {
        "HOME": "/home/x",
        "LANG": "C",
        "TZ": "UTC",
    }
    assert passed["PATH"] == f"{Path(sys.executable).parent}:/bin"
    assert not {"PYTHONPATH", "AWS_SECRET_ACCESS_KEY"} & passed.keys()
    assert passed["PORT"] == "8000"


def test_another_database_can_be_named(file: Path) -> None:
    outer = {"DATABASE_URL": "postgresql://localhost/newsletter"}

    assert given(outer, secrets_in(file))["DATABASE_URL"] == outer["DATABASE_URL"]


def test_checkpoints_are_beside_the_sandboxes_own_database(file: Path) -> None:
    passed = given({}, secrets_in(file))

    assert passed["LEDGER_CHECKPOINTS"] == "/somewhere/sandbox-checkpoints"


def test_the_checkpoints_of_the_sandbox_are_not_those_of_another_database(file: Path) -> None:
    passed = given({"DATABASE_URL": "postgresql://localhost/newsletter"}, secrets_in(file))

    assert "LEDGER_CHECKPOINTS" not in passed


def test_without_another_the_database_is_the_sandboxes_own(file: Path) -> None:
    assert given({}, secrets_in(file))["DATABASE_URL"] == "sqlite:////somewhere/sandbox.sqlite3"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_ORIGINS", "http://localhost:3000"),
        ("CLIENT_LIMIT", "off"),
        ("LINK_DAYS", "3"),
        ("BRAND_DIR", "/brand"),
        ("LEDGER_CHECKPOINTS", "/heads"),
    ],
)
def test_settings_for_trying_a_form_are_passed_on(file: Path, name: str, value: str) -> None:
    assert given({name: value}, secrets_in(file))[name] == value


def test_settings_are_sorted_into_taken_and_ignored() -> None:
    outer = {"PATH": "/bin", "PORT": "1", "IMPRINT": "", "ORGANISATION": "x", "LINK_DAYS": "3"}

    assert settings_in(outer) == (["LINK_DAYS"], ["ORGANISATION"])
