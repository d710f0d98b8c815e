"""The tour's text: what has just happened, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from sandbox.language import _
from sandbox.tour.facts import LETTERS_A_DAY, Facts, Held
from sandbox.tour.service import Answer
from sandbox.tour.words import REASONS

Place = Literal["form", "mailbox", "mailchimp", "service"]

_AT_MAILCHIMP = {"subscribed": "unsubscribe-there", "pending": "answer-mailchimp"}


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
                _(
                    "Deleted from the service’s database. The worker has it permanently deleted at"
                    " Mailchimp."
                ),
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
    return Scene(
        chapter, happened, _("Wait a moment: this page reloads by itself."), is_under_way=True
    )


def _unable(answer: Answer) -> Scene:
    happened = (
        _("The service does not answer.")
        if answer.is_missing
        else _(
            "The service answered %(status)s: %(said)s",
            status=answer.status,
            said=answer.body.get("detail", "…"),
        )
    )
    todo = _("Look at var/sandbox.log. This page reloads by itself.")
    return Scene(Chapter.NOWHERE, happened, todo, is_under_way=True)


def _nobody(facts: Facts) -> Scene:
    erasure = facts.erasure.body if facts.erasure else {}
    places = {place["place"]: place["state"] for place in erasure.get("places", [])}
    if erasure and places.get("mailchimp") == "done":
        return Scene(
            Chapter.END,
            _(
                "Deleted: the service stores nothing about the person, and Mailchimp deleted the contact"
                " permanently. The database file is overwritten, and rewritten after the nightly run;"
                " then there is a signed receipt, with neither name nor address."
            ),
            _(
                "That was all. Use another address to begin again: Mailchimp does not let programs add a"
                " deleted contact; only its owner can, in Mailchimp’s own form."
            ),
            "form",
        )
    if erasure:
        return _waits(Chapter.ERASE, _("Deleted from the database; the other places follow."))
    if facts.letters:
        return Scene(
            Chapter.SIGN_UP,
            _(
                "The service no longer stores anything about this address: the owner declared “This was"
                " not me”, or the sign-up expired."
            ),
            _("Sign up again. If no e-mail arrives, it is too early: use another address."),
            "form",
        )
    return Scene(
        Chapter.SIGN_UP,
        _("Nothing yet: nobody has signed up for the newsletter."),
        _("Sign somebody up in the form. Use any address: no e-mail leaves this machine."),
        "form",
    )


def _asked(facts: Facts, held: Held) -> Scene:
    is_return = held.status == "returning"
    chapter = Chapter.COME_BACK if is_return else Chapter.CONFIRM
    letter = held.letters[-1] if held.letters else {}
    if facts.letter is not None:
        return Scene(
            chapter,
            _("The e-mail has arrived. The address stays blocked until it is confirmed.")
            if is_return
            else _(
                "The e-mail has arrived. Mailchimp does not know this address, and will not before it"
                " is confirmed."
            ),
            _(
                "Be the owner of the address: confirm. Opening the link changes nothing, so a mail"
                " scanner confirms nobody; the button behind it does."
            ),
            "mailbox",
        )
    if letter.get("failed_at"):
        return Scene(
            chapter,
            _(
                "The mail server refused the e-mail permanently (%(error)s).",
                error=letter.get("error"),
            ),
            _("Use another address."),
            "form",
        )
    if letter.get("sent_at"):
        return Scene(
            chapter,
            _("An e-mail was sent before this sandbox was started, and its mailbox began empty."),
            _(
                "Sign up again for another e-mail: one in ten minutes, three a day. Or use another"
                " address."
            ),
            "form",
        )
    return _waits(
        chapter,
        _("The sign-up is accepted, and the worker hands the e-mail to the mail server."),
    )


def _confirmed(held: Held) -> Scene:
    has_left_before = held.times("blocked") > 0
    returns = Chapter.COME_BACK if has_left_before else Chapter.CONFIRM
    match held.at_mailchimp:
        case "awaiting":
            return Scene(
                Chapter.COME_BACK,
                _(
                    "Confirmed here. But Mailchimp answered 400: a person who unsubscribed there is not"
                    " simply subscribed again. It asks them once more, and the contact is pending there."
                ),
                _("Answer Mailchimp’s question, as the person does in Mailchimp’s own e-mail."),
                "mailchimp",
            )
        case "refused":
            return Scene(
                returns,
                _(
                    "Confirmed here. But Mailchimp answered 400: this contact was permanently deleted,"
                    " and no program can add it again."
                ),
                _("Use Mailchimp’s own form, as only the person can, or use another address."),
                "mailchimp",
            )
        case "subscribed" if has_left_before:
            return Scene(
                Chapter.LEAVE_BY_LINK,
                _(
                    "Back in the newsletter: only a fresh confirmation by the owner could end the block."
                ),
                _(
                    "Unsubscribe once more, now by the person’s own link. It is on the page behind the"
                    " link in the e-mail."
                ),
                "mailbox",
            )
        case "subscribed":
            return Scene(
                Chapter.LEAVE_THERE,
                _(
                    "Confirmed, and the worker has added the contact at Mailchimp: the newsletter may be"
                    " sent. The person can open their data, and staff the proof."
                ),
                _("Unsubscribe, as by the link in a newsletter that Mailchimp sent."),
                "mailchimp",
            )
        case _:
            return _waits(returns, _("Confirmed. The worker updates Mailchimp."))


def _blocked(facts: Facts, held: Held) -> Scene:
    why = REASONS.get(held.reason or "", held.reason or "")
    has_been_back = held.times("blocked") > 1
    chapter = Chapter.ERASE if has_been_back else Chapter.COME_BACK
    if held.at_mailchimp in ("subscribed", "unknown", "awaiting"):
        return _waits(
            chapter, _("Blocked at once: %(why)s. The worker updates Mailchimp.", why=why)
        )
    how = (
        _("Mailchimp called the service’s webhook, and the service blocked the address")
        if facts.has_left_there
        else _("The service blocked the address, and the worker updated Mailchimp")
    )
    happened = _(
        "%(how)s: %(why)s. Unsubscribing deletes nothing; the block prevents further newsletters.",
        how=how,
        why=why,
    )
    erase = _("Delete the person: staff do that when a person requests it.")
    if held.is_blocked_hard:
        hard = _("No sign-up ends this block; only staff can (POST /admin/lifts).")
        return Scene(Chapter.ERASE, f"{happened} {hard}", erase, "service")
    if has_been_back:
        return Scene(chapter, happened, erase, "service")
    if len(held.letters_of_the_day()) >= LETTERS_A_DAY:
        spent = _("This address got three e-mails within a day, so another sign-up brings none.")
        other = _("Or use another address.")
        return Scene(Chapter.ERASE, f"{happened} {spent}", f"{erase} {other}", "service")
    return Scene(
        chapter,
        happened,
        _("Change your mind: sign up again. After unsubscribing, there is no wait of ten minutes."),
        "form",
    )
