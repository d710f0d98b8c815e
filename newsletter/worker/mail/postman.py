"""The postman: leases a letter, sends it outside of any transaction, and settles what came of it.

A letter goes out once unless a process dies between the mail server's yes and our commit: then it goes out again,
under the same Message-ID.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import Event
from newsletter.ledger import log as ledger
from newsletter.storage import jobs, outage
from newsletter.storage.database import lock, reading, writing
from newsletter.storage.jobs import Permit
from newsletter.storage.models import Letter, LetterKind, Subscription
from newsletter.subscriptions import quota
from newsletter.subscriptions.letters import seal_evidence
from newsletter.subscriptions.person import commitment_of, stands_there
from newsletter.texts import letters
from newsletter.texts.letters import LetterValues
from newsletter.worker import backoff
from newsletter.worker.mail import contents
from newsletter.worker.mail.smtp import Postbox

log = logging.getLogger(__name__)

#: Stages at which a server refuses us while it looks at one letter: it may mean that letter alone.
_ABOUT_A_LETTER = ("rcpt", "data")
_OUTCOMES = {
    Meaning.RETRY_LATER: "tried again later",
    Meaning.GIVE_UP_ONE: "given up",
    Meaning.HOLD_ALL: "all letters wait",
}
_LONGEST_ASIDE = timedelta(minutes=10)


def _aside(tries: int) -> timedelta:
    return min(_LONGEST_ASIDE, jobs.PROBE_EVERY * int(2 ** min(tries - 1, 10)))


@dataclass(frozen=True)
class Errand:
    """A leased letter, and whose it is."""

    letter: str
    ref: str
    digest: bytes
    tries: int


class Postman:
    """Sends what waits, one letter at a time, through one mail server."""

    def __init__(self, postbox: Postbox, owner: str) -> None:
        self._postbox = postbox
        self._owner = owner
        self._is_first = True
        self._in_hand: str | None = None
        self._unsettled: Callable[[], None] | None = None

    def step(self) -> bool:
        """Send one letter; True if there may be more to do right away."""
        self._settle()
        permit = jobs.ask_permit("mail", at_start=self._is_first)
        self._is_first = False
        if permit is None:
            return False
        errand = self._take()
        if errand is None:
            if permit is Permit.PROBE:
                self._probe()
            return False
        self._in_hand = errand.letter
        try:
            return self._deliver(errand, permit)
        finally:
            if self._unsettled is None:
                self._in_hand = None

    def keep_lease(self) -> None:
        """Keep the letter in hand while the mail server takes its time, or the database."""
        letter = self._in_hand
        if letter is not None:
            mine = (Letter.id == letter, Letter.leased_by == self._owner)
            with writing() as session:
                kept = clock.now() + jobs.LEASE
                session.execute(update(Letter).where(*mine).values(leased_until=kept))

    def close(self) -> None:
        """Say goodbye to the mail server."""
        self._postbox.close()

    def _settle(self, settling: Callable[[], None] | None = None) -> None:
        """Write down what came of a letter; what the database does not take now is kept for the next step."""
        self._unsettled = settling or self._unsettled
        if self._unsettled is not None:
            self._unsettled()
            self._unsettled = self._in_hand = None

    def _probe(self) -> None:
        try:
            self._postbox.probe()
        except DeliveryFailure as failure:
            jobs.hold("mail", failure.reason)
        else:
            jobs.release("mail")

    def _deliver(self, errand: Errand, permit: Permit) -> bool:
        started = clock.now()
        try:
            values = contents.values_of(errand.letter)
            if values is None:
                self._discard(errand)
                return True
            message = letters.compose(values, config.current())
            reply = self._postbox.send(message)
        except DeliveryFailure as failure:
            return self._fail(errand, failure, permit)
        except outage.OF_THE_DATABASE:
            raise
        except Exception as error:
            # One letter that cannot be written must not stop the rest.
            log.exception("letter ref=%s could not be sent", errand.ref)
            return self._fail(
                errand, DeliveryFailure(Meaning.RETRY_LATER, type(error).__name__), permit
            )
        self._settle(lambda: self._settle_sent(errand, values, message, reply))
        if permit is Permit.PROBE:
            jobs.release("mail")
        seconds = (clock.now() - started).total_seconds()
        log.info("letter ref=%s try=%d sent in %.3f s", errand.ref, errand.tries + 1, seconds)
        return True

    def _fail(self, errand: Errand, failure: DeliveryFailure, permit: Permit) -> bool:
        log.warning(
            "letter ref=%s try=%d failed: %s, %s",
            *(errand.ref, errand.tries + 1, failure.reason, _OUTCOMES[failure.meaning]),
        )
        self._settle(lambda: self._settle_failed(errand, failure))
        if failure.meaning is Meaning.HOLD_ALL:
            jobs.hold("mail", failure.reason)
        elif failure.meaning is Meaning.GIVE_UP_ONE and permit is Permit.PROBE:
            # It speaks of one person alone: the server takes our letters again.
            jobs.release("mail")
        return failure.meaning is not Meaning.HOLD_ALL

    def _take(self) -> Errand | None:
        now = clock.now()
        waiting = (
            Letter.sent_at.is_(None),
            Letter.failed_at.is_(None),
            Letter.due_at <= now,
            or_(Letter.leased_until.is_(None), Letter.leased_until <= now),
            ~exists().where(Subscription.ref == Letter.ref, Subscription.hold.is_(True)),
        )
        with reading() as session:
            if not session.scalar(select(exists().where(*waiting))):
                return None
        with writing() as session:
            letter = session.scalar(
                select(Letter)
                .where(*waiting)
                .order_by(Letter.due_at, Letter.number)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = session.get(Subscription, letter.ref) if letter else None
            if letter is None or row is None:
                return None
            letter.leased_by, letter.leased_until = self._owner, now + jobs.LEASE
            return Errand(letter.id, row.ref, row.digest, letter.tries)

    def _discard(self, errand: Errand) -> None:
        """What the letter asks was answered or has expired meanwhile: nobody needs it."""
        with writing() as session:
            letter = self._mine(session, errand)
            row = session.get(Subscription, errand.ref)
            if letter is not None and row is not None:
                _drop(session, letter, row)

    def _mine(self, session: Session, errand: Errand) -> Letter | None:
        """The letter, if it is still there and still ours: an erasure beats a letter in flight."""
        lock(session, errand.digest)
        mine = (Letter.id == errand.letter, Letter.leased_by == self._owner)
        return session.scalar(select(Letter).where(*mine).with_for_update())

    def _settle_sent(
        self, errand: Errand, values: LetterValues, message: EmailMessage, reply: str
    ) -> None:
        now = clock.now()
        with writing() as session:
            letter = self._mine(session, errand)
            row = session.get(Subscription, errand.ref)
            if letter is None or row is None:
                return
            _log(session, row, letter, Event.MAIL_SENT, now, detail=_kind_told(letter))
            if letter.kind is LetterKind.MY_DATA:
                _drop(session, letter, row)
                return
            letter.sent_at, letter.leased_by, letter.leased_until = now, None, None
            letter.template = letters.template_version(values.kind, values.language)
            evidence = contents.evidence_of(values, message, reply)
            letter.evidence = seal_evidence(letter.id, evidence)

    def _settle_failed(self, errand: Errand, failure: DeliveryFailure) -> None:
        now = clock.now()
        with writing() as session:
            letter = self._mine(session, errand)
            row = session.get(Subscription, errand.ref)
            if letter is not None and row is not None:
                letter.leased_by = letter.leased_until = None
                letter.error = failure.reason[:64]
                match failure.meaning:
                    case Meaning.RETRY_LATER:
                        letter.tries += 1
                        letter.due_at = now + backoff.delay(letter.tries)
                    case Meaning.GIVE_UP_ONE:
                        letter.failed_at = now
                        quota.uncount(session, row.digest, letter.id)
                        detail = _kind_told(letter, letter.error)
                        _log(session, row, letter, Event.MAIL_FAILED, now, detail=detail)
                        if letter.kind is LetterKind.MY_DATA:
                            _drop(session, letter, row)
                    case Meaning.HOLD_ALL if failure.reason.startswith(_ABOUT_A_LETTER):
                        # Should it be about this one after all, the next probes are others'.
                        letter.tries += 1
                        letter.due_at = now + _aside(letter.tries)
                    case Meaning.HOLD_ALL:
                        pass


def _drop(session: Session, letter: Letter, row: Subscription) -> None:
    """A letter that nobody needs, or that proves nothing, goes; and an address that was there for it alone."""
    session.delete(letter)
    session.flush()
    stands_there(row, row.audience, None)


def _log(
    session: Session,
    row: Subscription,
    letter: Letter,
    event: Event,
    now: datetime,
    detail: str | None = None,
) -> None:
    ledger.append(
        session,
        ref=letter.ref,
        round=letter.round,
        event=event,
        at=now,
        detail=detail,
        # A link to one's own data is about no consent.
        wording=None if letter.kind is LetterKind.MY_DATA else letter.wording,
        commitment=commitment_of(row),
    )


def _kind_told(letter: Letter, error: str | None = None) -> str | None:
    """A ledger row's detail: what kind of letter it was, if not the usual one, and what went wrong."""
    kind = None if letter.kind is LetterKind.CONFIRMATION else str(letter.kind)
    return ": ".join(filter(None, (kind, error)))[:64] or None
