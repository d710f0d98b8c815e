"""One person while something is done to them: found, locked, and changed by `_apply()` alone.

Status, ledger row and letter are born in one transaction here and cannot disagree.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session, object_session

from newsletter import config
from newsletter.domain import clock, periods
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import (
    NOBODY,
    Action,
    Decision,
    Event,
    Reason,
    Standing,
    Status,
    There,
    decide,
    leaves,
    told_of_late,
    too_many,
)
from newsletter.ledger import log
from newsletter.storage import statements
from newsletter.storage.database import lock, lock_by_ref
from newsletter.storage.keys import keyring
from newsletter.storage.models import Erasure, LetterKind, Quota, Subscription
from newsletter.subscriptions import erasures, quota
from newsletter.subscriptions import letters as correspondence
from newsletter.subscriptions.quota import Counted
from newsletter.subscriptions.wording import ConsentText

ADDRESS_COLUMN = "subscription.address"
OPEN = frozenset({Status.PENDING, Status.RETURNING})

# Built once, as they are asked for whatever anybody does.
_BY_DIGEST = (
    select(Subscription).where(Subscription.digest == bindparam("digest")).with_for_update()
)
_BY_REF = select(Subscription).where(Subscription.ref == bindparam("ref")).with_for_update()


@dataclass
class Person:
    """Somebody, known (with a row) or not. `address` is None where only its digest is left."""

    session: Session
    digest: bytes
    address: Address | None
    row: Subscription | None
    letters: list[list[str]] = field(default_factory=list)  #: as Quota has them
    told_at: datetime | None = None  #: when the way back to Mailchimp was told last
    now: datetime = field(default_factory=clock.now)
    erased_with: str | None = None  #: what their erasure shares with those begun together with it
    erasure: Erasure | None = None  #: the one that was begun or taken up by what was done here
    #: What whoever was found reads, even if their request turns out to be over.
    locale: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.locale = self.row.locale if self.row else None

    @property
    def standing(self) -> Standing:
        """Where they stand, as the table wants to know it."""
        return NOBODY if self.row is None else standing_of(self.row, self.now)

    @property
    def has_way_back(self) -> bool:
        """Tell whether there is a form of Mailchimp's own to be told of, and they were not told of late."""
        is_known = config.current().mailchimp_signup_url is not None
        return is_known and not told_of_late(self.told_at, self.now)

    def act(
        self,
        action: Action,
        *,
        reason: Reason | None = None,
        too_soon: bool = False,
        and_block: bool = False,
        keep_block: bool = False,
        consent: ConsentText | None = None,
        counts_on: Counted | None = None,
        actor: str | None = None,
    ) -> Decision:
        """Do what the table says for this action; a dash does nothing.

        A letter is written only where there is a quota that it `counts_on`.
        """
        decision = decide(
            self.standing,
            action,
            now=self.now,
            reason=reason,
            too_soon=too_soon,
            way_back=self.has_way_back,
            and_block=and_block,
        )
        if decision.tells_way_back and counts_on is not None:
            _tell_way_back(self, counts_on)
        if decision.changes:
            _apply(
                self,
                decision,
                consent=consent,
                counts_on=counts_on,
                actor=actor,
                keep_block=keep_block,
            )
        return decision

    def hold(self, *, is_held: bool, actor: str) -> None:
        """Freeze what others do with their data (Art. 18 GDPR), or let it go on; nothing where it stands so."""
        row = self.row
        assert row is not None  # noqa: S101 - tells mypy; callers have looked
        if row.hold is is_held:
            return
        row.hold = is_held
        # Another place at Mailchimp is wanted by now, and its turn is at once.
        row.audience_try_at, row.audience_tries = None, 0
        log.append(
            self.session,
            ref=row.ref,
            round=row.round,
            event=Event.HELD if is_held else Event.RELEASED,
            at=self.now,
            actor=actor,
            commitment=commitment_of(row, self.address),
        )


def meet(session: Session, address: Address) -> Person:
    """Find somebody by address and let nobody else act on them; a request past its end is over first."""
    digest = digest_of(address)
    lock(session, digest)
    row = session.scalar(_BY_DIGEST, {"digest": digest})
    letters, told_at = correspondence.written(session, digest, row.ref if row else None)
    return _arrive(Person(session, digest, address, row, letters, told_at))


def digest_of(address: Address) -> bytes:
    """What an address is recognised by."""
    return keyring.current().digest(address)


def meet_by_ref(session: Session, ref: str) -> Person | None:
    """Find somebody by reference, likewise; None if nobody is there any more."""
    lock_by_ref(session, ref)
    row = session.scalar(_BY_REF, {"ref": ref})
    return None if row is None else _arrive(Person(session, row.digest, address_of(row), row))


def standing_of(row: Subscription, now: datetime) -> Standing:
    """Where somebody stands, as the table wants to know it."""
    ended_before = periods.ended_before(now, config.current().zone) if row.left_at else None
    return Standing(
        row.status,
        row.reason,
        row.left_at,
        row.hold,
        there=row.audience,
        refused_as=row.audience_error,
        proof_has_ended=bool(row.left_at and ended_before and row.left_at < ended_before),
    )


def _arrive(person: Person) -> Person:
    # The clock decides, not the purge: whatever is asked now meets the person as they stand now.
    row = person.row
    if row is not None and row.expires_at is not None and row.expires_at <= person.now:
        person.act(Action.EXPIRE)
    return person


def address_of(row: Subscription) -> Address | None:
    """A row's address; None where only the digest was kept."""
    if row.address is None:
        return None
    return Address.kept(keyring.current().decrypt(row.address, ref=row.ref, column=ADDRESS_COLUMN))


def keep_address(row: Subscription, address: Address) -> None:
    """Put an address into its row, encrypted."""
    row.address = keyring.current().encrypt(address.text, ref=row.ref, column=ADDRESS_COLUMN)


def stands_there(row: Subscription, place: There, address: Address | None) -> None:
    """Write down where somebody stands at Mailchimp, and keep the address just as long as it is needed.

    A block that has no consent to prove, and that Mailchimp knows nothing of, needs its digest alone; whoever
    names the address again puts it back for as long as Mailchimp may know it, or a letter is to be sent.
    """
    row.audience = place
    is_bare = row.status is Status.BLOCKED and row.confirmed_round is None
    if is_bare and place is There.ABSENT and not _awaits_letter(row):
        row.address = None
    elif row.address is None and address is not None:
        keep_address(row, address)


def _awaits_letter(row: Subscription) -> bool:
    session = object_session(row)
    return session is not None and correspondence.my_data_waits(session, row.ref)


def commitment_of(row: Subscription, address: Address | None = None) -> bytes | None:
    """What binds a ledger row to this person; None where there is no nonce to bind with."""
    address = address or address_of(row)
    return log.commitment(row.nonce, address) if row.nonce and address else None


def _apply(
    person: Person,
    decision: Decision,
    *,
    consent: ConsentText | None = None,
    counts_on: Counted | None = None,
    actor: str | None = None,
    keep_block: bool = False,
) -> None:
    """Carry out a decision: the only place where a status changes."""
    if decision.status is Status.UNKNOWN:
        _forget(person, decision, actor=actor, keep_block=keep_block)
        return
    before, is_new = person.standing.status, person.row is None
    row = person.row or _enter(person, decision)
    if decision.status in OPEN:
        row.nonce = row.nonce or secrets.token_bytes(32)
    if consent is not None and (row.confirmed_round is None or decision.status not in OPEN):
        # Until they confirm again, the record names the text that they did agree to.
        row.wording, row.locale = consent.hash, consent.language
    agreed = consent.hash if consent else row.wording
    _log(person, decision, actor, row, wording=agreed)
    if decision.status is not before:
        row.status, row.since = decision.status, person.now
        row.audience_try_at, row.audience_tries, row.audience_error = None, 0, None
    row.reason = decision.reason
    if not decision.keeps_end:
        row.expires_at = _end(person.now) if decision.status in OPEN else None
    if decision.status is Status.CONFIRMED:
        row.confirmed_round, row.left_at = row.round, None
    if not is_new:
        _close_round(person, row, before)
    if decision.status is Status.BLOCKED and row.confirmed_round is None:
        row.nonce = row.wording = None
    stands_there(row, row.audience, person.address)
    if is_new:
        statements.insert(person.session, row)
    else:
        statements.update(person.session, row)
    if decision.writes_letter and agreed is not None and counts_on is not None:
        if not is_new:
            correspondence.drop_waiting(person.session, row, person.now)
        correspondence.write(
            person.session,
            row,
            LetterKind.CONFIRMATION,
            wording=agreed,
            counts_on=counts_on,
            now=person.now,
        )


def _enter(person: Person, decision: Decision) -> Subscription:
    row = Subscription(
        ref=secrets.token_hex(16),
        digest=person.digest,
        status=decision.status,
        round=1,
        since=person.now,
        locale=person.locale or config.current().default_locale,
        audience=There.ABSENT,
        audience_tries=0,
        hold=False,
    )
    if decision.status is Status.BLOCKED:
        row.left_at = person.now
    if person.address is not None:
        keep_address(row, person.address)
        if decision.status is Status.BLOCKED:
            # Staff shut out somebody unknown: Mailchimp may know them, and is asked.
            row.audience = There.UNKNOWN
    person.row = row
    return row


def _end(now: datetime) -> datetime:
    return now + timedelta(days=config.current().link_days)


def _log(
    person: Person,
    decision: Decision,
    actor: str | None,
    row: Subscription | None,
    *,
    wording: str | None,
) -> str:
    """Write down what has happened; return the reference it stands under, a new one for somebody unknown."""
    assert decision.event is not None  # noqa: S101 - tells mypy; a dash never comes here
    ref = row.ref if row else secrets.token_hex(16)
    log.append(
        person.session,
        ref=ref,
        round=row.round if row else None,
        event=decision.event,
        at=person.now,
        reason=decision.reason if decision.event is Event.BLOCKED else None,
        wording=wording,
        actor=actor,
        commitment=commitment_of(row, person.address) if row else None,
    )
    return ref


def _close_round(person: Person, row: Subscription, before: Status) -> None:
    """When somebody leaves, no link made before counts again, and what proves no consent goes."""
    session = person.session
    if row.status not in OPEN:
        correspondence.drop_waiting(session, row, person.now)
    if not leaves(before, row.status):
        return
    if row.confirmed_round != row.round:
        correspondence.drop_round(session, row)
    if before is not Status.RETURNING:
        row.left_at = person.now
    row.round += 1
    row.replaces_ref = None
    if row.audience is There.REFUSED:
        row.audience = There.ABSENT


def _forget(person: Person, decision: Decision, *, actor: str | None, keep_block: bool) -> None:
    """Delete the row and all that hangs on it; Mailchimp forgets, too, where it may know the person."""
    session, row, standing = person.session, person.row, person.standing
    ref = _log(person, decision, actor, row, wording=row.wording if row else None)
    is_erased = decision.event is Event.ERASED
    if is_erased or (row is not None and row.audience is not There.ABSENT):
        erasure = person.erasure = erasures.begin(
            session,
            ref=ref,
            digest=person.digest,
            address=person.address,
            actor=actor or "retention",
            now=person.now,
            settles_at=row.audience_settles_at if row else None,
            keep_block=keep_block or decision.keeps_block,
            begun_with=person.erased_with,
        )
        keep_block = erasure.keep_block
    if row is not None:
        session.delete(row)
    if is_erased:
        # Forgetting a request leaves the quota, so that nobody is written more by being forgotten.
        session.execute(delete(Quota).where(Quota.digest == person.digest))
    session.flush()
    person.row = None
    if is_erased and keep_block:
        keep_bare_block(person, standing)


def keep_bare_block(person: Person, standing: Standing) -> None:
    """Leave a block that is a digest alone: for the hard reason there was, else for staff's."""
    reason = standing.reason if standing.is_hard(person.now) and standing.reason else Reason.STAFF
    address, person.address = person.address, None
    _apply(person, Decision(Status.BLOCKED, reason, Event.BLOCKED))
    person.address = address


def tell_way_back(session: Session, row: Subscription) -> None:
    """Write at once to somebody whom Mailchimp refused, where only its own form can bring them back.

    For whoever writes the refusal down, in the same transaction, and holds the address's lock. The letter counts as
    any other and keeps to the three a day, but not to the ten minutes: it follows on the confirmation, and so
    mostly on a letter of ours.
    """
    letters, told_at = correspondence.written(session, row.digest, row.ref)
    person = Person(session, row.digest, None, row, letters, told_at)
    counted = quota.that_count(row.digest, letters, person.now)
    decision = decide(
        person.standing,
        Action.SIGN_UP,
        now=person.now,
        too_soon=too_many(counted.times, person.now),
        way_back=person.has_way_back,
    )
    if decision.tells_way_back:
        _tell_way_back(person, counted)
        quota.write(session, counted, person.now)


def _tell_way_back(person: Person, counts_on: Counted) -> None:
    row = person.row
    assert row is not None  # noqa: S101 - tells mypy; they confirmed
    assert row.wording is not None  # noqa: S101 - likewise
    correspondence.write(
        person.session,
        row,
        LetterKind.WAY_BACK,
        wording=row.wording,
        counts_on=counts_on,
        now=person.now,
    )
