"""The environment of a fictitious company, and secrets that are generated once."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from newsletter.config import Settings

API_KEY = "0123456789abcdef0123456789abcdef-us1"
LIST_ID = "a1b2c3d4e5"

_SURROUNDINGS = ("HOME", "LANG", "TZ")
_SETTINGS = (
    "DATABASE_URL",
    "LEDGER_CHECKPOINTS",
    "BRAND_DIR",
    "ALLOWED_ORIGINS",
    "CLIENT_LIMIT",
    "LETTERS_PER_HOUR",
    "LINK_DAYS",
)
_PASSED_ON = _SURROUNDINGS + _SETTINGS

COMPANY = {
    "ORGANISATION": "Muster & Söhne GmbH",
    "IMPRINT": "Muster & Söhne GmbH\\nMusterweg 1\\n12345 Musterstadt\\n"
    "Vertreten durch die Geschäftsführerin Erika Muster\\nTelefon: +49 30 23125 000\\n"
    "E-Mail: kontakt@example.com\\nAmtsgericht Musterstadt, HRB 12345\\nUSt-IdNr.: DE000000000",
    "IMPRINT_EN": "Muster & Söhne GmbH\\nMusterweg 1\\n12345 Musterstadt, Germany\\n"
    "Represented by its managing director Erika Muster\\nTelephone: +49 30 23125 000\\n"
    "E-mail: kontakt@example.com\\nMusterstadt Local Court, HRB 12345\\nVAT ID: DE000000000",
    "CONTACT_EMAIL": "datenschutz@example.com",
    "PRIVACY_URL": "https://www.example.com/datenschutz",
    "PRIVACY_URL_EN": "https://www.example.com/en/privacy",
    "TOPICS": "neuen Werkzeugen, Kursen und Angeboten für Tischlereien",
    "TOPICS_EN": "new tools, courses and offers for joiners",
    "TIMEZONE": "Europe/Berlin",
    "AUTHORITY": "Die Landesbeauftragte für den Datenschutz Musterland, Musterplatz 2, 12345 Musterstadt",
    "MAIL_FROM": "Muster & Söhne GmbH <newsletter@example.com>",
}


def _fresh_secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(32),
        "DATA_KEY": secrets.token_urlsafe(32),
        "ADMIN_TOKENS": f"admin:{secrets.token_urlsafe(32)}",
        "MAILCHIMP_WEBHOOK_SECRET": secrets.token_urlsafe(32),
        "MAILCHIMP_SIGNING_SECRET": secrets.token_hex(32),
    }


def secrets_in(file: Path) -> dict[str, str]:
    """The secrets of this checkout, generated at the first run; the file is readable by its owner alone."""
    held = _read(file)
    fresh = _fresh_secrets()
    if fresh.keys() <= held.keys():
        return held
    _write(file, fresh | held)
    return fresh | held


def _read(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _write(file: Path, values: Mapping[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    lines = [f"{name}={value}\n" for name, value in values.items()]
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with open(os.open(fresh, flags, 0o600), "w") as out:  # noqa: PTH123 - Path.open takes no mode
        out.writelines(lines)
    fresh.replace(file)


def settings_in(outer: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The names of the settings in an environment: those that a run uses, and those that it ignores."""
    known = {name.upper() for name in Settings.model_fields} - {"PORT"}  # the default of --port
    found = sorted(name for name in known if outer.get(name))
    return (
        [name for name in found if name in _SETTINGS],
        [name for name in found if name not in _SETTINGS],
    )


def _checkpoints(outer: Mapping[str, str], database: Path) -> dict[str, str]:
    """The checkpoints' folder of the sandbox's own database; they fit no other."""
    if outer.get("DATABASE_URL"):
        return {}
    return {"LEDGER_CHECKPOINTS": str(checkpoints_of(database).absolute())}


def checkpoints_of(database: Path) -> Path:
    """The folder beside the sandbox's own database."""
    return database.with_name("sandbox-checkpoints")


def environment(
    outer: Mapping[str, str],
    own: Mapping[str, str],
    *,
    service: int,
    pages: int,
    database: Path,
    smtp: str,
    api: str,
) -> dict[str, str]:
    """The whole environment of the service's processes."""
    return {
        "DATABASE_URL": f"sqlite:///{database.absolute()}",
        **_checkpoints(outer, database),
        **{name: outer[name] for name in _PASSED_ON if outer.get(name)},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), outer.get("PATH", os.defpath)]),
        **COMPANY,
        **own,
        "PORT": str(service),
        # By default the service listens on all interfaces; here, only this machine may reach it.
        "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{service}",
        "PUBLIC_URL": f"http://localhost:{service}",
        "SMTP_URL": f"{smtp}?starttls=never",
        "MAILCHIMP_API_KEY": API_KEY,
        "MAILCHIMP_LIST_ID": LIST_ID,
        "MAILCHIMP_API_URL": api,
        "MAILCHIMP_SIGNUP_URL": f"http://localhost:{pages}/hosted-form",
    }
