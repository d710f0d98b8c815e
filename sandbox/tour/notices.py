"""Notices for buttons that did not have the expected effect."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from sandbox.filters import clock_in_zone
from sandbox.language import _
from sandbox.tour.facts import LETTERS_A_DAY, Facts, Held
from sandbox.tour.service import Answer


def no_letter() -> str:
    """There is nothing to press."""
    return _(
        "The e-mail with this link is not in the mailbox: it went to an earlier run, or was never written."
    )


def refused(answer: Answer) -> str:
    """The service refused, or did not answer."""
    if answer.status is None:
        return _("The service did not answer, so nothing was done. Is “make run” still at work?")
    if answer.status == 429:
        return _(
            "The service answered 429: too many sign-ups from this machine (CLIENT_LIMIT)."
            " Try again in %(seconds)s seconds.",
            seconds=answer.retry_after or "…",
        )
    title, detail = answer.body.get("title", ""), answer.body.get("detail", "")
    said = f"{title}. {detail}".replace("..", ".")
    return _("The service answered %(status)s: %(said)s", status=answer.status, said=said)


def unanswered(before: Facts, after: Facts) -> str | None:
    """Why an accepted sign-up had no effect; None if it had one."""
    if after.held is None:
        is_unknown = after.access is not None and after.access.status == 404
        return f"{_always_202()} {_too_soon()}" if is_unknown else None
    asked_before = before.held.times("signup") if before.held else 0
    has_asked = after.held.times("signup") > asked_before
    return None if has_asked else f"{_always_202()} {_why(after.held)}"


def path_of(url: object) -> str | None:
    """The path of a link from the service."""
    return urlsplit(url).path if isinstance(url, str) else None


def _always_202() -> str:
    return _("The service answered 202, as it does for every address, and did nothing:")


def _too_soon() -> str:
    return _(
        "too early for another e-mail to this address. It sends one in ten minutes and three a day."
        " Use another address."
    )


def _why(held: Held) -> str:
    written = held.letters_of_the_day()
    if held.status == "confirmed":
        return _("this address is confirmed already.")
    if held.is_blocked_hard:
        return _(
            "no sign-up ends a block with the reason “%(reason)s”, only staff can.",
            reason=held.reason,
        )
    if len(written) >= LETTERS_A_DAY:
        return _(
            "this address got three e-mails within a day, which is the limit. Use another address."
        )
    return f"{_too_soon()} {_last(written)}"


def _last(written: list[datetime]) -> str:
    if not written:
        return ""
    return _("The last e-mail was written at %(time)s.", time=clock_in_zone(written[-1]))
