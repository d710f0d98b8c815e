"""Notices for buttons that did not have the expected effect."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from sandbox.filters import clock_in_zone
from sandbox.tour.facts import LETTERS_A_DAY, Facts, Held
from sandbox.tour.service import Answer

NO_LETTER = "The e-mail with this link is not in the mailbox: it went to an earlier run, or was never written."
_ALWAYS_202 = "The service answered 202, as it does for every address, and did nothing: "


def refused(answer: Answer) -> str:
    """The service refused, or did not answer."""
    if answer.status is None:
        return "The service did not answer, so nothing was done. Is “make run” still at work?"
    if answer.status == 429:
        return (
            "The service answered 429: too many sign-ups from this machine (CLIENT_LIMIT)."
            f" Try again in {answer.retry_after or 'some'} seconds."
        )
    title, detail = answer.body.get("title", ""), answer.body.get("detail", "")
    return f"The service answered {answer.status}: {title}. {detail}".replace("..", ".")


def unanswered(before: Facts, after: Facts) -> str | None:
    """Why an accepted sign-up had no effect; None if it had one."""
    if after.held is None:
        return (
            None
            if after.access is None or after.access.status != 404
            else f"{_ALWAYS_202}{_TOO_SOON}"
        )
    asked_before = before.held.times("signup") if before.held else 0
    return None if after.held.times("signup") > asked_before else _ALWAYS_202 + _why(after.held)


def path_of(url: object) -> str | None:
    """The path of a link from the service."""
    return urlsplit(url).path if isinstance(url, str) else None


_TOO_SOON = (
    "too early for another e-mail to this address. It sends one in ten minutes and three a day."
    " Use another address."
)


def _why(held: Held) -> str:
    written = held.letters_of_the_day()
    if held.status == "confirmed":
        return "this address is confirmed already."
    if held.is_blocked_hard:
        return f"no sign-up ends a block with the reason “{held.reason}”, only staff can."
    if len(written) >= LETTERS_A_DAY:
        return (
            "this address got three e-mails within a day, which is the limit. Use another address."
        )
    return f"{_TOO_SOON} {_last(written)}"


def _last(written: list[datetime]) -> str:
    return f"The last e-mail was written at {clock_in_zone(written[-1])}." if written else ""
