"""One reconciliation: reads Mailchimp's audience, compares it with what is recorded here, and settles differences.

Nothing is settled before everything is compared, so that a wrong audience neither blocks nor adds everybody. It stops
at a limit of changes, at any change if the audience is another than the last time, and if most expected contacts are
missing. Memory only grows with the digests of people who are not found yet: 10 MB for 100,000 people, 99 MB for a
million (tracemalloc).
"""

from __future__ import annotations

from collections import deque
from datetime import datetime

from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.storage.keys import keyring
from newsletter.storage.runs.reconciliation import Scope, Stop
from newsletter.worker.mailchimp.listing import Listed, Listing, MailchimpMembers
from newsletter.worker.mailchimp.members import Member
from newsletter.worker.reconcile import known as knowledge
from newsletter.worker.reconcile.known import Known
from newsletter.worker.reconcile.report import Report
from newsletter.worker.reconcile.settle import Change, find, settle

FEWEST_TO_STOP = 50
PART_TO_STOP = 0.02
READ_AT_ONCE = 5000
SETTLED_AT_ONCE = 100
#: Fewer missing contacts prove nothing: two people may both have been deleted there.
FEWEST_TO_MISS = 3


class Reconciliation:
    """Steps of at most one call each. `may_exceed`: nothing stops it."""

    def __init__(
        self, mailchimp: MailchimpMembers, scope: Scope, *, may_exceed: bool = False
    ) -> None:
        self.scope = scope
        limit = 0 if scope.is_other_audience else limit_for(knowledge.how_many_settled())
        self.report = Report(scope.is_full, limit)
        self._mailchimp = mailchimp
        self._may_exceed = may_exceed
        self._listing = Listing(mailchimp, scope.since)
        self._unseen: set[bytes] = set()  #: digests of expected contacts that are not found yet
        self._last = b""  #: the digest after which the next ones are read
        self._sees_anybody = False  #: found a person who is recorded to be there, subscribed or not
        self._changes: dict[str, Change] = {}
        # Only a full walk finds who is missing.
        before, after = (
            ([self._expect], [self._search, self._stop_if_implausible])
            if scope.is_full
            else ([], [])
        )
        self._phases = deque([*before, self._walk, *after, self._settle])

    def step(self) -> bool:
        """Take a step; False: it has ended. Raise DeliveryFailure, after which the step can be repeated."""
        if self._may_exceed and self._changes:
            return self._settle_some()
        while self._phases:
            if self._phases[0]():
                return True
            self._phases.popleft()
            self._last = b""
        return False

    def _expect(self) -> bool:
        digests = knowledge.expected_digests(self._last, READ_AT_ONCE)
        self._unseen.update(digests)
        self.report.expected += len(digests)
        self._last = digests[-1] if digests else b""
        return bool(digests)

    def _walk(self) -> bool:
        asked_at = clock.now()
        page = self._listing.next_page()
        self.report.total = self._listing.total
        if page is None:
            return False
        contacts = self._by_digest(page)
        people = knowledge.by_digest(contacts)
        self.report.contacts += len(page)
        self.report.unknown += len(contacts) - len(people)
        for known in people:
            self._unseen.discard(known.digest)
            self._sees_anybody |= known.place in (
                MailchimpStatus.SUBSCRIBED,
                MailchimpStatus.UNSUBSCRIBED,
            )
            self._compare(known, *contacts[known.digest], asked_at)
        return True

    def _by_digest(self, page: list[Listed]) -> dict[bytes, tuple[Address, Member]]:
        digest_of, contacts = keyring.current().digest, {}
        for contact in page:
            try:
                address = Address.parse_leniently(contact.email)
            except InvalidAddress:
                self.report.unreadable += 1
                continue
            if contact.member is not None:
                contacts[digest_of(address)] = address, contact.member
        return contacts

    def _search(self) -> bool:
        """Compare the expected people who were not found."""
        if not self._unseen:
            return False
        people = knowledge.expected(self._last, READ_AT_ONCE)
        for known in people:
            if known.digest in self._unseen:
                self._compare(known, None, None, self.scope.began_at)
        self._last = people[-1].digest if people else b""
        return bool(people)

    def _compare(
        self, known: Known, address: Address | None, member: Member | None, asked_at: datetime
    ) -> None:
        change = find(known, address, member, asked_at, is_restored=self.scope.is_restored)
        if change is None or known.ref in self._changes:
            return
        if known.is_busy(asked_at):
            self.report.busy += 1
            return
        self.report.note(change.drift, known.ref)
        if self._may_exceed or self.report.changes <= self.report.limit:
            self._changes[known.ref] = change
        else:
            # Further changes are counted for staff, but not made.
            self._stop(Stop.AUDIENCE if self.scope.is_other_audience else Stop.LIMIT)

    def _stop_if_implausible(self) -> bool:
        """Stop if fewer than half of the expected contacts were found: it is probably the wrong audience."""
        report = self.report
        report.seen = report.expected - len(self._unseen)
        if not self._sees_anybody:
            report.expected = knowledge.how_many_there()
        is_implausible = report.expected >= FEWEST_TO_MISS and report.seen < report.expected / 2
        if is_implausible and report.changes and not self._may_exceed:
            self._stop(report.stopped if report.stopped is Stop.AUDIENCE else Stop.UNSEEN)
        return False

    def _stop(self, why: Stop) -> None:
        self.report.stopped = why
        self._changes.clear()

    def _settle(self) -> bool:
        return bool(self._changes) and self._settle_some()

    def _settle_some(self) -> bool:
        """Settle a batch of differences that need no call, or one that does."""
        for ref in list(self._changes)[:SETTLED_AT_ONCE]:
            change = self._changes[ref]
            self.report.note_end(change.drift, is_done=settle(self._mailchimp, change))
            del self._changes[ref]
            if change.needs_lookup:
                break
        return True


def limit_for(people: int) -> int:
    """The most changes that are made without confirmation, for so many confirmed or blocked people."""
    return max(FEWEST_TO_STOP, int(people * PART_TO_STOP))
