"""What people do about their own data, by a link that was sent to their mailbox: one hour, one person.

The mailbox proves no more than its own address. So the row of another address, which a correction has bound to this
one, is neither shown nor erased here, as it is for staff: whoever corrects an address to a stranger's would see theirs.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter import config, subscriptions
from newsletter.config import Locale
from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.errors import BlockedHard, CannotCorrect, ExpiredLink, NobodyKnown
from newsletter.domain.lifecycle import Action, Reason, Status, too_close
from newsletter.rights import access
from newsletter.storage import statements
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LetterKind, Subscription
from newsletter.subscriptions import letters, quota, wording
from newsletter.subscriptions.links import MY_DATA_HOLDS, Link
from newsletter.subscriptions.person import (
    Person,
    address_of,
    keep_address,
    meet,
    meet_by_ref,
    standing_of,
)
from newsletter.subscriptions.quota import Counted

ACTOR = "person"


@dataclass(frozen=True)
class MyData:
    """What the page shows: all that is held, and what can be done about it."""

    held: dict[str, object]
    can_leave: bool
    can_correct: bool
    can_lift: bool
    unsubscribe_url: str


def ask(address: Address) -> None:
    """Somebody, perhaps its owner, asks what is held about this address: whoever is known gets a link by letter.

    Nobody is written who is not known, whose data is on hold, or who was written too often of late; what a letter
    takes is then done in vain, as the time of an answer must not tell either.
    """
    with writing() as session:
        person = meet(session, address)
        counted = quota.that_count(person.digest, person.letters, person.now)
        spoken = wording.current_in(session, person.locale or config.current().default_locale)
        with statements.together(session):
            row = person.row
            if row is None or row.hold or too_close(counted.times, person.now):
                nobody = Subscription(ref=secrets.token_hex(16), round=1)
                with statements.in_vain(session):
                    _write(person, nobody, spoken.hash, Counted(person.digest))
            else:
                _write(person, row, spoken.hash, counted)
            quota.write(session, counted, person.now)


def _write(person: Person, row: Subscription, named: str, counts_on: Counted) -> None:
    """Write the letter; where a digest alone is left, the address is there again until the letter is settled."""
    if row.address is None and person.address is not None:
        keep_address(row, person.address)
        statements.update(person.session, row)
    letters.write(
        person.session,
        row,
        LetterKind.MY_DATA,
        wording=named,
        counts_on=counts_on,
        now=person.now,
    )


def look(link: Link, locale: Locale) -> MyData:
    """All that is held, to be read; raise ExpiredLink. Looking changes nothing, as mail scanners open links, too."""
    with reading() as session:
        row = _checked(link, session.get(Subscription, link.ref))
        now = clock.now()
        return MyData(
            access.of_row(session, row, locale),
            can_leave=row.status is Status.CONFIRMED,
            can_correct=row.status in (Status.PENDING, Status.CONFIRMED),
            can_lift=row.reason is Reason.NOT_ME and standing_of(row, now).is_hard(now),
            unsubscribe_url=subscriptions.unsubscribe_url(row.ref),
        )


def export(link: Link, locale: Locale) -> dict[str, object]:
    """All that is held, to be taken along (Art. 20 GDPR), which is logged; raise ExpiredLink."""
    with writing() as session:
        person, row = _meet(session, link)
        access.note_view(person, actor=ACTOR)
        return access.of_row(session, row, locale)


def unsubscribe(link: Link) -> None:
    """The person leaves; again: nothing more. Raise ExpiredLink."""
    with writing() as session:
        person, _ = _meet(session, link)
        person.act(Action.UNSUBSCRIBE, actor=ACTOR)


def rectify(link: Link, new: Address) -> None:
    """The person corrects their address; the new one has to confirm. Raise ExpiredLink, or CannotCorrect for who left.

    Whether the new one can be asked is not told, and leaves the old one as it is: it may be somebody else's.
    """
    with reading() as session:
        row = _checked(link, session.get(Subscription, link.ref))
        old = address_of(row)
    if old is None:
        raise CannotCorrect
    try:
        subscriptions.rectify(old, new, actor=ACTOR, is_proven=False)
    except NobodyKnown:
        raise CannotCorrect from None


def lift(link: Link) -> None:
    """The person takes back "this was not me", and may sign up again; raise ExpiredLink, or BlockedHard otherwise."""
    with writing() as session:
        person, row = _meet(session, link)
        if row.reason is not Reason.NOT_ME and person.standing.is_hard(person.now):
            raise BlockedHard
        person.act(Action.LIFT, actor=ACTOR)


def would_lose_block(link: Link) -> bool:
    """Tell whether an erasure takes a block away with all the rest; raise ExpiredLink."""
    with reading() as session:
        row = _checked(link, session.get(Subscription, link.ref))
        return row.status in (Status.BLOCKED, Status.RETURNING)


def erase(link: Link, *, keep_block: bool) -> str:
    """The person is forgotten here at once, and at Mailchimp from now on; their reference. Raise ExpiredLink."""
    with writing() as session:
        person, row = _meet(session, link)
        subscriptions.begin_erasure(person, actor=ACTOR, keep_block=keep_block)
        return row.ref


def _meet(session: Session, link: Link) -> tuple[Person, Subscription]:
    person = meet_by_ref(session, link.ref)
    row = _checked(link, person.row if person else None)
    assert person is not None  # noqa: S101 - tells mypy; whose row it is
    return person, row


def _checked(link: Link, row: Subscription | None) -> Subscription:
    """Whom a link leads to, if it holds; raise ExpiredLink."""
    now = clock.now()
    if row is None:
        raise ExpiredLink
    if link.made_at is None or now - link.made_at >= MY_DATA_HOLDS or _has_ended(row, now):
        raise ExpiredLink(row.locale)
    return row


def _has_ended(row: Subscription, now: datetime) -> bool:
    """Tell whether a request is over, and only waits to be tidied away."""
    is_over = row.expires_at is not None and row.expires_at <= now
    return row.status is Status.PENDING and is_over and not row.hold
