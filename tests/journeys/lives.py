"""Random lives in one database: people who sign up, confirm, leave, come back and are erased as chance has it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path

import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import select

from newsletter.domain import clock as our_clock
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Event, MailchimpStatus, Status
from newsletter.ledger import log
from newsletter.ledger.verifying import Verification
from newsletter.storage import database
from newsletter.storage.database import reading
from newsletter.storage.models import Erasure, LedgerRow, Letter, Subscription, db
from newsletter.subscriptions.person import digest_of
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.people import JSON, ask_staff, link_in, sign_up, standing_of, webhook

ACTS = (
    "signs_up",
    "confirms",
    "leaves",
    "leaves_at_mailchimp",
    "says_that_it_was_not_me",
    "complains",
    "is_erased",
    "is_erased_but_for_a_block",
)
#: Most people confirm.
LIFE = st.lists(st.sampled_from([*ACTS, "signs_up", "confirms", "confirms"]), max_size=5)
STREET = st.lists(LIFE, min_size=8, max_size=16)


@dataclass
class Town:
    """The people, what they do, and what was known of those who were erased."""

    app: Flask
    mailbox: Mailbox
    mailchimp: StandIn
    worker: Worker
    clock: time_machine.Traveller
    people: list[str] = field(default_factory=list)
    #: What must be nowhere any more: by person, everything that the database held of them and nobody else.
    forgotten: dict[str, set[bytes]] = field(default_factory=dict)

    @property
    def client(self) -> FlaskClient:
        """A browser, or a program."""
        return self.app.test_client()

    def comes(self) -> str:
        """Somebody whom nobody has heard of."""
        self.people.append(f"Life.{len(self.people):04d}@example.org")
        return self.people[-1]

    def does(self, person: str, act: str) -> None:
        """Have somebody do something, a second after whatever was before."""
        self.clock.shift(1)
        getattr(self, act)(person)

    def signs_up(self, person: str) -> None:
        """Type the address into the form."""
        assert sign_up(self.client, person).status_code == 202

    def confirms(self, person: str) -> None:
        """Press the button behind the newest letter, whatever became of the request."""
        if letters := self.mailbox.letters_to(person):
            answer = self.client.post(link_in(letters[-1].message), headers=JSON)
            assert answer.status_code in (200, 410)

    def leaves(self, person: str) -> None:
        """Leave by our link, as the success page has it."""
        if letters := self.mailbox.letters_to(person):
            shown = self.client.post(link_in(letters[-1].message), headers=JSON).get_json()
            if link := shown.get("unsubscribe"):
                path = link.removeprefix("http://localhost:8000")
                assert self.client.post(path).status_code == 200

    def leaves_at_mailchimp(self, person: str) -> None:
        """Leave by Mailchimp's link, which tells us."""
        if standing_of(self.mailchimp, person) == "subscribed":
            self.mailchimp.unsubscribes(person)
        self._tells(person, data_action="unsub", data_reason="manual")

    def complains(self, person: str) -> None:
        """Press the mail program's button for spam."""
        if standing_of(self.mailchimp, person) == "subscribed":
            self.mailchimp.unsubscribes(person)
        self._tells(person, data_action="unsub", data_reason="abuse")

    def says_that_it_was_not_me(self, person: str) -> None:
        """Follow the newest letter's other link."""
        if letters := self.mailbox.letters_to(person):
            path = link_in(letters[-1].message, "not-me")
            assert self.client.post(path, headers=JSON).status_code == 200

    def is_erased(self, person: str) -> None:
        """Ask staff to be forgotten."""
        self._remember_what_is_held(person)
        assert ask_staff(self.client, "erasures", person).status_code == 202

    def is_erased_but_for_a_block(self, person: str) -> None:
        """Ask staff to be forgotten, and never written again."""
        self._remember_what_is_held(person)
        assert ask_staff(self.client, "erasures", person, keep_block=True).status_code == 202

    def works(self) -> None:
        """The worker has run."""
        self.worker.drain()

    def settles(self) -> None:
        """Some days go by, in which everything that waits is done and Mailchimp's questions are answered."""
        for _ in range(3):
            for hour in (1, 1, 22):
                self.clock.shift(timedelta(hours=hour))
                self.works()
            for person in self.people:
                if standing_of(self.mailchimp, person) == "pending":
                    self.mailchimp.confirms_at_mailchimp(person)
                    self._tells(person, type_="subscribe")

    def row_of(self, person: str) -> Subscription | None:
        """What the database holds."""
        with reading() as session:
            digest = digest_of(Address.parse(person))
            return session.scalar(select(Subscription).where(Subscription.digest == digest))

    def _tells(self, person: str, type_: str = "unsubscribe", **fields: str) -> None:
        fields |= {"data_list_id": self.mailchimp.list_id, "data_email": person}
        fired_at = f"{our_clock.now():%Y-%m-%d %H:%M:%S}"
        answer = webhook(self.client, type=type_, fired_at=fired_at, **fields)
        assert answer.status_code == 204

    def _remember_what_is_held(self, person: str) -> None:
        known = self.forgotten.setdefault(person, set())
        with self.app.app_context():
            row = self.row_of(person)
            if row is None:
                return
            known.update(filter(None, (row.address, row.nonce)))
            with reading() as session:
                letters = select(Letter).where(Letter.ref == row.ref)
                for letter in session.scalars(letters):
                    known.update((letter.evidence, letter.id.encode()))

    def traces_of(self, person: str) -> set[bytes]:
        """What must be nowhere any more, unless they came back; the same in every spelling."""
        address = Address.parse(person)
        md5 = hashlib.md5(address.key.encode()).hexdigest()
        named = {person.encode(), address.key.encode(), md5.encode()}
        return named | self.forgotten[person]


class Lives(RuleBasedStateMachine):
    """People who come and go as chance has it."""

    town: Town
    streets = Bundle("streets")

    @rule(target=streets, lives=STREET)
    def a_street_lives(self, lives: list[list[str]]) -> list[str]:
        """New people sign up, and then do this and that, side by side."""
        street = [self.town.comes() for _ in lives]
        self._live(street, [["signs_up", *life] for life in lives])
        return street

    @rule(street=streets, lives=STREET)
    def a_street_goes_on(self, street: list[str], lives: list[list[str]]) -> None:
        """People who were here before do more."""
        self._live(street, lives)

    @rule(hours=st.integers(1, 100))
    def time_passes(self, hours: int) -> None:
        """Links end, retries come due."""
        self.town.clock.shift(timedelta(hours=hours))

    def _live(self, street: list[str], lives: list[list[str]]) -> None:
        for acts in zip_longest(*lives):
            for person, act in zip(street, acts, strict=False):
                if act is not None:
                    self.town.does(person, act)
            self.town.works()


def live(town: Town, lives: int, examples: int) -> None:
    """Have at least so many people live, by a chance that is the same each time; then let all of it settle."""
    run_state_machine_as_test(
        type("Machine", (Lives,), {"town": town}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            derandomize=True,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(town.people) >= lives
    town.settles()


def tell_one_story(town: Town) -> None:
    """Assert that database, ledger and Mailchimp tell the same of everybody, and nothing of the erased."""
    assert differing(town) == []
    assert traces(town) == []
    assert wrong_in_ledger() is None
    # That all of it has happened is what makes it worth anything.
    statuses = {row.status if row else None for row in map(town.row_of, town.people)}
    assert statuses >= {None, Status.CONFIRMED, Status.BLOCKED}
    assert len(town.forgotten) > len(town.people) / 10


def wrong_in_ledger() -> str | None:
    verification = Verification()
    while verification.step():
        pass
    assert verification.checked > 0
    return str(verification.fault) if verification.fault else None


def differing(town: Town) -> list[str]:
    """Everybody of whom database, ledger and Mailchimp do not tell the same."""
    found = []
    for person in town.people:
        row = town.row_of(person)
        status, there = (row.status if row else Status.UNKNOWN), standing_of(town.mailchimp, person)
        told = told_by_ledger(row.ref) if row else Status.UNKNOWN
        if told is not status or not agrees(town, person, row, there):
            place = row.audience if row else None
            found.append(f"{person}: {status} {place} here, {told} in the ledger, {there} there")
    return found


def agrees(town: Town, person: str, row: Subscription | None, there: str | None) -> bool:
    if row is None:
        return there is None
    if row.status is not Status.CONFIRMED:
        return there in (None, "unsubscribed", "cleaned")
    if row.audience is MailchimpStatus.REFUSED:
        return person in town.forgotten
    return (row.audience, there) == (MailchimpStatus.SUBSCRIBED, "subscribed")


def told_by_ledger(ref: str) -> Status:
    """Where somebody stands, read from what has happened alone."""
    status = Status.UNKNOWN
    with reading() as session:
        for row in log.events_of(session, ref):
            status = after(status, row)
    return status


def after(status: Status, row: LedgerRow) -> Status:
    match row.event:
        case Event.SIGNUP:
            return (
                Status.PENDING if status in (Status.UNKNOWN, Status.PENDING) else Status.RETURNING
            )
        case Event.CONFIRMED:
            return Status.CONFIRMED
        case Event.BLOCKED | Event.LIFTED:
            return Status.BLOCKED
        case Event.DISOWNED | Event.EXPIRED:
            return Status.UNKNOWN if status is Status.PENDING else Status.BLOCKED
        case Event.ERASED:
            return Status.UNKNOWN
        case _:
            return status


def traces(town: Town) -> list[str]:
    """Of whom something is left that ought to be nowhere: in a row, or in SQLite's files."""
    with reading() as session:
        assert all(erasure.completed_at for erasure in session.scalars(select(Erasure)))
    gone = [person for person in town.forgotten if town.row_of(person) is None]
    assert gone
    kept = everything_kept()
    return [
        f"{person}: {trace!r}"
        for person in gone
        for trace in (*town.traces_of(person), digest_of(Address.parse(person)))
        if trace in kept
    ]


def everything_kept() -> bytes:
    """All values of all rows, and on SQLite its files, octet by octet."""
    kept = [
        repr_of(value) for table in db.metadata.sorted_tables for value in values_in(table.name)
    ]
    file = database.file()
    if file is not None:
        db.engine.dispose()
        kept += [path.read_bytes() for path in Path(file.parent).glob(f"{file.name}*")]
    return b"\n".join(kept)


def values_in(table: str) -> Iterator[object]:
    with reading() as session:
        for row in session.execute(select(db.metadata.tables[table])):
            yield from row


def repr_of(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
