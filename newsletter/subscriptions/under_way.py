"""The request of somebody returning, whose proof ends meanwhile: it goes on as that of somebody unknown.

Whoever sent the form was told to see their inbox, and is asked anew: under another reference, by another letter, as the
link they have ends with the row that it leads to. The request itself is not made longer by it: its first letter said
by when it is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.domain import periods
from newsletter.domain.lifecycle import Action, Event, Status
from newsletter.ledger import log
from newsletter.storage import statements
from newsletter.storage.models import Subscription
from newsletter.subscriptions import letters as correspondence
from newsletter.subscriptions import quota, wording
from newsletter.subscriptions.person import Person
from newsletter.subscriptions.wording import ConsentText


@dataclass(frozen=True)
class UnderWay:
    """What is to be known of a request when its row is gone."""

    consent: ConsentText
    asked_at: datetime
    expires_at: datetime
    letters: list[list[str]]  #: as Quota has them
    replaces_ref: str | None
    is_vouched: bool  #: staff or Mailchimp vouched for the correction that it came from


def find(session: Session, row: Subscription) -> UnderWay | None:
    """The request that a row waits for; None where there is none, or its text is gone, and nobody can be asked."""
    # The row names the text that they agreed to back then.
    asked = log.newest_of(session, row.ref, Event.SIGNUP)
    consent = wording.kept(session, asked.wording) if asked and asked.wording else None
    if row.expires_at is None or asked is None or consent is None:
        return None
    letters, _ = correspondence.written(session, row.digest, row.ref)
    is_vouched = row.follows_ref == row.replaces_ref
    return UnderWay(consent, asked.at, row.expires_at, letters, row.replaces_ref, is_vouched)


def ask_anew(person: Person, request: UnderWay) -> None:
    """Ask for somebody who was forgotten just now, in the same transaction.

    In any case, however often they were written today, or the request would be lost. That is one letter too many at
    most, once in three years; it counts as any other, and so do those before, whose count went with the row.
    """
    counted = quota.that_count(person.digest, request.letters, person.now)
    person.asked_at = request.asked_at
    with statements.together(person.session):
        # The ledger says who asks here and now: not the person, who did so under the reference that has ended.
        person.act(Action.SIGN_UP, consent=request.consent, counts_on=counted, actor=periods.ACTOR)
        quota.write(person.session, counted, person.now)
    row = person.row
    # They are blocked instead where an erasure was under way that is to leave a block.
    if row is not None and row.status is Status.PENDING:
        row.expires_at = request.expires_at
        row.replaces_ref = request.replaces_ref
        row.follows_ref = request.replaces_ref if request.is_vouched else None
