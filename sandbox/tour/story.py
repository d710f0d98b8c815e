"""The tour's text: what has just happened, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from sandbox.tour.facts import LETTERS_A_DAY, Facts, Held
from sandbox.tour.service import Answer
from sandbox.tour.words import REASONS

Place = Literal["form", "mailbox", "mailchimp", "service"]

_AT_MAILCHIMP = {"subscribed": "unsubscribe-there", "pending": "answer-mailchimp"}

WAIT = "Wait a moment: this page reloads by itself."


class Chapter(IntEnum):
    """The steps, in the order of words.CHAPTERS."""

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
    """One moment. `place`: where the next step is; `is_under_way`: the processes are still busy."""

    chapter: Chapter
    happened: str
    todo: str
    place: Place | None = None
    is_under_way: bool = False


def tell(facts: Facts) -> Scene:
    """The moment that the facts make."""
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
                "Deleted from the service’s database. The worker has it permanently deleted at Mailchimp.",
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
    todo = "Look at var/sandbox.log. This page reloads by itself."
    return Scene(Chapter.NOWHERE, happened, todo, is_under_way=True)


def _nobody(facts: Facts) -> Scene:
    erasure = facts.erasure.body if facts.erasure else {}
    places = {place["place"]: place["state"] for place in erasure.get("places", [])}
    if erasure and places.get("mailchimp") == "done":
        return Scene(
            Chapter.END,
            "Deleted: the service stores nothing about the person, and Mailchimp deleted the contact permanently."
            " The database file is overwritten, and rewritten after the nightly run; then there is a signed"
            " receipt, with neither name nor address.",
            "That was all. Use another address to begin again: Mailchimp does not let programs add a deleted"
            " contact; only its owner can, in Mailchimp’s own form.",
            "form",
        )
    if erasure:
        return _waits(Chapter.ERASE, "Deleted from the database; the other places follow.")
    if facts.letters:
        return Scene(
            Chapter.SIGN_UP,
            "The service no longer stores anything about this address: the owner declared “This was not me”,"
            " or the sign-up expired.",
            "Sign up again. If no e-mail arrives, it is too early: use another address.",
            "form",
        )
    return Scene(
        Chapter.SIGN_UP,
        "Nothing yet: nobody has signed up for the newsletter.",
        "Sign somebody up in the form. Use any address: no e-mail leaves this machine.",
        "form",
    )


def _asked(facts: Facts, held: Held) -> Scene:
    is_return = held.status == "returning"
    chapter = Chapter.COME_BACK if is_return else Chapter.CONFIRM
    letter = held.letters[-1] if held.letters else {}
    if facts.letter is not None:
        return Scene(
            chapter,
            "The e-mail has arrived. "
            + (
                "The address stays blocked until it is confirmed."
                if is_return
                else "Mailchimp does not know this address, and will not before it is confirmed."
            ),
            "Be the owner of the address: confirm. Opening the link changes nothing, so a mail"
            " scanner confirms nobody; the button behind it does.",
            "mailbox",
        )
    if letter.get("failed_at"):
        return Scene(
            chapter,
            f"The mail server refused the e-mail permanently ({letter.get('error')}).",
            "Use another address.",
            "form",
        )
    if letter.get("sent_at"):
        return Scene(
            chapter,
            "An e-mail was sent before this sandbox was started, and its mailbox began empty.",
            "Sign up again for another e-mail: one in ten minutes, three a day. Or use another address.",
            "form",
        )
    return _waits(
        chapter, "The sign-up is accepted, and the worker hands the e-mail to the mail server."
    )


def _confirmed(held: Held) -> Scene:
    has_left_before = held.times("blocked") > 0
    returns = Chapter.COME_BACK if has_left_before else Chapter.CONFIRM
    match held.at_mailchimp:
        case "awaiting":
            return Scene(
                Chapter.COME_BACK,
                "Confirmed here. But Mailchimp answered 400: a person who unsubscribed there is not simply"
                " subscribed again. It asks them once more, and the contact is pending there.",
                "Answer Mailchimp’s question, as the person does in Mailchimp’s own e-mail.",
                "mailchimp",
            )
        case "refused":
            return Scene(
                returns,
                "Confirmed here. But Mailchimp answered 400: this contact was permanently deleted, and"
                " no program can add it again.",
                "Use Mailchimp’s own form, as only the person can, or use another address.",
                "mailchimp",
            )
        case "subscribed" if has_left_before:
            return Scene(
                Chapter.LEAVE_BY_LINK,
                "Back in the newsletter: only a fresh confirmation by the owner could end the block.",
                "Unsubscribe once more, now by the person’s own link. It is on the page behind the link in the"
                " e-mail.",
                "mailbox",
            )
        case "subscribed":
            return Scene(
                Chapter.LEAVE_THERE,
                "Confirmed, and the worker has added the contact at Mailchimp: the newsletter may be sent.",
                "Unsubscribe, as by the link in a newsletter that Mailchimp sent.",
                "mailchimp",
            )
        case _:
            return _waits(returns, "Confirmed. The worker updates Mailchimp.")


def _blocked(facts: Facts, held: Held) -> Scene:
    why = REASONS.get(held.reason or "", held.reason or "")
    has_been_back = held.times("blocked") > 1
    chapter = Chapter.ERASE if has_been_back else Chapter.COME_BACK
    if held.at_mailchimp in ("subscribed", "unknown", "awaiting"):
        return _waits(chapter, f"Blocked at once, because {why}. The worker updates Mailchimp.")
    how = (
        "Mailchimp called the service’s webhook, and the service blocked the address"
        if facts.has_left_there
        else "The service blocked the address, and the worker updated Mailchimp"
    )
    happened = (
        f"{how}: {why}. Unsubscribing deletes nothing; the block prevents further newsletters."
    )
    erase = "Erase the person: staff do that when a person requests deletion."
    if held.is_blocked_hard:
        hard = " No sign-up ends this block; only staff can (POST /admin/lifts)."
        return Scene(Chapter.ERASE, happened + hard, erase, "service")
    if has_been_back:
        return Scene(chapter, happened, erase, "service")
    if len(held.letters_of_the_day()) >= LETTERS_A_DAY:
        spent = " This address got three e-mails within a day, so another sign-up brings none."
        return Scene(Chapter.ERASE, happened + spent, f"{erase} Or use another address.", "service")
    return Scene(
        chapter,
        happened,
        "Change your mind: sign up again. After unsubscribing, there is no wait of ten minutes.",
        "form",
    )
