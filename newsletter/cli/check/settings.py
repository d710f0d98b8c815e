"""The environment: values that are missing, out of range, misspelt or easy to guess; and Redis, which one names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

import redis

from newsletter.cli.check.finding import Finding
from newsletter.config import Settings
from newsletter.domain.errors import SettingsError

ADMIN_TOKEN_LENGTH = 24  #: characters; a token opens every admin endpoint
WEBHOOK_SECRET_LENGTH = 16  #: characters; with it, anybody can be blocked
REDIS_PATIENCE_SECONDS = 3.0

_KNOWN = tuple(name.upper() for name in Settings.model_fields)
_KNOWN_FILES = tuple(f"{name}_FILE" for name in _KNOWN)
#: MAILCHIMP_KEY resembles MAILCHIMP_API_KEY so much; SECRET_KEY_BASE, another program's, resembles SECRET_KEY less.
_LEAST_SIMILARITY = 0.83
#: By prefix: the setting that was probably meant.
_PREFIXES = {"MAILCHIMP_": "MAILCHIMP_API_KEY", "SMTP_": "SMTP_URL"}


def refused(error: SettingsError) -> Iterator[Finding]:
    """Values that stop every process from starting."""
    for problem in error.problems:
        about, _, wrong = problem.partition(": ")
        yield Finding(about, wrong, "")


def quoted(variables: Iterable[str]) -> Iterator[Finding]:
    """Settings whose value begins and ends with a quote, as `--env-file` of podman and docker leaves it."""
    for name in sorted(name.upper() for name in variables):
        # A secret works as it is, and the keyring may be wrapped by it already.
        is_secret = name in ("SECRET_KEY", "DATA_KEY")
        once = "before the first `newsletter release`; later, keep them" if is_secret else "here"
        wrong = "begins and ends with a quote, which is part of the value"
        yield Finding(name, wrong, f"leave the quotes out {once}", is_hint=is_secret)


def misspelt(variables: Iterable[str]) -> Iterator[Finding]:
    """Variables that resemble a setting and are not read."""
    given = {name.upper() for name in variables}
    for name in sorted(given.difference(_KNOWN, _KNOWN_FILES)):
        if (meant := _meant_by(name)) is not None:
            # Beside the right name it does no harm, and may be another program's.
            is_hint = meant in given
            remedy = f"name it {meant}, or remove it if it is another program's"
            yield Finding(name, "is no setting, and not read", remedy, is_hint=is_hint)


def _meant_by(name: str) -> str | None:
    if close := get_close_matches(name, _KNOWN, n=1, cutoff=_LEAST_SIMILARITY):
        return close[0]
    return next((ours for prefix, ours in _PREFIXES.items() if name.startswith(prefix)), None)


def findings(settings: Settings) -> Iterator[Finding]:
    """Secrets that could be guessed, and a Redis that does not answer."""
    if any(len(one.token.get_secret_value()) < ADMIN_TOKEN_LENGTH for one in settings.admins):
        yield Finding(
            "ADMIN_TOKENS",
            f"holds a token of fewer than {ADMIN_TOKEN_LENGTH} characters, which could be guessed",
            "make a new one, such as with `openssl rand -hex 32`",
        )
    hook = settings.mailchimp_webhook_secret
    if hook is not None and len(hook.get_secret_value()) < WEBHOOK_SECRET_LENGTH:
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            f"has fewer than {WEBHOOK_SECRET_LENGTH} characters, and could be guessed",
            "make a new one, such as with `openssl rand -hex 16`, and run `newsletter webhook install`",
        )
    if settings.storage_uri.startswith("redis"):
        yield from _redis(settings.storage_uri)


def _redis(uri: str) -> Iterator[Finding]:
    seconds = REDIS_PATIENCE_SECONDS
    store = redis.Redis.from_url(uri, socket_connect_timeout=seconds, socket_timeout=seconds)
    try:
        store.ping()
    except redis.AuthenticationError:
        yield Finding("STORAGE_URI", "Redis refuses the password", "set the right one")
    except (redis.RedisError, OSError, ValueError):
        yield Finding(
            "STORAGE_URI",
            "Redis does not answer, so each process counts CLIENT_LIMIT for itself",
            "start it, check host and port, or remove the setting",
        )
    finally:
        store.close()
