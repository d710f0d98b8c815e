"""The e-mail with a link to a person's own data, sent to their mailbox."""

from __future__ import annotations

import secrets

from newsletter import config
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import request_is_full
from newsletter.storage import statements
from newsletter.storage.database import writing
from newsletter.storage.models import LetterKind, Subscription
from newsletter.subscriptions import wording
from newsletter.subscriptions.person import Known, Person, keep_address, known_by, lock_person
from newsletter.subscriptions.quota import Quota
from newsletter.subscriptions.transition import expire_if_due


def send(address: Address) -> None:
    """Send the link, if the address is known.

    No e-mail is written to an unknown address, or to one that is blocked for good, restricted or at its limit. A decoy
    then sends the same statements: timing must not reveal known addresses (ADR 6).
    """
    with writing() as session:
        person = expire_if_due(lock_person(session, address))
        locale = person.row.locale if isinstance(person, Known) else config.current().default_locale
        consent = wording.current_in(session, locale)
        with statements.together(session):
            if isinstance(person, Known) and _may_be_written(person):
                _write(person, consent.hash)
            else:
                _write_decoy(person, consent.hash)
            person.quota.save()


def _may_be_written(person: Known) -> bool:
    if person.row.hold or person.standing.is_hard(person.now):
        return False
    sent = person.quota.sent()
    return not (request_is_full(person.standing, sent) or sent.within_pause_or_full(person.now))


def _write(person: Known, wording_hash: str) -> None:
    """Write the e-mail; if only a digest is stored, the address is stored again until the e-mail is settled."""
    if person.row.address is None and person.address is not None:
        keep_address(person.row, person.address)
        statements.update(person.session, person.row)
    person.write(LetterKind.MY_DATA, wording=wording_hash)


def _write_decoy(person: Person, wording_hash: str) -> None:
    session, digest = person.session, person.digest
    row = Subscription(ref=secrets.token_hex(16), round=1, digest=digest)
    nobody = known_by(session, row, person.address, Quota.empty(session, digest, person.now))
    with statements.decoy(session):
        _write(nobody, wording_hash)
