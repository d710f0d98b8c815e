"""Where the person stands on the tour: what has just happened, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from sandbox.tour.facts import LETTERS_A_DAY, Facts, Held
from sandbox.tour.service import Answer
from sandbox.tour.words import REASONS

Place = Literal["form", "mailbox", "mailchimp", "service"]

_AT_MAILCHIMP = {"subscribed": "unsubscribe-there", "pending": "answer-mailchimp"}

WAIT = "Wait a moment: this page looks again by itself."


class Chapter(IntEnum):
    """The way through, in the order of words.CHAPTERS."""

    NOWHERE = 0
    SIGN_UP = 1
    CONFIRM = 2
    LEAVE_THERE = 3
    COME_BACK = 4
    LEAVE_BY_LINK = 5
    ERASE = 6
    END = 7


@dataclass(frozen=True)
class Scene:
    """One moment. `place` is where the next step is; `is_under_way`: the processes are still at it."""

    chapter: Chapter
    happened: str
    todo: str
    place: Place | None = None
    is_under_way: bool = False


def tell(facts: Facts) -> Scene:
    """Say what the facts mean."""
    if facts.access is not None and facts.access.status not in (200, 404):
        return _unable(facts.access)
    if facts.held is None:
        return _nobody(facts)
    match facts.held.status:
        case "pending" | "returning":
            return _asked(facts, facts.held)
        case "confirmed":
            return _confirmed(facts.held)
        case "blocked":
            return _blocked(facts, facts.held)
        case _:
            return _waits(
                Chapter.ERASE,
                "Gone from the service’s database. The worker tells Mailchimp to forget for good.",
            )


def step(scene: Scene, facts: Facts) -> str | None:
    """The name of the button that the next step needs; None where this page has none."""
    match scene.place:
        case "form":
            return "sign-up"
        case "mailbox" if facts.letter is not None:
            return "confirm" if facts.is_asked else "leave-by-link"
        case "mailchimp" if facts.contact is not None:
            return _AT_MAILCHIMP.get(facts.contact.status)
        case "service":
            return "erase"
        case _:
            return None


def _waits(chapter: Chapter, happened: str) -> Scene:
    return Scene(chapter, happened, WAIT, is_under_way=True)


def _unable(answer: Answer) -> Scene:
    happened = (
        "The service does not answer."
        if answer.is_missing
        else f"The service answered {answer.status}: {answer.body.get('detail', 'no more than that')}"
    )
    todo = "Look at var/sandbox.log. This page looks again by itself."
    return Scene(Chapter.NOWHERE, happened, todo, is_under_way=True)


def _nobody(facts: Facts) -> Scene:
    erasure = facts.erasure.body if facts.erasure else {}
    if erasure.get("status") == "completed":
        return Scene(
            Chapter.END,
            "Forgotten everywhere: the service holds nothing, and Mailchimp deleted the contact for"
            " good. What is left is a receipt that names nobody.",
            "That was all. Take another address to begin again: Mailchimp lets nobody add a"
            " forgotten one, only its owner can, in Mailchimp’s own form.",
            "form",
        )
    if erasure:
        return _waits(Chapter.ERASE, "Gone from the database; the other places follow.")
    if facts.letters:
        return Scene(
            Chapter.SIGN_UP,
            "The service holds nothing about this address any more: the sign-up was disowned, or it"
            " expired.",
            "Sign up again. If that brings no letter, it is too soon: take another address.",
            "form",
        )
    return Scene(
        Chapter.SIGN_UP,
        "Nothing yet: nobody has asked for the newsletter.",
        "Sign somebody up in the form. Any address will do, no letter leaves this machine.",
        "form",
    )


def _asked(facts: Facts, held: Held) -> Scene:
    is_return = held.status == "returning"
    chapter = Chapter.COME_BACK if is_return else Chapter.CONFIRM
    letter = held.letters[-1] if held.letters else {}
    if facts.letter is not None:
        return Scene(
            chapter,
            "The letter has arrived. "
            + (
                "Until it is answered, the block stands."
                if is_return
                else "Mailchimp knows nothing of this address yet, and will not before it is answered."
            ),
            "Be the owner of the address: confirm. Opening the link changes nothing, so a mail"
            " scanner confirms nobody; the button behind it does.",
            "mailbox",
        )
    if letter.get("failed_at"):
        return Scene(
            chapter,
            f"The mail server refused the letter for good ({letter.get('error')}).",
            "Take another address.",
            "form",
        )
    if letter.get("sent_at"):
        return Scene(
            chapter,
            "A letter was sent before this sandbox was started, and its mailbox began empty.",
            "Sign up again for another letter: one in ten minutes, three a day. Or take another address.",
            "form",
        )
    return _waits(
        chapter, "The sign-up is taken, and the worker hands the letter to the mail server."
    )


def _confirmed(held: Held) -> Scene:
    has_left_before = held.times("blocked") > 0
    returns = Chapter.COME_BACK if has_left_before else Chapter.CONFIRM
    match held.at_mailchimp:
        case "awaiting":
            return Scene(
                Chapter.COME_BACK,
                "Confirmed here. But Mailchimp answered 400: whoever left there by themselves is not"
                " simply subscribed again. It asks them once more, and the contact is pending there.",
                "Answer Mailchimp’s question, as the person does in Mailchimp’s own letter.",
                "mailchimp",
            )
        case "refused":
            return Scene(
                returns,
                "Confirmed here. But Mailchimp answered 400: it was told to forget this address, and"
                " lets nobody add it again.",
                "Use Mailchimp’s own form, as only the person can, or take another address.",
                "mailchimp",
            )
        case "subscribed" if has_left_before:
            return Scene(
                Chapter.LEAVE_BY_LINK,
                "Back in the newsletter: only a fresh confirmation by the owner could end the block.",
                "Leave once more, now by the person’s own link. It stands on the page that the"
                " letter’s link opens.",
                "mailbox",
            )
        case "subscribed":
            return Scene(
                Chapter.LEAVE_THERE,
                "Confirmed, and the worker has made the contact at Mailchimp: the newsletter may come.",
                "Leave, as by the link in a newsletter that Mailchimp sent.",
                "mailchimp",
            )
        case _:
            return _waits(returns, "Confirmed. The worker tells Mailchimp.")


def _blocked(facts: Facts, held: Held) -> Scene:
    why = REASONS.get(held.reason or "", held.reason or "")
    has_been_back = held.times("blocked") > 1
    chapter = Chapter.ERASE if has_been_back else Chapter.COME_BACK
    if held.at_mailchimp in ("subscribed", "unknown", "awaiting"):
        return _waits(chapter, f"Blocked at once, because {why}. The worker tells Mailchimp.")
    how = (
        "Mailchimp called the service’s webhook, and the service blocked the address"
        if facts.has_left_there
        else "The service blocked the address, and the worker told Mailchimp"
    )
    happened = (
        f"{how}: {why}. Leaving deletes nothing; the block is what keeps the newsletter away."
    )
    erase = "Erase the person: staff do that when somebody asks to be forgotten."
    if held.is_blocked_hard:
        hard = " No sign-up ends this block; staff alone can (POST /admin/lifts)."
        return Scene(Chapter.ERASE, happened + hard, erase, "service")
    if has_been_back:
        return Scene(chapter, happened, erase, "service")
    if len(held.letters_of_the_day()) >= LETTERS_A_DAY:
        spent = " Three letters went to this address within a day, so a sign-up brings no more."
        return Scene(
            Chapter.ERASE, happened + spent, f"{erase} Or take another address.", "service"
        )
    return Scene(
        chapter,
        happened,
        "Change your mind: sign up again. After leaving, there is no wait of ten minutes.",
        "form",
    )
