"""What people, staff and the worker ask for: one function each, committed before it returns.

Each meets a person, asks the table through `Person.act`, and leaves the rest to it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from newsletter import (
    clock,
    config,
    erasures,
    ledger,
    quota,
    retention,
    rows,
    tokens,
    under_way,
    wording,
)
from newsletter.address import Address
from newsletter.config import Locale
from newsletter.database import is_sqlite, lock, reading, writing
from newsletter.errors import BlockedHard, CannotCorrect, NobodyKnown, OutdatedLink, WrittenTooOften
from newsletter.lifecycle import Action, Decision, Event, Reason, Status, too_soon
from newsletter.models import Erasure, Letter, Subscription
from newsletter.person import (
    OPEN,
    Person,
    digest_of,
    keep_address,
    keep_bare_block,
    meet,
    meet_by_ref,
)
from newsletter.quota import Counted
from newsletter.tokens import Link, Purpose
from newsletter.wording import ConsentText


@dataclass(frozen=True)
class OpenRequest:
    """What the confirmation page shows: the text agreed to, and until when."""

    consent: ConsentText
    expires_at: datetime | None
    is_confirmed: bool


@dataclass(frozen=True)
class Consent:
    """What the person who confirmed is told."""

    reference: str
    confirmed_at: datetime
    language: Locale
    unsubscribe_url: str
    receipt_url: str | None  #: none once the confirmation is an hour old


@dataclass(frozen=True)
class Departure:
    """What the person who left is told."""

    left_at: datetime
    proof_until: date


def sign_up(address: Address, consent: ConsentText) -> None:
    """Somebody, perhaps its owner, typed this address into a form that showed this text."""
    with writing() as session:
        _ask(meet(session, address), consent)


def _ask(person: Person, consent: ConsentText, *, in_any_case: bool = False) -> Decision:
    """Ask an address's owner, unless they were written too many letters of late.

    `in_any_case`: they then stand as if asked, without a letter.
    """
    counted = quota.that_count(person.digest, person.letters, person.now)
    is_too_soon = too_soon(person.standing, counted.times, person.now)
    with rows.together(person.session):
        decision = person.act(
            Action.SIGN_UP,
            too_soon=is_too_soon and not in_any_case,
            consent=consent,
            counts_on=None if is_too_soon else counted,
        )
        if not decision.changes:
            _work_as_if(person, consent, writes_letter=not decision.tells_way_back)
        quota.write(person.session, counted, person.now)
    return decision


def _work_as_if(person: Person, consent: ConsentText, *, writes_letter: bool) -> None:
    """Do in vain, for nobody, what a sign-up does: the time of an answer must not tell either."""
    nobody = Person(person.session, secrets.token_bytes(32), person.address, None)
    counts_on = Counted(nobody.digest) if writes_letter else None
    with rows.in_vain(person.session):
        nobody.act(Action.SIGN_UP, consent=consent, counts_on=counts_on)


def open_request(link: Link) -> OpenRequest:
    """Look at what a confirmation link asks for, changing nothing; raise OutdatedLink."""
    with reading() as session:
        row = session.get(Subscription, link.ref)
        if row is None:
            raise OutdatedLink
        is_confirmed = row.status is Status.CONFIRMED
        is_open = row.expires_at is not None and row.expires_at > clock.now() and not row.hold
        agreed = _agreed_in(session, link, row)
        if row.round != link.round or agreed is None or not (is_confirmed or is_open):
            raise OutdatedLink(row.locale)
        return OpenRequest(agreed, row.expires_at, is_confirmed)


def _agreed_in(session: Session, link: Link, row: Subscription) -> ConsentText | None:
    """The text that the link's letter carried; a link made before links named it may find only the row's."""
    letter = session.connection().execute(_LETTER, {"id": link.letter}).first()
    if letter is not None and letter.ref != row.ref:
        return None
    named = link.wording or (letter.wording if letter else row.wording)
    return wording.kept(session, named) if named else None


_LETTER = select(Letter.ref, Letter.wording).where(Letter.id == bindparam("id"))


def confirm(link: Link) -> Consent:
    """The address's owner pressed the button; raise OutdatedLink. Again: the same answer, nothing more."""
    with writing() as session:
        person = _meet_with_replaced(session, link.ref)
        if person is None or person.row is None:
            raise OutdatedLink(person.locale if person else None)
        row = person.row
        agreed = _agreed_in(session, link, row)
        if row.round != link.round or agreed is None:
            raise OutdatedLink(row.locale)
        with rows.together(session):
            decision = person.act(Action.CONFIRM, consent=agreed)
        if decision.changes and row.replaces_ref:
            if _agrees_to_replace(session, link, row):
                for replaced in _replaced_by(session, row.ref):
                    _block_rectified(session, replaced)
                row.follows_ref = row.replaces_ref
            row.replaces_ref = None
        if row.status is not Status.CONFIRMED:
            raise OutdatedLink(row.locale)
        # It is for who confirms, not for whoever comes across the letter later.
        is_fresh = person.now - row.since <= tokens.RECEIPT_HOLDS
        receipt = receipt_url(row) if is_fresh else None
        return Consent(row.ref, row.since, agreed.language, unsubscribe_url(row.ref), receipt)


def _agrees_to_replace(session: Session, link: Link, row: Subscription) -> bool:
    """Tell whether a confirmation is one of the correction, too, and not of the new address alone.

    Where staff or Mailchimp vouched for it, whatever letter was clicked is. Else only a letter is that was written
    since the newest correction of the old address: an earlier one, which its owner asked for themselves, said nothing
    of it, and whoever clicks it must not be bound to a stranger who named their address.
    """
    assert row.replaces_ref is not None  # noqa: S101 - tells mypy; there is somebody to replace
    if row.follows_ref == row.replaces_ref:
        return True
    written_at = session.scalar(select(Letter.written_at).where(Letter.id == link.letter))
    corrected = ledger.newest_of(session, row.replaces_ref, Event.RECTIFIED)
    return written_at is not None and corrected is not None and written_at >= corrected.at


def _meet_with_replaced(session: Session, ref: str) -> Person | None:
    """Meet somebody who is to replace others only while those are locked, too."""
    person = meet_by_ref(session, ref)
    if is_sqlite() or person is None or person.row is None or person.row.replaces_ref is None:
        return person
    session.rollback()
    lock_family(session, ref)
    return meet_by_ref(session, ref)


def _block_rectified(session: Session, ref: str) -> None:
    """An address that was corrected is blocked when the new one is confirmed."""
    old = meet_by_ref(session, ref)
    if old is not None and old.row is not None:
        old.act(Action.BLOCK, reason=Reason.RECTIFIED)


def _replaced_by(session: Session, ref: str) -> list[str]:
    """Whom a confirmation blocks: the predecessor, and whom that one was to replace, and so on."""
    refs = [ref]
    replaced = session.scalar(_REPLACED, {"ref": ref})
    while replaced is not None and replaced not in refs:
        refs.append(replaced)
        replaced = session.scalar(_REPLACED, {"ref": replaced})
    return refs[1:]


_REPLACED = select(Subscription.replaces_ref).where(Subscription.ref == bindparam("ref"))


def family_of(session: Session, row: Subscription) -> list[str]:
    """The other rows of a person whose address was corrected, before and after."""
    return sorted(_family(session, row.ref).keys() - {row.ref})


def _family(session: Session, *refs: str) -> dict[str, bytes]:
    """People and all rows they are bound to by corrections: each one's digest by its reference."""
    family: dict[str, bytes] = {}
    seen: set[str] = set()
    fresh = set(refs)
    while fresh:
        seen |= fresh
        kin = session.connection().execute(_KIN, {"refs": sorted(fresh)}).all()
        family |= {each.ref: each.digest for each in kin}
        bound = {each.follows_ref for each in kin if each.follows_ref is not None}
        fresh = (family.keys() | bound) - seen
    return family


_KIN = select(Subscription.ref, Subscription.digest, Subscription.follows_ref).where(
    or_(
        Subscription.follows_ref.in_(bindparam("refs", expanding=True)),
        Subscription.ref.in_(bindparam("refs", expanding=True)),
    )
)


def lock_family(session: Session, ref: str) -> None:
    """Lock somebody, their family and whom they replace, in an order that nobody crosses; at a transaction's start."""
    locked: set[bytes] = set()
    while not is_sqlite() and not (wanted := _to_lock(session, ref)) <= locked:
        if locked:
            # Somebody joined the family while we waited: let go of all, and begin again with them.
            session.rollback()
        lock(session, *wanted)
        locked = wanted


def _to_lock(session: Session, ref: str) -> set[bytes]:
    # No row is read whole: what is read before it is locked would be taken for how it stands then.
    return set(_family(session, ref, *_replaced_by(session, ref)).values())


def unsubscribe_url(ref: str) -> str:
    """The link that ends a subscription: the same in every round."""
    return tokens.url_for(Purpose.UNSUBSCRIBE, Link(ref, 0))


def receipt_url(row: Subscription) -> str:
    """Where a person gets the receipt of their present consent; the link holds for an hour."""
    return tokens.url_for(Purpose.RECEIPT, Link(row.ref, row.round))


def disown(link: Link, *, and_block: bool) -> Departure | None:
    """The address's owner says the sign-up was not theirs; nothing is said where nothing is left of it.

    Where it stood confirmed it is forgotten only in part: they leave, and the proof is kept.
    """
    with writing() as session:
        person = meet_by_ref(session, link.ref)
        if person is None or person.row is None or person.row.round != link.round:
            return None
        was_confirmed = person.row.status is Status.CONFIRMED
        person.act(Action.DISOWN, and_block=and_block)
        return _departure(person) if was_confirmed else None


def stands_confirmed(link: Link) -> bool:
    """Tell whether the sign-up behind a link was confirmed, and still is."""
    with reading() as session:
        row = session.get(Subscription, link.ref)
        return row is not None and row.round == link.round and row.status is Status.CONFIRMED


def unsubscribe(link: Link) -> Departure | None:
    """The person leaves; the link holds in every round. None: nobody is there any more."""
    with writing() as session:
        person = meet_by_ref(session, link.ref)
        if person is None:
            return None
        person.act(Action.UNSUBSCRIBE)
        return _departure(person)


def _departure(person: Person) -> Departure | None:
    left_at = person.row.left_at if person.row else None
    if left_at is None:
        return None
    return Departure(left_at, retention.proof_until(left_at, config.current().zone))


def language_of(link: Link) -> Locale | None:
    """The language in which the person behind a link signed up; None where nobody is there any more."""
    with reading() as session:
        locale = session.scalar(select(Subscription.locale).where(Subscription.ref == link.ref))
    return None if locale is None else "en" if locale == "en" else "de"


def block(address: Address, reason: Reason, *, actor: str) -> None:
    """Staff block an address, by whatever channel they were asked; raise NobodyKnown."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None and reason is not Reason.STAFF:
            raise NobodyKnown
        person.act(Action.BLOCK, reason=reason, actor=actor)


def lift(address: Address, *, actor: str) -> None:
    """Staff make a hard block a soft one, so that its owner may sign up again; raise NobodyKnown."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None:
            raise NobodyKnown
        person.act(Action.LIFT, actor=actor)


def hold(address: Address, *, is_held: bool, actor: str) -> None:
    """Staff freeze a person's data (Art. 18 GDPR), or release it; again: nothing more. Raise NobodyKnown."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None:
            raise NobodyKnown
        person.hold(is_held=is_held, actor=actor)


def rectify(old: Address, new: Address, *, actor: str, is_proven: bool = True) -> None:
    """An address is corrected; the old one stands until the new one confirms.

    Raise NobodyKnown, CannotCorrect for whoever left, BlockedHard where only staff could let the new one in, or
    WrittenTooOften where it cannot be asked now. Unless it `is_proven` that both are one person's, the new one may be
    anybody's: nothing then tells where they stand, and both are bound to each other only by a confirmation of the
    correction.
    """
    with writing() as session:
        before, after = meet_both(session, old, new)
        if before.row is None:
            raise NobodyKnown
        if before.row.status not in (Status.PENDING, Status.CONFIRMED):
            raise CannotCorrect
        if old.key == new.key:
            # Only its spelling changed: the same person, the same mailbox.
            keep_address(before.row, new)
            note_rectified(before, actor=actor)
            return
        if is_proven:
            _refuse_unasked(after)
        note_rectified(before, actor=actor)
        if is_proven:
            succeed(before, after)
        else:
            _ask_perhaps_a_stranger(before, after)


def _refuse_unasked(new: Person) -> None:
    """Nobody is replaced by an address whose owner cannot be asked now; one who is confirmed needs no asking."""
    standing = new.standing
    if standing.status is Status.CONFIRMED:
        return
    if standing.is_hard(new.now) or standing.held:
        raise BlockedHard
    counted = quota.that_count(new.digest, new.letters, new.now)
    if too_soon(standing, counted.times, new.now):
        raise WrittenTooOften


def meet_both(session: Session, old: Address, new: Address) -> tuple[Person, Person]:
    """Meet two people, in an order that nobody else can cross."""
    lock(session, digest_of(old), digest_of(new))
    return meet(session, old), meet(session, new)


def note_rectified(old: Person, *, actor: str) -> None:
    """Write down that an address was corrected."""
    assert old.row is not None  # noqa: S101 - tells mypy; callers have looked
    ledger.append(
        old.session,
        ref=old.row.ref,
        round=old.row.round,
        event=Event.RECTIFIED,
        at=old.now,
        actor=actor,
    )


def succeed(old: Person, new: Person, *, in_any_case: bool = False) -> None:
    """Ask the new address's owner, as if they had signed up; one who is confirmed already needs no asking."""
    assert old.row is not None  # noqa: S101 - tells mypy; callers have looked
    if new.standing.status is Status.CONFIRMED:
        old.act(Action.BLOCK, reason=Reason.RECTIFIED)
        return
    _ask(new, wording.current_in(new.session, old.row.locale), in_any_case=in_any_case)
    if new.row is not None and new.row.status in OPEN:
        new.row.replaces_ref = new.row.follows_ref = old.row.ref


def _ask_perhaps_a_stranger(old: Person, new: Person) -> None:
    """Ask the new address's owner as a sign-up does: where that is a dash, the same is done in vain.

    One who is confirmed, blocked for good, on hold or written to of late is left alone, and so is the old one.
    """
    assert old.row is not None  # noqa: S101 - tells mypy; callers have looked
    decision = _ask(new, wording.current_in(new.session, old.row.locale))
    asked = new.row.ref if decision.changes and new.row else secrets.token_hex(16)
    new.session.connection().execute(_REPLACE, {"asked": asked, "replaced": old.row.ref})


#: A correction that staff or Mailchimp vouched for is not put aside by one that nobody did.
_REPLACE = (
    update(Subscription)
    .where(
        Subscription.ref == bindparam("asked"),
        or_(
            Subscription.replaces_ref.is_(None),
            Subscription.replaces_ref.is_distinct_from(Subscription.follows_ref),
        ),
    )
    .values(replaces_ref=bindparam("replaced"))
)


def expire(ref: str) -> None:
    """A request's end has come: forget it, or stand as before it."""
    with writing() as session:
        meet_by_ref(session, ref)  # meeting somebody ends a request that is over


def retire(ref: str, left_before: datetime) -> bool:
    """Retention ends what is kept of somebody who left; False where they did not, or not before that time."""
    with writing() as session:
        person = meet_by_ref(session, ref)
        row = person.row if person is not None else None
        # They may have come back, and left again, since they were looked for.
        if person is None or row is None or row.left_at is None or row.left_at >= left_before:
            return False
        request = under_way.find(session, row)
        decision = person.act(Action.RETIRE, actor=retention.ACTOR)
        if decision.asks_anew and request is not None:
            under_way.ask_anew(person, request)
        return decision.changes


def erase(address: Address, *, actor: str, keep_block: bool) -> str:
    """Forget somebody here at once and, from now on, at Mailchimp; the id of the erasure.

    While one is under way it is the same one again, after whatever came to stand beside it is gone, too.
    """
    with writing() as session:
        digest = digest_of(address)
        known = session.scalar(select(Subscription.ref).where(Subscription.digest == digest))
        if known is not None:
            lock_family(session, known)
        person = meet(session, address)
        refs = family_of(session, person.row) if person.row else []
        met = (meet_by_ref(session, ref) for ref in refs)
        relatives = [relative for relative in met if relative is not None and relative.row]
        people = [person, *relatives]
        shared = erasures.together(session, [each.digest for each in people])
        for each in people:
            each.erased_with = shared
        for relative in relatives:
            relative.act(Action.ERASE, actor=actor, keep_block=keep_block)
        return begin_erasure(person, actor=actor, keep_block=keep_block).id


def begin_erasure(person: Person, *, actor: str, keep_block: bool) -> Erasure:
    """Forget one person, or take up the erasure that is under way."""
    erasure = erasures.find_open(person.session, person.digest)
    if erasure is not None and erasure.keep_block and _is_bare(person.row):
        return erasure
    if erasure is None or person.row is not None:
        person.act(Action.ERASE, actor=actor, keep_block=keep_block)
        # Nobody finds it by the digest where a digest was all there was: then it is gone by now.
        erasure = person.erasure
    elif keep_block:
        erasure.keep_block = True
        # Once more, so that the next checkpoint is due at once and names the block: a restored backup keeps it, too.
        ledger.append(
            person.session, ref=erasure.ref, event=Event.ERASED, at=person.now, actor=actor
        )
        keep_bare_block(person, person.standing)
    person.session.flush()
    assert erasure is not None  # noqa: S101 - tells mypy; erasing has just begun one
    return erasure


def _is_bare(row: Subscription | None) -> bool:
    """Tell whether a block is all that is left, and its address only a digest."""
    return row is not None and row.address is None
