"""Takes the people of a file over, in batches.

Each batch is one transaction, which also records how far the file is taken: the next run for the same file goes on
where one was killed, and reports what one run would have. Nobody is written to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import WrongPassphrase
from newsletter.domain.lifecycle import Event, TakeOver
from newsletter.ledger import restored
from newsletter.storage import jobs, statements
from newsletter.storage.database import lock, writing
from newsletter.storage.keys import passphrase
from newsletter.storage.keys.signing import canonical
from newsletter.storage.models import Erasure, Job, Subscription
from newsletter.subscriptions import takeover
from newsletter.subscriptions.importing import exported, formats, table
from newsletter.subscriptions.importing.entry import Entry, Refused, Why
from newsletter.subscriptions.importing.exported import Lines
from newsletter.subscriptions.importing.formats import Format
from newsletter.subscriptions.importing.report import Fate, Report
from newsletter.subscriptions.importing.table import Table
from newsletter.subscriptions.person import Person, Unknown, digest_of, known_by
from newsletter.subscriptions.quota import Quota
from newsletter.subscriptions.transition import act

#: On SQLite, which has one writer, a sign-up waits for a batch.
BATCH = 200

Watch = Callable[[Report], None]


@dataclass(frozen=True)
class Upload:
    """A file that was read and can be taken."""

    table: Table | Lines
    format: Format


def read(
    file: BinaryIO,
    name: str,
    *,
    is_subscribed: bool = False,
    ask_passphrase: Callable[[], str] | None = None,
) -> Upload:
    """Read a file that was opened in binary mode; raise UnreadableFile, or WrongPassphrase if it is encrypted."""
    if passphrase.is_encrypted(file):
        if ask_passphrase is None:
            raise WrongPassphrase
        file = passphrase.decrypting(file, ask_passphrase())
    if exported.is_one(file):
        return Upload(exported.read(file, PurePath(name).name), exported.READING)
    read = table.read(file, PurePath(name).name)
    return Upload(read, formats.of(read, is_subscribed=is_subscribed))


def take(
    upload: Upload,
    *,
    actor: str,
    without_proof: bool = False,
    dry_run: bool = False,
    watch: Watch = lambda _: None,
) -> Report:
    """Take everybody in a file over; `dry_run`: change nothing, and report what would become of each row."""
    restored.check()
    run = _Run(upload, actor, without_proof=without_proof)
    report = Report()
    rows = upload.table.rows()
    while batch := list(islice(rows, BATCH)):
        report = run.try_out(batch, report) if dry_run else run.take(batch)
        watch(report)
    if not dry_run:
        run.end()
    return report


class _Run:
    def __init__(self, upload: Upload, actor: str, *, without_proof: bool) -> None:
        self._upload = upload
        self._actor = actor
        self._without_proof = without_proof
        self._file_name = hashlib.sha256(upload.table.name.encode()).hexdigest()
        options = f"{upload.table.digest} {upload.format.title} {without_proof}"
        self._job = f"import {hashlib.sha256(options.encode()).hexdigest()[:40]}"
        #: Whom a run that changes nothing met in its earlier batches: the first octets of digests.
        self._tried: set[bytes] = set()

    def take(self, batch: Sequence[tuple[int, dict[str, Any]]]) -> Report:
        """Take a batch, unless an earlier run did; the report so far."""
        with writing() as session:
            job = jobs.row(session, self._job)
            report = Report.taken_back(json.loads(job.cursor)) if job.cursor else Report()
            if report.done < batch[-1][0]:
                self._take(session, batch, report)
                job.cursor = json.dumps(report.kept())
            return report

    def try_out(self, batch: Sequence[tuple[int, dict[str, Any]]], report: Report) -> Report:
        """Report what would become of a batch."""
        with writing() as session:
            people = self._take(session, batch, report)
            session.rollback()
        self._tried |= {digest[:8] for digest in people}
        return report

    def end(self) -> None:
        """Forget how far the file was taken, since all of it was."""
        with writing() as session:
            session.execute(delete(Job).where(Job.name == self._job))

    def _take(
        self, session: Session, batch: Sequence[tuple[int, dict[str, Any]]], report: Report
    ) -> dict[bytes, Person]:
        read = list(self._entries(batch))
        people = _lock(session, [entry for _, entry in read if isinstance(entry, Entry)])
        erased, met = _being_erased(session, people), set[bytes]()
        with statements.in_bulk(session):
            for number, entry in read:
                if isinstance(entry, Why):
                    report.note(number, entry)
                elif (digest := digest_of(entry.address)) in erased:
                    report.note(number, Why.ERASED)
                else:
                    # Of several rows for one address, the first counts.
                    is_first = digest not in met and digest[:8] not in self._tried
                    met.add(digest)
                    taken = self._take_one(people[digest], number, entry) if is_first else None
                    report.note(number, taken or Fate.KNOWN)
        report.done = batch[-1][0]
        return people

    def _entries(
        self, batch: Sequence[tuple[int, dict[str, Any]]]
    ) -> Iterator[tuple[int, Entry | Why]]:
        now = clock.now()
        for number, row in batch:
            try:
                entry = self._upload.format.entry(row, now)
            except Refused as refused:
                yield number, refused.why
            else:
                is_refused = entry.is_without_proof and not self._without_proof
                yield number, Why.NO_TIME if is_refused else entry

    def _take_one(self, person: Person, number: int, entry: Entry) -> Fate:
        if isinstance(person, Unknown):
            person.locale = entry.language
        outcome = act(person, self._action(number, entry), actor=self._actor)
        return _fate(outcome.decision.event, entry)

    def _action(self, number: int, entry: Entry) -> TakeOver:
        proof = [takeover.WITHOUT_PROOF] if entry.is_without_proof else []
        is_consent = entry.reason is None or entry.stated is not None
        return TakeOver(
            entry.reason,
            entry.left_at,
            entry.at_mailchimp,
            entry.is_held,
            origin=": ".join([entry.origin, *proof]),
            evidence=canonical(self._evidence(number, entry)).decode() if is_consent else "",
            kept_since=entry.kept_since,
        )

    def _evidence(self, number: int, entry: Entry) -> dict[str, str | int | None]:
        """What was stated, and where; what an export of our own passes on stays as it is."""
        if entry.stated is not None:
            return {
                **entry.stated,
                takeover.EXPORT_FILE: self._upload.table.digest,
                takeover.EXPORT_ROW: number,
            }
        return {
            "origin": entry.origin,
            "confirmed_at": rfc3339(entry.confirmed_at) if entry.confirmed_at else None,
            "requested_at": rfc3339(entry.requested_at) if entry.requested_at else None,
            "source": entry.source,
            "note": entry.note,
            "file": self._upload.table.digest,
            "file_name": self._file_name,
            "row": number,
        }


def _fate(event: Event | None, entry: Entry) -> Fate:
    match event:
        case None:
            return Fate.KNOWN
        case Event.BLOCKED:
            return Fate.BLOCKED_NOW
        case _ if entry.reason is not None:
            return Fate.BLOCKED
        case _:
            return Fate.WITHOUT_PROOF if entry.is_without_proof else Fate.CONFIRMED


def _lock(session: Session, entries: Sequence[Entry]) -> dict[bytes, Person]:
    """Lock the addresses, and read who they belong to, with one query for all."""
    addresses = {digest_of(entry.address): entry.address for entry in entries}
    lock(session, *addresses)
    query = select(Subscription).where(Subscription.digest.in_(addresses)).with_for_update()
    rows = {row.digest: row for row in session.scalars(query)}
    now = clock.now()
    people: dict[bytes, Person] = {}
    for digest, address in addresses.items():
        if digest in rows:
            people[digest] = known_by(session, rows[digest], address)
        else:
            quota = Quota(session, digest, address, now)
            people[digest] = Unknown(
                session=session, digest=digest, address=address, now=now, quota=quota
            )
    return people


def _being_erased(session: Session, people: dict[bytes, Person]) -> set[bytes]:
    query = select(Erasure.digest).where(Erasure.digest.in_(people))
    return {digest for digest in session.scalars(query) if digest is not None}
