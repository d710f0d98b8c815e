"""Each letter is sent once, and none is lost, whatever the mail server does.

What depends on SQL runs on both databases: leases, counts, holds, waits.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from newsletter.app import create_app
from newsletter.config import load
from newsletter.storage import jobs, notices
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Letter, Subscription, db
from newsletter.worker.mail import leases
from newsletter.worker.mail import postman as postman_module
from newsletter.worker.mail.conversation import Patience
from newsletter.worker.mail.postman import Postman
from newsletter.worker.mail.smtp import SlowReply, SmtpPostbox, postbox_for
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from tests.conftest import Clock, Drain, Join, both_databases
from tests.people import ADA, GRACE, HEDY, STAFF, ask_staff, events_of, link_in, said_by, sign_up

MINUTE = timedelta(minutes=1)
IMPATIENT = Patience(prompt=0.1)


def reasons(client: FlaskClient) -> str:
    return str(said_by(client.get("/ready", headers=STAFF))["reasons"])


@both_databases
def test_a_sign_up_brings_one_letter_and_a_record_of_it(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)

    drain()
    drain()

    [letter] = mailbox.letters
    assert letter.recipients == ("Ada@example.org",)
    assert events_of(client, ADA) == ["signup", "mail_sent"]


@pytest.mark.requires("R35")
@pytest.mark.parametrize("reply", ["450 4.2.1 later", "421 4.3.0 closing", None])
def test_a_temporary_refusal_is_retried_within_seconds(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock, reply: str | None
) -> None:
    mailbox.answer_next("rcpt", reply)
    sign_up(client, ADA)
    drain()
    assert not mailbox.letters

    clock.shift(5)
    drain()

    assert len(mailbox.letters) == 1
    assert events_of(client, ADA) == ["signup", "mail_sent"]


@both_databases
def test_a_letter_that_keeps_failing_waits_at_most_twice_as_long_each_time_up_to_an_hour(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("rcpt", "451 4.3.0 try again", times=100)
    sign_up(client, ADA)
    waits = []
    for _ in range(14):
        drain()
        waits.append(_wait(app))
        clock.shift(waits[-1])

    longest = [timedelta(seconds=min(5 * 2**tries, 3600)) for tries in range(14)]
    assert [wait for wait, limit in zip(waits, longest, strict=True) if wait > limit] == []


def _wait(app: Flask) -> timedelta:
    from newsletter.domain import clock as house_clock

    with app.app_context(), reading() as session:
        letter = session.scalars(select(Letter)).one()
        return letter.due_at - house_clock.now()


@pytest.mark.requires("R35")
@pytest.mark.parametrize(
    ("stage", "reply"),
    [("rcpt", "550 5.1.1 unknown user"), ("rcpt", "552 5.2.2 full"), ("data", "550 5.1.1 unknown")],
)
def test_a_personal_refusal_is_final_and_frees_the_quota(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock, stage: Any, reply: str
) -> None:
    mailbox.answer_next(stage, reply, match_recipient=ADA)
    sign_up(client, ADA)
    sign_up(client, GRACE)
    drain()
    clock.shift(3600)
    drain()

    assert [letter.recipients for letter in mailbox.letters] == [(GRACE,)]
    assert events_of(client, ADA) == ["signup", "mail_failed"]
    sign_up(client, ADA)
    drain()
    assert events_of(client, ADA) == ["signup", "mail_failed", "signup", "mail_sent"]


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("mail", "530 5.7.0 authenticate first"),
        ("mail", "550 5.4.5 daily limit exceeded"),
        ("mail", "452 4.3.1 insufficient system storage"),
        ("rcpt", "530 5.7.0 authenticate first"),
    ],
)
def test_a_refusal_of_us_all_holds_everything_and_uses_nothing_up(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock, stage: Any, reply: str
) -> None:
    mailbox.answer_next(stage, reply)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    drain()
    assert not mailbox.letters
    assert "mail on hold" in reasons(client)

    clock.shift(30)
    drain()

    assert len(mailbox.letters) == 3
    assert "mail on hold" not in reasons(client)
    assert events_of(client, ADA) == ["signup", "mail_sent"]


#: From servers that mean the sender, the relay or a policy, at RCPT and at the end of DATA.
AMBIGUOUS: list[tuple[Any, str]] = [
    ("rcpt", "550 relay not permitted"),
    ("rcpt", "550 5.1.0 Sender address rejected"),
    ("rcpt", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
    ("rcpt", "550 5.4.5 Daily sending limit exceeded"),
    ("rcpt", "503 requires authentication"),
    ("rcpt", "554 blocked"),
    ("rcpt", "554 5.7.1 Access denied"),
    ("data", "554 5.2.252 SendAsDenied"),
    ("data", "550 5.1.8 bad outbound sender"),
    ("data", "554 5.7.1 looks like spam"),
]


@pytest.mark.parametrize(("stage", "reply"), AMBIGUOUS)
def test_a_refusal_that_may_be_about_us_is_retried_and_stops_no_other_letter(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock, stage: Any, reply: str
) -> None:
    mailbox.answer_next(stage, reply, times=4, match_recipient=ADA)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    drain()
    assert [letter.recipients[0] for letter in mailbox.letters] == [GRACE, HEDY]
    assert "mail on hold" not in reasons(client)

    for minutes in (0.5, 1, 2, 4):
        drain()
        assert len(mailbox.letters) == 2
        clock.shift(minutes * MINUTE)
    drain()

    assert events_of(client, ADA) == ["signup", "mail_sent"]
    assert "mail on hold" not in reasons(client)


def test_a_letter_that_is_always_refused_is_retried_until_the_request_ends(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("rcpt", "554 5.7.1 access denied", times=1000)
    sign_up(client, ADA)
    waits = []
    for _ in range(12):
        drain()
        waits.append(_wait(app))
        clock.shift(waits[-1])

    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=1)
    clock.shift(timedelta(days=7))
    drain()
    with app.app_context(), reading() as session:
        assert session.scalars(select(Letter)).all() == []


def test_a_letter_that_answers_no_open_request_is_tried_for_fourteen_days(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, join: Join, clock: Clock
) -> None:
    join(ADA)
    mailbox.answer_next("rcpt", "554 5.7.1 access denied", times=1000)
    clock.shift(timedelta(days=2))
    client.post("/my-data", data={"email": ADA})
    drain()
    clock.shift(timedelta(days=13))
    drain()
    assert "mail_failed" not in events_of(client, ADA)

    clock.shift(timedelta(days=1, hours=1))
    drain()

    assert events_of(client, ADA)[-1] == "mail_failed"


def sign_up_everywhere(client: FlaskClient, *names: str) -> list[str]:
    """Somebody at a domain of their own for each name."""
    people = [f"{name}@{name}.example.org" for name in names]
    for person in people:
        assert sign_up(client, person).status_code == 202
    return people


@both_databases
def test_three_domains_refused_in_a_row_hold_everything_until_one_letter_is_taken(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("rcpt", "554 5.7.1 relay access denied", times=5)
    people = sign_up_everywhere(client, "a", "b", "c", "d", "e", "f")
    drain()
    assert "mail on hold: rcpt 554 5.7.1" in reasons(client)

    for _ in range(3):
        clock.shift(30)
        drain()

    # Two probes were refused; the third, a letter never refused before, was not.
    assert "mail on hold" not in reasons(client)
    clock.shift(MINUTE)
    drain()
    assert {letter.recipients[0] for letter in mailbox.letters} == set(people)
    assert events_of(client, people[0]) == ["signup", "mail_sent"]


def test_two_domains_that_refuse_again_and_again_cause_no_hold(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    for person in sign_up_everywhere(client, "a", "b"):
        mailbox.answer_next("rcpt", "554 5.7.1 access denied", times=1000, match_recipient=person)
    for _ in range(20):
        drain()
        assert "mail on hold" not in reasons(client)
        clock.shift(30)


def test_a_hold_for_refused_letters_ends_also_without_new_sign_ups(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("rcpt", "554 5.7.1 relay access denied", times=4)
    sign_up_everywhere(client, "a", "b", "c")
    drain()
    for _ in range(2):
        assert "mail on hold" in reasons(client)
        clock.shift(30)
        drain()

    assert "mail on hold" not in reasons(client)


@pytest.mark.parametrize("domains", [1, 3, 19])
def test_nineteen_refused_recipients_delay_another_by_at_most_half_a_minute(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock, domains: int
) -> None:
    for number in range(19):
        person = f"internal{number}@d{number % domains}.example.org"
        mailbox.answer_next("rcpt", "554 5.7.1 Access denied", times=1000, match_recipient=person)
        sign_up(client, person)
    drain()
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
        for _ in range(4):
            drain()
            if mailbox.letters_to(person):
                break
            clock.shift(10)

        assert mailbox.letters_to(person)
        clock.shift(MINUTE)
        drain()


@both_databases
def test_a_hold_is_probed_every_thirty_seconds_by_one_letter(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("mail", "550 5.7.1 blocked", times=100)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    drain()
    before = mailbox.connections
    for _ in range(60):
        clock.shift(1)
        drain()

    assert mailbox.connections - before <= 4


def test_no_letter_is_lost_while_the_mail_server_is_down(
    environ: dict[str, Any], mailbox: Mailbox, clock: Clock
) -> None:
    port = int(mailbox.smtp_url.rsplit(":", 1)[1])
    app = create_app(load(environ))
    worker = Worker(app)
    mailbox.stop()
    sign_up(app.test_client(), ADA)
    worker.drain()

    mailbox.start(port)
    clock.shift(30)
    worker.drain()

    assert len(mailbox.letters) == 1
    worker.close()
    with app.app_context():
        db.engine.dispose()


def test_a_wrong_password_holds_the_mail_until_it_is_mended(
    environ: dict[str, Any], clock: Clock
) -> None:
    with Mailbox(auth=("muster", "right")) as guarded:
        place = guarded.smtp_url.rpartition("@")[2]
        urls = [f"smtp://muster:{word}@{place}?starttls=never" for word in ("wrong", "right")]
        wrong, right = (create_app(load({**environ, "SMTP_URL": url})) for url in urls)
        sign_up(wrong.test_client(), ADA)
        Worker(wrong).drain()
        assert not guarded.letters

        mended = Worker(right)
        mended.drain()

        # A worker that has just started probes at once.
        assert len(guarded.letters) == 1
        mended.close()
    for app in (wrong, right):
        with app.app_context():
            db.engine.dispose()


def test_a_letter_without_its_request_is_not_sent(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    ask_staff(client, "erasures", ADA)

    drain()

    assert not mailbox.letters


def test_a_second_letter_is_not_sent_after_the_confirmation(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    drain()
    clock.shift(11 * MINUTE)
    sign_up(client, ADA)
    client.post(link_in(mailbox.letters[0].message))
    drain()

    assert len(mailbox.letters) == 1


def test_sign_ups_during_an_outage_bring_one_letter_when_it_ends(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("mail", "550 5.7.1 blocked")
    sign_up(client, ADA)
    drain()
    clock.shift(11 * MINUTE)
    sign_up(client, ADA)
    drain()

    assert len(mailbox.letters) == 1


def test_a_held_person_gets_no_letter_until_released(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    hold(app, True)
    drain()
    assert not mailbox.letters

    hold(app, False)
    drain()

    assert len(mailbox.letters) == 1


def hold(app: Flask, is_held: bool) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(hold=is_held))


class Meanwhile(SmtpPostbox):
    """A mail server during whose yes, or right before it can say so, something else happens."""

    def __init__(self, inner: Any, after: Callable[[], object], *, before: bool = False) -> None:
        self._inner = inner
        self._meanwhile = after
        self._is_before = before

    def send(self, message: Any, may_finish: Callable[[], bool]) -> str | SlowReply:
        def later() -> bool:
            if self._is_before:
                self._meanwhile()
            return may_finish()

        reply: str | SlowReply = self._inner.send(message, later)
        if not self._is_before:
            self._meanwhile()
        return reply

    def close(self) -> None:
        self._inner.close()


@both_databases
def test_an_erasure_beats_a_letter_in_flight(
    app: Flask, client: FlaskClient, mailbox: Mailbox
) -> None:
    sign_up(client, ADA)
    inner = postbox_for(app.extensions["settings"])
    postman = Postman([Meanwhile(inner, lambda: ask_staff(client, "erasures", ADA))], "me")
    with app.app_context():
        postman.step()
    postman.close()

    assert len(mailbox.letters) == 1
    with app.app_context(), reading() as session:
        assert session.scalars(select(Letter)).all() == []


@both_databases
def test_the_letter_of_a_killed_process_is_taken_over_within_thirty_seconds(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    take_and_die(app)
    drain()
    assert not mailbox.letters

    clock.shift(29)
    drain()

    assert len(mailbox.letters) == 1


def take_and_die(app: Flask) -> None:
    with app.app_context():
        assert leases.lease("dead", 1)


@both_databases
def test_a_heartbeat_keeps_a_letter_that_takes_its_time(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    inner = postbox_for(app.extensions["settings"])

    def meanwhile() -> None:
        for _ in range(6):
            clock.shift(jobs.LEASE / 2)
            slow.keep_lease()
        drain()

    slow = Postman([Meanwhile(inner, meanwhile)], "slow")
    with app.app_context():
        slow.step()
    slow.close()
    drain()

    assert len(mailbox.letters) == 1


@both_databases
def test_an_outcome_that_could_not_be_recorded_is_recorded_later_and_not_sent_again(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    inner = postbox_for(app.extensions["settings"])
    postman = Postman([Meanwhile(inner, lambda: rename("letter", "elsewhere"))], "me")
    with app.app_context():
        with pytest.raises(DBAPIError):
            postman.step()
        rename("elsewhere", "letter")
        clock.shift(jobs.LEASE / 2)
        postman.keep_lease()
        drain()
        postman.step()
    postman.close()

    assert len(mailbox.letters) == 1
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def rename(table: str, name: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def test_one_refused_recipient_does_not_hold_the_others(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("rcpt", "554 5.7.1 access denied", times=1000, match_recipient=ADA)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    for _ in range(4):
        drain()
        clock.shift(30)

    assert {letter.recipients[0] for letter in mailbox.letters} == {GRACE, HEDY}


def test_a_letter_that_may_have_arrived_waits_long_and_is_sent_at_most_three_times(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("data", None, times=100, keeps=True)
    sign_up(client, ADA)
    sent = []
    for _ in range(120):
        drain()
        sent.append(len(mailbox.letters))
        clock.shift(MINUTE)

    assert sent[14:16] == [1, 2]
    assert sent[44:46] == [2, 3]
    assert sent[-1] == 3
    assert len({letter.message["Message-ID"] for letter in mailbox.letters}) == 1
    assert events_of(client, ADA) == ["signup", "mail_failed"]


@both_databases
def test_each_copy_counts_as_a_letter_of_the_day(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("data", None, times=3, keeps=True)
    sign_up(client, ADA)
    for _ in range(60):
        drain()
        clock.shift(MINUTE)
    assert len(mailbox.letters) == 3

    sign_up(client, ADA)
    drain()
    assert len(mailbox.letters) == 3

    clock.shift(timedelta(hours=24))
    sign_up(client, ADA)
    drain()
    assert len(mailbox.letters) == 4


@both_databases
def test_where_the_day_is_full_a_copy_waits_for_the_next(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    for _ in range(2):
        sign_up(client, ADA)
        drain()
        clock.shift(11 * MINUTE)
    mailbox.answer_next("data", None, keeps=True)
    sign_up(client, ADA)
    for _ in range(60):
        drain()
        clock.shift(MINUTE)
    assert len(mailbox.letters) == 3

    clock.shift(timedelta(hours=23))
    drain()

    assert len(mailbox.letters) == 4


def test_a_copy_that_is_taken_ends_it(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("data", None, keeps=True)
    sign_up(client, ADA)
    drain()
    clock.shift(15 * MINUTE)
    drain()
    clock.shift(timedelta(days=1))
    drain()

    assert len(mailbox.letters) == 2
    assert events_of(client, ADA) == ["signup", "mail_sent"]


@both_databases
def test_a_refusal_at_the_end_leaves_no_copy_behind(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("data", "451 4.3.0 later", times=8)
    sign_up(client, ADA)
    for _ in range(60):
        drain()
        clock.shift(MINUTE)

    assert len(mailbox.letters) == 1
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def test_staff_are_told_of_letters_with_unknown_outcome(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("data", None, keeps=True)
    sign_up(client, ADA)
    drain()

    with app.app_context():
        [notice] = notices.current()
        assert notice.code is notices.Code.MAIL_OUTCOME_UNKNOWN
        assert notice.detail == "network"
        clock.shift(timedelta(days=1))
        assert notices.current() == []


def test_a_worker_that_was_stopped_before_the_final_dot_does_not_double_the_letter(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    inner = postbox_for(app.extensions["settings"])

    def stopped() -> None:
        clock.shift(40)
        drain()
        assert len(mailbox.letters) == 1

    postman = Postman([Meanwhile(inner, stopped, before=True)], "stopped")
    with app.app_context():
        postman.step()
    postman.close()
    drain()

    assert len(mailbox.letters) == 1
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def test_a_slow_last_reply_holds_no_other_letter(
    app: Flask, client: FlaskClient, mailbox: Mailbox
) -> None:
    answers = mailbox.stall("data", match_recipient=ADA)
    sign_up(client, ADA)
    sign_up(client, GRACE)
    postman = Postman([postbox_for(app.extensions["settings"], patience=IMPATIENT)], "me")
    with app.app_context():
        while postman.step():
            pass
        assert [letter.recipients for letter in mailbox.letters] == [(GRACE,)]
        answers.set()
        postman.finish()
    postman.close()

    assert events_of(client, ADA) == events_of(client, GRACE) == ["signup", "mail_sent"]
    assert len(mailbox.letters) == 2


def test_a_worker_that_is_to_end_gives_a_slow_reply_up_with_its_outcome_unknown(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postman_module, "LAST_SECONDS", 0.1)
    answers = mailbox.stall("data")
    sign_up(client, ADA)
    postman = Postman([postbox_for(app.extensions["settings"], patience=IMPATIENT)], "me")
    with app.app_context():
        postman.step()
        postman.hurry()
        monkeypatch.setattr(postman_module, "LAST_SECONDS", 30.0)
        postman.finish()
        with reading() as session:
            letter = session.scalars(select(Letter)).one()
    postman.close()
    answers.set()

    assert (letter.copies, letter.leased_by, letter.error) == (1, None, "timeout")
    for minutes, copies in ((14, 0), (1, 1)):
        clock.shift(minutes * MINUTE)
        drain()
        assert len(mailbox.letters) == copies


def test_a_due_time_or_a_lease_from_a_clock_that_was_wrong_keeps_no_letter(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    clock.shift(timedelta(hours=1))
    sign_up(client, ADA)
    take_and_die(app)
    clock.shift(-timedelta(hours=1))
    drain()

    assert len(mailbox.letters) == 1


@both_databases
def test_one_letter_that_cannot_be_written_does_not_stop_the_rest(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    sign_up(client, GRACE)
    with app.app_context(), writing() as session:
        first = session.scalars(select(Letter).order_by(Letter.due_at)).first()
        assert first is not None
        first.evidence = b"damaged"
    drain()

    assert [letter.recipients for letter in mailbox.letters] == [(GRACE,)]


def test_without_a_mail_server_letters_become_files(
    environ: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = create_app(load({**environ, "SMTP_URL": ""}))
    sign_up(app.test_client(), ADA)
    Worker(app).drain()

    [file] = (tmp_path / "var/mail").glob("*.eml")
    assert b"To: Ada@example.org" in file.read_bytes()
    assert "ada" not in file.name.lower()
    with app.app_context():
        db.engine.dispose()
