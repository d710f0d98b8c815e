"""The mailbox, spoken to by the standard library's SMTP client."""

from __future__ import annotations

import smtplib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.mailbox import Mailbox
from tests.people import ADA, GRACE
from tests.sandbox.letters import connected, port_of, send


def test_a_letter_arrives_with_its_envelope(mailbox: Mailbox) -> None:
    send(mailbox, ADA)

    letter = mailbox.letters[0]
    assert (letter.sender, letter.recipients) == ("newsletter@example.com", (ADA,))
    assert letter.message["Subject"] == "Bitte bestätigen"
    assert letter.message.get_content() == "Guten Tag,\n.\nhttps://example.com/confirm/abc\n"
    assert letter.raw.startswith(b"From: ")
    assert letter.at.tzinfo is not None


def test_letters_are_found_by_address_whatever_its_case(mailbox: Mailbox) -> None:
    send(mailbox, ADA)
    send(mailbox, GRACE)

    assert mailbox.letters_to(ADA.upper()) == mailbox.letters[:1]


def test_waiting_ends_when_enough_have_come(mailbox: Mailbox) -> None:
    with ThreadPoolExecutor(2) as pool:
        pool.submit(send, mailbox, ADA)
        pool.submit(send, mailbox, GRACE)

        assert mailbox.wait_for(2)
        assert mailbox.wait_for(lambda: mailbox.letters_to(GRACE))


def test_waiting_ends_with_an_error_when_nothing_comes(mailbox: Mailbox) -> None:
    with pytest.raises(TimeoutError, match="after 0 letters"):
        mailbox.wait_for(1, timeout=0.01)


def test_a_connection_can_be_refused_at_once(mailbox: Mailbox) -> None:
    mailbox.answer_next("connect", "421 4.3.2 Too busy")

    with pytest.raises(smtplib.SMTPConnectError) as raised:
        send(mailbox, ADA)
    assert raised.value.smtp_code == 421


def test_a_sender_can_be_refused(mailbox: Mailbox) -> None:
    mailbox.answer_next("mail", "550 5.7.1 Not you")

    with pytest.raises(smtplib.SMTPSenderRefused):
        send(mailbox, ADA)


def test_one_recipient_can_be_refused_and_the_others_not(mailbox: Mailbox) -> None:
    mailbox.answer_next("rcpt", "550 5.1.1 Unknown", match_recipient=ADA.lower())

    send(mailbox, GRACE)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(mailbox, ADA)
    assert [letter.recipients for letter in mailbox.letters] == [(GRACE,)]


def test_a_letter_can_be_refused(mailbox: Mailbox) -> None:
    mailbox.answer_next("data", "451 4.3.0 Later", match_recipient=ADA)

    with pytest.raises(smtplib.SMTPDataError):
        send(mailbox, ADA)
    assert mailbox.letters == []


def test_a_scripted_reply_is_used_up(mailbox: Mailbox) -> None:
    mailbox.answer_next("data", "451 4.3.0 Later", times=2)
    for _ in range(2):
        with pytest.raises(smtplib.SMTPDataError):
            send(mailbox, ADA)

    send(mailbox, ADA)

    assert len(mailbox.letters) == 1


def test_a_scripted_250_accepts_the_letter(mailbox: Mailbox) -> None:
    mailbox.answer_next("data", "250 2.0.0 Queued as 4711")

    with connected(mailbox) as client:
        client.ehlo()
        client.mail("newsletter@example.com")
        client.rcpt(ADA)
        reply = client.data(b"Subject: x\r\n\r\nx\r\n")

    assert reply == (250, b"2.0.0 Queued as 4711")
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize("stage", ["connect", "mail", "rcpt", "data"])
def test_it_can_hang_up_at_any_stage(mailbox: Mailbox, stage: str) -> None:
    mailbox.answer_next(stage, None)  # type: ignore[arg-type]  # every parameter is a Stage

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(mailbox, ADA)
    assert mailbox.letters == []


def test_it_can_take_a_letter_and_hang_up(mailbox: Mailbox) -> None:
    mailbox.answer_next("data", None, keeps=True)

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(mailbox, ADA)
    assert len(mailbox.letters) == 1


def test_it_can_stall_until_it_is_released(mailbox: Mailbox) -> None:
    stalled = mailbox.stall("data")
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send, mailbox, ADA)
        mailbox.wait_for(lambda: mailbox.connections)
        was_silent = not sent.done()
        stalled.set()

    assert was_silent
    assert len(mailbox.letters) == 1


def test_a_client_who_hangs_up_in_a_stall_does_no_harm(mailbox: Mailbox) -> None:
    stalled = mailbox.stall("rcpt")
    with pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError)):
        send(mailbox, ADA, timeout=0.05)
    stalled.set()

    send(mailbox, ADA)

    assert len(mailbox.letters) == 1


def test_stopping_ends_a_stall_and_every_connection() -> None:
    mailbox = Mailbox()
    mailbox.start()
    mailbox.stall("mail")
    with ThreadPoolExecutor(1) as pool, connected(mailbox) as idle:
        waiting = pool.submit(send, mailbox, ADA)
        mailbox.wait_for(lambda: mailbox.connections == 2)
        mailbox.stop()

        assert isinstance(waiting.exception(), smtplib.SMTPException)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            idle.noop()


def test_it_can_be_started_again_with_its_letters(mailbox: Mailbox) -> None:
    send(mailbox, ADA)
    mailbox.stop()
    mailbox.start()
    send(mailbox, GRACE)

    assert len(mailbox.letters) == 2


def test_a_taken_port_is_known_at_once(mailbox: Mailbox) -> None:
    with pytest.raises(OSError, match="in use"):
        Mailbox().start(port_of(mailbox))


def test_without_being_started_it_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = Mailbox().smtp_url


def test_nothing_of_a_letter_is_logged(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    send(mailbox, ADA)

    assert ADA not in caplog.text


def test_a_mailbox_serves_several_at_once(mailbox: Mailbox) -> None:
    threads = [threading.Thread(target=send, args=(mailbox, ADA)) for _ in range(8)]
    for thread in threads:
        thread.start()

    mailbox.wait_for(8)

    for thread in threads:
        thread.join()
    assert len(mailbox.letters_to(ADA)) == 8
