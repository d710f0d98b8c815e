"""One person while something is done to them: found, locked, and changed by `_apply()` alone.

Status, ledger row and letter are born in one transaction here and cannot disagree.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.orm import Session

from newsletter import clock, config, erasures, keyring, ledger, rows
from newsletter.address import Address
from newsletter.database import lock, lock_by_ref
from newsletter.lifecycle import (
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
)
from newsletter.models import Letter, LetterKind, Quota, Subscription
from newsletter.quota import Counted
from newsletter.wording import ConsentText

ADDRESS_COLUMN = "subscription.address"
EVIDENCE_COLUMN = "letter.evidence"
OPEN = frozenset({Status.PENDING, Status.RETURNING})

# Built once, as they are asked for whatever anybody does.
_BY_DIGEST = (
    select(Subscription).where(Subscription.digest == bindparam("digest")).with_for_update()
)
_BY_REF = select(Subscription).where(Subscription.ref == bindparam("ref")).with_for_update()
_LETTERS = select(Quota.letters).where(Quota.digest == bindparam("digest"))
_DROP_ROUND = delete(Letter).where(
    Letter.ref == bindparam("of"), Letter.round == bindparam("closed")
)
_DROP_WAITING = delete(Letter).where(
    Letter.ref == bindparam("whose"),
    Letter.sent_at.is_(None),
    Letter.failed_at.is_(None),
    # One that is being sent at this moment is settled by who sends it.
    or_(Letter.leased_until.is_(None), Letter.leased_until <= bindparam("now")),
)


@dataclass
class Person:
    """Somebody, known (with a row) or not. `address` is None where only its digest is left."""

    session: Session
    digest: bytes
    address: Address | None
    row: Subscription | None
    letters: list[list[str]] = field(default_factory=list)  #: as Quota has them
    now: datetime = field(default_factory=clock.now)
    #: What whoever was found reads, even if their request turns out to be over.
    locale: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.locale = self.row.locale if self.row else None

    @property
    def standing(self) -> Standing:
        """Where they stand, as the table wants to know it."""
        row = self.row
        return NOBODY if row is None else Standing(row.status, row.reason, row.left_at, row.hold)

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
            and_block=and_block,
        )
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


def meet(session: Session, address: Address) -> Person:
    """Find somebody by address and let nobody else act on them; a request past its end is over first."""
    digest = digest_of(address)
    lock(session, digest)
    row = session.scalar(_BY_DIGEST, {"digest": digest})
    letters = session.connection().execute(_LETTERS, {"digest": digest}).scalar()
    return _arrive(Person(session, digest, address, row, letters or []))


def digest_of(address: Address) -> bytes:
    """What an address is recognised by."""
    return keyring.current().digest(address)


def meet_by_ref(session: Session, ref: str) -> Person | None:
    """Find somebody by reference, likewise; None if nobody is there any more."""
    lock_by_ref(session, ref)
    row = session.scalar(_BY_REF, {"ref": ref})
    return None if row is None else _arrive(Person(session, row.digest, address_of(row), row))


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
    return Address.as_held(
        keyring.current().decrypt(row.address, ref=row.ref, column=ADDRESS_COLUMN)
    )


def keep_address(row: Subscription, address: Address) -> None:
    """Put an address into its row, encrypted."""
    row.address = keyring.current().encrypt(address.text, ref=row.ref, column=ADDRESS_COLUMN)


def stands_there(row: Subscription, place: There, address: Address | None) -> None:
    """Write down where somebody stands at Mailchimp, and keep the address just as long as it is needed.

    A block that has no consent to prove, and that Mailchimp knows nothing of, needs its digest alone; whoever
    names the address again puts it back for as long as Mailchimp may know it.
    """
    row.audience = place
    is_bare = row.status is Status.BLOCKED and row.confirmed_round is None
    if is_bare and place is There.ABSENT:
        row.address = None
    elif row.address is None and address is not None:
        keep_address(row, address)


def commitment_of(row: Subscription, address: Address | None = None) -> bytes | None:
    """What binds a ledger row to this person; None where there is no nonce to bind with."""
    address = address or address_of(row)
    return ledger.commitment(row.nonce, address) if row.nonce and address else None


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
    row.expires_at = _end(person.now) if decision.status in OPEN else None
    if decision.status is Status.CONFIRMED:
        row.confirmed_round, row.left_at = row.round, None
    if not is_new:
        _close_round(person, row, before)
    if decision.status is Status.BLOCKED and row.confirmed_round is None:
        row.nonce = row.wording = None
    stands_there(row, row.audience, person.address)
    if is_new:
        rows.insert(person.session, row)
    else:
        rows.update(person.session, row)
    if decision.writes_letter and agreed is not None and counts_on is not None:
        if not is_new:
            _drop_waiting_letters(person, row)
        _write_letter(person, row, agreed, counts_on)


def _enter(person: Person, decision: Decision) -> Subscription:
    row = Subscription(
        ref=secrets.token_hex(16),
        digest=person.digest,
        status=decision.status,
        round=1,
        since=person.now,
        locale=config.current().default_locale,
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
    ledger.append(
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
        _drop_waiting_letters(person, row)
    if not leaves(before, row.status):
        return
    if row.confirmed_round != row.round:
        rows.delete(session, _DROP_ROUND, of=row.ref, closed=row.round)
    if before is not Status.RETURNING:
        row.left_at = person.now
    row.round += 1
    row.replaces_ref = None
    if row.audience is There.REFUSED:
        row.audience = There.ABSENT


def _drop_waiting_letters(person: Person, row: Subscription) -> None:
    rows.delete(person.session, _DROP_WAITING, whose=row.ref, now=person.now)


def _forget(person: Person, decision: Decision, *, actor: str | None, keep_block: bool) -> None:
    """Delete the row and all that hangs on it; Mailchimp forgets, too, where it may know the person."""
    session, row, standing = person.session, person.row, person.standing
    ref = _log(person, decision, actor, row, wording=row.wording if row else None)
    is_erased = decision.event is Event.ERASED
    if is_erased or (row is not None and row.audience is not There.ABSENT):
        erasure = erasures.begin(
            session,
            ref=ref,
            digest=person.digest,
            address=person.address,
            actor=actor or "retention",
            now=person.now,
            settles_at=row.audience_settles_at if row else None,
        )
        keep_block = erasure.keep_block = erasure.keep_block or keep_block or decision.keeps_block
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


def _write_letter(person: Person, row: Subscription, wording_hash: str, counts_on: Counted) -> None:
    id_ = secrets.token_hex(16)
    domain = urlsplit(config.current().public_url).hostname or "localhost"
    evidence = json.dumps({"message_id": f"<{secrets.token_hex(16)}@{domain}>"})
    rows.append(
        person.session,
        Letter,
        id=id_,
        ref=row.ref,
        round=row.round,
        kind=LetterKind.CONFIRMATION,
        wording=wording_hash,
        written_at=person.now,
        due_at=person.now,
        tries=0,
        evidence=keyring.current().encrypt(evidence, ref=id_, column=EVIDENCE_COLUMN),
    )
    counts_on.count(id_, person.now)
