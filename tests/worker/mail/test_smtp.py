"""Letters over a real SMTP conversation with a server that plays a script."""

from __future__ import annotations

import base64
import os
import socket
import stat
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509

from newsletter.config import SmtpServer, load
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.texts.letters import Finished
from newsletter.worker.mail.conversation import Patience
from newsletter.worker.mail.folder import FolderPostbox
from newsletter.worker.mail.smtp import Postbox, SlowReply, SmtpPostbox, postbox_for
from tests.conftest import COMPANY
from tests.people import ADA, GRACE
from tests.worker.certificates import self_signed, server_side
from tests.worker.scripted_smtp import Act, Script, ScriptedSmtp

PASSWORD = "open-sesame"
WITH_TLS = "250-mail.example.com\r\n250-STARTTLS\r\n250 AUTH PLAIN"
#: Whether a server takes several commands at once (RFC 2920).
IN_TURN: Script = {}
TOGETHER: Script = {"EHLO": "250-mail.example.com\r\n250-PIPELINING\r\n250 AUTH PLAIN"}
WITHOUT_AUTH = "250 mail.example.com"
SHORT = Patience(connect=0.3, command=0.3, end=0.3)

HOLD_ALL, GIVE_UP_ONE, RETRY_LATER = Meaning.HOLD_ALL, Meaning.GIVE_UP_ONE, Meaning.RETRY_LATER


def letter(
    recipient: str = ADA, text: str = "Grüße\n.\nEnde\n", cte: str = "quoted-printable"
) -> Finished:
    message = EmailMessage()
    message["From"] = "Nöws <news@example.com>"
    message["To"] = recipient
    message["Subject"] = "Bitte bestätigen"
    message["Date"] = "Sun, 01 Mar 2026 23:00:00 +0000"
    message["Message-ID"] = "<1@example.com>"
    message.set_content(text, cte=cte)
    return Finished.of(message, "news@example.com", recipient)


@contextmanager
def postbox_at(
    server: ScriptedSmtp,
    *,
    scheme: str = "smtp",
    starttls: str = "never",
    password: str | None = None,
    patience: Patience | None = None,
) -> Iterator[SmtpPostbox]:
    who = "" if password is None else f"ada:{password}@"
    url = f"{scheme}://{who}127.0.0.1:{server.port}?starttls={starttls}"
    postbox = SmtpPostbox(SmtpServer.parse(url), helo="news.example.com", patience=patience)
    try:
        yield postbox
    finally:
        postbox.close()


def send(postbox: Postbox, letter: Finished) -> str:
    reply = postbox.send(letter, lambda: True)
    assert isinstance(reply, str)
    return reply


def failure_of(postbox: SmtpPostbox) -> DeliveryFailure:
    with pytest.raises(DeliveryFailure) as caught:
        send(postbox, letter())
    return caught.value


def in_short(failure: DeliveryFailure) -> tuple[Meaning, str, bool]:
    return failure.meaning, failure.reason, failure.outcome_unknown


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path)


def test_a_letter_goes_from_its_sender_to_its_recipient() -> None:
    with ScriptedSmtp() as server, postbox_at(server) as postbox:
        send(postbox, letter())

        assert server.commands == [
            "ehlo news.example.com",
            "MAIL FROM:<news@example.com>",
            f"RCPT TO:<{ADA}>",
            "DATA",
        ]


def test_the_reply_to_the_letter_is_returned_on_one_line() -> None:
    script: Script = {"END": "250-2.0.0 Ok:\r\n250 queued\tas 1"}

    with ScriptedSmtp(script) as server, postbox_at(server) as postbox:
        assert send(postbox, letter()) == "250 2.0.0 Ok: queued as 1"


def test_an_endless_reply_is_cut() -> None:
    with ScriptedSmtp({"END": "250 " + "x" * 60_000}) as server, postbox_at(server) as postbox:
        assert len(send(postbox, letter())) == 500


def test_a_letter_travels_in_ascii_with_crlf_and_stuffed_dots() -> None:
    with ScriptedSmtp() as server, postbox_at(server) as postbox:
        send(postbox, letter())

        (wire,) = server.letters
        assert wire.isascii()
        assert wire.count(b"\n") == wire.count(b"\r") == wire.count(b"\r\n")
        assert wire.endswith(b"\r\n\r\nGr=C3=BC=C3=9Fe\r\n..\r\nEnde\r\n")


def test_a_letter_composed_for_eight_bits_is_recoded() -> None:
    with ScriptedSmtp() as server, postbox_at(server) as postbox:
        send(postbox, letter(text="Grüße\n", cte="8bit"))

        assert server.letters[0].isascii()


LIMITED: list[Script] = [{"MAIL": Act.DRIP}, {"RCPT": Act.DRIP}, {"DATA": Act.DRIP}]


@pytest.mark.parametrize("script", LIMITED)
def test_a_server_that_drips_is_waited_for_no_longer_than_one_that_is_silent(
    script: Script,
) -> None:
    with ScriptedSmtp(script) as server, postbox_at(server, patience=SHORT) as postbox:
        assert in_short(failure_of(postbox)) == (RETRY_LATER, "timeout", False)


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "AUTH"])
def test_a_server_that_drips_before_the_sign_in_is_done_concerns_all_letters(step: str) -> None:
    with (
        ScriptedSmtp({step: Act.DRIP}) as server,
        postbox_at(server, password=PASSWORD, patience=SHORT) as postbox,
    ):
        assert in_short(failure_of(postbox)) == (HOLD_ALL, "timeout", False)


def test_a_conversation_has_one_deadline_however_many_steps_it_has() -> None:
    # Each step takes a third of what a step may take; all of them together are more than the whole may.
    slow: Script = dict.fromkeys(("GREETING", "EHLO", "MAIL", "RCPT", "DATA"), Act.SLOW)
    patience = Patience(connect=0.6, command=0.6, letter=0.7)

    with ScriptedSmtp(slow) as server, postbox_at(server, patience=patience) as postbox:
        assert failure_of(postbox).reason == "timeout"
        assert not server.letters


@pytest.mark.parametrize(
    ("step", "meaning", "unknown"),
    [("EHLO", HOLD_ALL, False), ("RCPT", RETRY_LATER, False), ("END", RETRY_LATER, True)],
)
def test_a_reply_without_end_is_not_read_to_the_end(
    step: str, meaning: Meaning, unknown: bool
) -> None:
    with ScriptedSmtp({step: Act.FLOOD}) as server, postbox_at(server) as postbox:
        assert in_short(failure_of(postbox)) == (meaning, "network", unknown)


def slow_reply(postbox: SmtpPostbox) -> SlowReply:
    reply = postbox.send(letter(), lambda: True)
    assert isinstance(reply, SlowReply)
    return reply


@pytest.mark.parametrize("act", [Act.SILENCE, Act.DRIP])
def test_the_last_reply_is_waited_for_until_its_own_deadline(act: Act) -> None:
    patience = Patience(prompt=0.05, end=0.3)

    with ScriptedSmtp({"END": act}) as server, postbox_at(server, patience=patience) as postbox:
        with pytest.raises(DeliveryFailure) as caught:
            slow_reply(postbox).wait()

        assert in_short(caught.value) == (RETRY_LATER, "timeout", True)
        assert len(server.letters) == 1


def test_a_late_last_reply_counts() -> None:
    patience = Patience(prompt=0.05)

    with (
        ScriptedSmtp({"END": Act.SLOW}) as server,
        postbox_at(server, patience=patience) as postbox,
    ):
        assert slow_reply(postbox).wait() == "250 2.0.0 Ok: queued as 1"


def test_while_a_last_reply_is_waited_for_the_next_letter_has_a_connection_of_its_own() -> None:
    patience = Patience(prompt=0.05)

    with (
        ScriptedSmtp({"END": Act.LEAVE_OPEN}, {}) as server,
        postbox_at(server, patience=patience) as postbox,
    ):
        reply = slow_reply(postbox)
        assert send(postbox, letter(GRACE)) == "250 2.0.0 Ok: queued as 1"
        assert len(server.connections) == 2
        postbox.end_within(0)
        with pytest.raises(DeliveryFailure):
            reply.wait()


def test_a_worker_that_is_to_end_waits_for_no_reply_any_longer() -> None:
    patience = Patience(prompt=0.05)

    with (
        ScriptedSmtp({"END": Act.DRIP}) as server,
        postbox_at(server, patience=patience) as postbox,
    ):
        reply = slow_reply(postbox)
        postbox.end_within(0.1)
        with pytest.raises(DeliveryFailure) as caught:
            reply.wait()

        assert in_short(caught.value) == (RETRY_LATER, "timeout", True)


def test_a_letter_whose_lease_is_lost_is_never_finished() -> None:
    with ScriptedSmtp() as server, postbox_at(server) as postbox:
        with pytest.raises(DeliveryFailure) as caught:
            postbox.send(letter(), lambda: False)
        postbox.close()

        assert in_short(caught.value) == (RETRY_LATER, "lease_lost", False)
    assert server.letters == []


SESSION_LIMITS: list[Script] = [
    {"RCPT": "421 4.7.0 closing"},
    {"RCPT": "452 4.5.3 too many recipients in this session"},
    {"END": "421 4.7.0 Error: too many messages in this session"},
    {"END": "451 4.7.1 try again later"},
]


@pytest.mark.parametrize("script", SESSION_LIMITS)
def test_after_a_temporary_refusal_the_session_is_closed_and_a_new_one_opened(
    script: Script,
) -> None:
    with ScriptedSmtp(script, {}) as server, postbox_at(server) as postbox:
        assert failure_of(postbox).meaning is RETRY_LATER
        send(postbox, letter())

        assert server.commands[-1] == "quit"
        assert len(server.connections) == 2


LOSSES: list[tuple[str, str | Act, str, bool]] = [
    ("MAIL", Act.HANG_UP, "network", False),
    ("MAIL", Act.SILENCE, "timeout", False),
    ("RCPT", Act.HANG_UP, "network", False),
    ("RCPT", Act.SILENCE, "timeout", False),
    ("DATA", Act.HANG_UP, "network", False),
    ("DATA", "?", "network", False),
    ("END", Act.HANG_UP, "network", True),
    ("END", Act.SILENCE, "timeout", True),
    ("END", "garbage", "network", True),
    ("END", "250 " + "x" * 70_000, "network", True),
]


@pytest.mark.parametrize("offered", [IN_TURN, TOGETHER], ids=["in turn", "together"])
@pytest.mark.parametrize(("step", "act", "reason", "unknown"), LOSSES)
def test_only_a_connection_lost_after_the_letter_leaves_the_outcome_unknown(
    step: str, act: str | Act, reason: str, unknown: bool, offered: Script
) -> None:
    with (
        ScriptedSmtp({**offered, step: act}) as server,
        postbox_at(server, patience=SHORT) as postbox,
    ):
        assert in_short(failure_of(postbox)) == (RETRY_LATER, reason, unknown)


def test_a_letter_that_is_stuck_half_way_was_surely_not_accepted() -> None:
    huge = letter(text=("x" * 70 + "\n") * 100_000, cte="7bit")

    with ScriptedSmtp({"DATA": Act.STALL}) as server, postbox_at(server, patience=SHORT) as postbox:
        with pytest.raises(DeliveryFailure) as caught:
            send(postbox, huge)

        assert in_short(caught.value) == (RETRY_LATER, "timeout", False)


EARLY_FAILURES: list[tuple[Script, str]] = [
    ({"GREETING": "554 go away"}, "connect 554"),
    ({"GREETING": "421 4.3.2 later"}, "connect 421 4.3.2"),
    ({"GREETING": Act.HANG_UP}, "network"),
    ({"GREETING": Act.SILENCE}, "timeout"),
    ({"EHLO": "501 5.5.4 what", "HELO": "501 5.5.4 what"}, "ehlo 501 5.5.4"),
    ({"EHLO": Act.HANG_UP}, "network"),
    ({"EHLO": WITHOUT_AUTH}, "auth_not_offered"),
    ({"EHLO": "250-mail.example.com\r\n250 AUTH OTHER"}, "auth_not_offered"),
    ({"AUTH": "535 5.7.8 wrong"}, "auth 535 5.7.8"),
    ({"AUTH": "535 wrong"}, "auth 535"),
    ({"AUTH": "454 4.7.0 later"}, "auth 454 4.7.0"),
    ({"AUTH": Act.SILENCE}, "timeout"),
    ({"AUTH": Act.HANG_UP}, "network"),
]


@pytest.mark.parametrize(("script", "reason"), EARLY_FAILURES)
def test_a_failure_before_the_sign_in_concerns_all_letters(script: Script, reason: str) -> None:
    with (
        ScriptedSmtp(script) as server,
        postbox_at(server, password=PASSWORD, patience=SHORT) as postbox,
    ):
        assert in_short(failure_of(postbox)) == (HOLD_ALL, reason, False)


def test_a_server_that_is_not_there_concerns_all_letters() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    postbox = SmtpPostbox(SmtpServer.parse(f"smtp://127.0.0.1:{port}"))

    assert in_short(failure_of(postbox)) == (HOLD_ALL, "connect", False)


def test_a_server_that_does_not_take_the_connection_concerns_all_letters() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        postbox = SmtpPostbox(SmtpServer.parse(f"smtp://127.0.0.1:{port}"), patience=SHORT)
        with socket.create_connection(("127.0.0.1", port)):
            failure = failure_of(postbox)

    assert in_short(failure) == (HOLD_ALL, "timeout", False)


def test_user_and_password_are_sent() -> None:
    with ScriptedSmtp() as server, postbox_at(server, password=PASSWORD) as postbox:
        send(postbox, letter())

        secret = base64.b64encode(f"\0ada\0{PASSWORD}".encode()).decode()
        assert f"AUTH PLAIN {secret}" in server.commands


@pytest.mark.parametrize("step", ["AUTH", "MAIL", "RCPT", "END"])
def test_a_failure_names_neither_address_nor_password(step: str) -> None:
    script: Script = {step: f"550 5.1.1 {ADA} {PASSWORD} refused"}

    with ScriptedSmtp(script) as server, postbox_at(server, password=PASSWORD) as postbox:
        told = "".join(traceback.format_exception(failure_of(postbox))) + repr(postbox)

    assert "Example.org" not in told
    assert PASSWORD not in told


def test_two_letters_share_one_connection_and_the_second_takes_no_step_more() -> None:
    with ScriptedSmtp() as server, postbox_at(server) as postbox:
        send(postbox, letter())
        send(postbox, letter(GRACE))

        steps = ["MAIL FROM:<news@example.com>", f"RCPT TO:<{GRACE}>", "DATA"]
        assert server.commands[-3:] == steps
        assert len(server.commands) == 7
        assert len(server.connections) == 1
        assert len(server.letters) == 2


def test_a_letter_takes_two_round_trips_where_the_server_allows_it() -> None:
    script = TOGETHER | {"MAIL": "", "RCPT": "", "DATA": "250 ok\r\n250 ok\r\n354 go ahead"}

    with ScriptedSmtp(script) as server, postbox_at(server, patience=SHORT) as postbox:
        send(postbox, letter())

        assert len(server.letters) == 1


def test_a_recipient_that_is_refused_after_all_gets_no_letter_and_the_next_one_gets_theirs() -> (
    None
):
    # The server would take what follows for the letter (RFC 2920 § 3.1).
    refusing = TOGETHER | {"RCPT": "550 5.1.1 no", "DATA": "354 go ahead"}

    with ScriptedSmtp(refusing, TOGETHER) as server, postbox_at(server) as postbox:
        assert in_short(failure_of(postbox)) == (GIVE_UP_ONE, "rcpt 550 5.1.1", False)
        send(postbox, letter(GRACE))

        assert [len(commands) for commands in server.connections] == [4, 4]
        assert len(server.letters) == 1


def test_what_is_no_single_command_is_not_sent() -> None:
    with ScriptedSmtp(TOGETHER) as server, postbox_at(server) as postbox:
        with pytest.raises(ValueError, match="line"):
            postbox.try_envelope("news@example.com", f"{ADA}>\r\nDATA\r\n")

        assert server.connections == []


def test_a_recipient_that_is_refused_does_not_end_the_connection() -> None:
    script = TOGETHER | {"RCPT": "550 5.1.1 no", "DATA": "503 5.5.1 no recipient"}

    with ScriptedSmtp(script) as server, postbox_at(server) as postbox:
        failure_of(postbox)
        failure_of(postbox)

        assert len(server.connections) == 1


def test_a_refused_letter_is_cleared_away_before_the_next() -> None:
    with ScriptedSmtp({"RCPT": "550 5.1.1 no"}) as server, postbox_at(server) as postbox:
        failure_of(postbox)
        failure_of(postbox)

        assert server.commands[3:5] == ["RSET", "MAIL FROM:<news@example.com>"]


GONE: list[str | Act] = [Act.HANG_UP, "421 4.4.2 idle for too long"]


@pytest.mark.parametrize("offered", [IN_TURN, TOGETHER], ids=["in turn", "together"])
@pytest.mark.parametrize("answer", GONE)
def test_a_connection_closed_while_idle_is_opened_again_at_no_cost(
    answer: str | Act, offered: Script
) -> None:
    with (
        ScriptedSmtp({**offered, "IDLE": answer}, offered) as server,
        postbox_at(server) as postbox,
    ):
        send(postbox, letter())
        send(postbox, letter(GRACE))

        assert len(server.connections) == 2
        assert len(server.letters) == 2


@pytest.mark.parametrize("answer", [*GONE, Act.SILENCE, "451 4.4.2 idle for too long"])
def test_a_connection_closed_after_a_refusal_is_opened_again_at_no_cost(answer: str | Act) -> None:
    script: Script = {"RCPT": "550 5.1.1 no", "RSET": answer}

    with ScriptedSmtp(script, {}) as server, postbox_at(server, patience=SHORT) as postbox:
        failure_of(postbox)
        send(postbox, letter(GRACE))

        assert len(server.connections) == 2
        assert len(server.letters) == 1


def test_a_connection_is_opened_again_only_once() -> None:
    scripts: list[Script] = [{"IDLE": Act.HANG_UP}, {"MAIL": Act.HANG_UP}]

    with ScriptedSmtp(*scripts) as server, postbox_at(server) as postbox:
        send(postbox, letter())

        assert in_short(failure_of(postbox)) == (RETRY_LATER, "network", False)
        assert len(server.connections) == 2


def test_after_a_lost_connection_the_next_letter_opens_another() -> None:
    with ScriptedSmtp({"END": Act.HANG_UP}, {}) as server, postbox_at(server) as postbox:
        failure_of(postbox)
        send(postbox, letter())

        assert len(server.connections) == 2


@pytest.mark.requires("R75")
def test_a_server_without_required_tls_gets_nothing() -> None:
    with (
        ScriptedSmtp() as server,
        postbox_at(server, starttls="required", password=PASSWORD) as postbox,
    ):
        assert in_short(failure_of(postbox)) == (HOLD_ALL, "starttls_not_offered", False)
        assert server.commands == ["ehlo news.example.com"]


@pytest.mark.parametrize("starttls", ["required", "optional"])
def test_tls_that_is_offered_but_refused_concerns_all_letters(starttls: str) -> None:
    script: Script = {"EHLO": WITH_TLS, "STARTTLS": "454 4.7.0 not now"}

    with ScriptedSmtp(script) as server, postbox_at(server, starttls=starttls) as postbox:
        assert in_short(failure_of(postbox)) == (HOLD_ALL, "starttls 454 4.7.0", False)


@pytest.mark.parametrize("starttls", ["required", "optional"])
def test_a_letter_goes_through_verified_starttls(
    certificate: Path, starttls: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = ScriptedSmtp({"EHLO": WITH_TLS}, tls=server_side(certificate))

    with server, postbox_at(server, starttls=starttls, password=PASSWORD) as postbox:
        assert send(postbox, letter()) == "250 2.0.0 Ok: queued as 1"
        assert server.commands[1:3] == ["STARTTLS", "ehlo news.example.com"]


def test_a_letter_goes_through_verified_tls_from_the_start(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = ScriptedSmtp(tls=server_side(certificate), implicit_tls=True)

    with server, postbox_at(server, scheme="smtps", password=PASSWORD) as postbox:
        assert send(postbox, letter()) == "250 2.0.0 Ok: queued as 1"


@pytest.mark.requires("R75")
@pytest.mark.parametrize(("scheme", "starttls"), [("smtp", "optional"), ("smtps", "required")])
def test_a_certificate_that_nobody_signed_is_refused(
    certificate: Path, scheme: str, starttls: str
) -> None:
    tls, is_implicit = server_side(certificate), scheme == "smtps"
    server = ScriptedSmtp({"EHLO": WITH_TLS}, tls=tls, implicit_tls=is_implicit)

    with server, postbox_at(server, scheme=scheme, starttls=starttls) as postbox:
        assert in_short(failure_of(postbox)) == (HOLD_ALL, "tls", False)


def test_a_certificate_for_another_host_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path, x509.DNSName("mail.example.com"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = ScriptedSmtp(tls=server_side(certificate), implicit_tls=True)

    with server, postbox_at(server, scheme="smtps") as postbox:
        assert in_short(failure_of(postbox)) == (HOLD_ALL, "tls", False)


@pytest.mark.parametrize(("starttls", "is_sent"), [("optional", False), ("never", True)])
def test_a_password_crosses_the_network_in_the_clear_only_if_that_was_said_outright(
    starttls: str, is_sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket.socket, "getpeername", lambda _: ("192.0.2.1", 25), raising=False)

    with ScriptedSmtp() as server, postbox_at(server, starttls=starttls, password="x") as postbox:
        if is_sent:
            send(postbox, letter())
        else:
            assert in_short(failure_of(postbox)) == (HOLD_ALL, "auth_without_tls", False)

        assert any(line.startswith("AUTH") for line in server.commands) is is_sent


def test_on_this_host_a_password_needs_no_tls() -> None:
    with (
        ScriptedSmtp() as server,
        postbox_at(server, starttls="optional", password=PASSWORD) as postbox,
    ):
        send(postbox, letter())

        assert len(server.letters) == 1


def test_a_probe_signs_in_without_a_letter() -> None:
    with ScriptedSmtp() as server, postbox_at(server, password=PASSWORD) as postbox:
        postbox.probe()

        assert [line.split(" ")[0] for line in server.commands] == ["ehlo", "AUTH"]


def test_a_probe_asks_a_kept_connection() -> None:
    with ScriptedSmtp() as server, postbox_at(server) as postbox:
        send(postbox, letter())
        postbox.probe()

        assert server.connections == [server.commands]
        assert server.commands[-1] == "NOOP"


@pytest.mark.parametrize("answer", [Act.HANG_UP, "421 4.3.2 shutting down"])
def test_a_probe_opens_a_new_connection_for_one_that_is_gone(answer: str | Act) -> None:
    with ScriptedSmtp({"NOOP": answer}, {}) as server, postbox_at(server) as postbox:
        send(postbox, letter())
        postbox.probe()

        assert len(server.connections) == 2


def test_a_probe_that_cannot_sign_in_fails_as_a_letter_would() -> None:
    with (
        ScriptedSmtp({"AUTH": "535 5.7.8 wrong"}) as server,
        postbox_at(server, password=PASSWORD) as postbox,
        pytest.raises(DeliveryFailure, match=r"auth 535 5\.7\.8"),
    ):
        postbox.probe()


def test_closing_says_goodbye_and_the_next_letter_opens_another_connection() -> None:
    with ScriptedSmtp() as server, postbox_at(server) as postbox:
        send(postbox, letter())
        postbox.close()
        send(postbox, letter())

        assert server.commands[-1] == "quit"
        assert len(server.connections) == 2


def test_a_folder_takes_letters_as_they_would_be_sent(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "mail"

    assert send(FolderPostbox(folder), letter()) == "file written"

    (file,) = folder.iterdir()
    assert message_from_bytes(file.read_bytes())["To"] == ADA
    assert b"\r\n" in file.read_bytes()


def test_a_letter_in_the_folder_is_private_and_its_name_reveals_nothing(tmp_path: Path) -> None:
    send(FolderPostbox(tmp_path), letter())

    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.suffix == ".eml"
    assert "example" not in file.name.lower()


def test_each_letter_has_a_file_of_its_own(tmp_path: Path) -> None:
    postbox = FolderPostbox(tmp_path)

    for _ in range(3):
        send(postbox, letter())

    assert len(list(tmp_path.iterdir())) == 3


def test_half_a_letter_is_never_left_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(DeliveryFailure, match="folder"):
        send(FolderPostbox(tmp_path), letter())

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_concerns_all_letters(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    postbox = FolderPostbox(tmp_path / "file" / "mail")

    with pytest.raises(DeliveryFailure) as caught:
        send(postbox, letter())

    assert in_short(caught.value) == (HOLD_ALL, "folder", False)


def test_without_a_mail_server_letters_go_to_the_folder() -> None:
    assert isinstance(postbox_for(load(COMPANY)), FolderPostbox)


def test_the_mail_server_is_told_the_name_of_our_own_host() -> None:
    with ScriptedSmtp() as server:
        smtp_url = f"smtp://127.0.0.1:{server.port}"
        public_url = "https://news.example.com/letters"
        postbox = postbox_for(load({**COMPANY, "SMTP_URL": smtp_url, "PUBLIC_URL": public_url}))
        postbox.probe()
        postbox.close()

        assert server.commands[0] == "ehlo news.example.com"
