"""What mail servers answer, word for word, and what becomes of the letter."""

# ruff: noqa: E501 - one answer, one line

from __future__ import annotations

import smtplib
from enum import Enum, auto

import pytest

from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mail.replies import Refused, expect, why_not_signed_in
from tests.worker.mail.test_smtp import failure_of, postbox_at
from tests.worker.scripted_smtp import ScriptedSmtp


class Fate(Enum):
    """What a reply means for the letter, and for the others."""

    GIVEN_UP = auto()  #: no such mailbox, or one that takes nothing
    ASIDE = auto()  #: refused for good, which may mean us: tried again at growing intervals
    LATER = auto()  #: a passing failure
    ALL_WAIT = auto()  #: the server takes no letter from us


GIVEN_UP, ASIDE, LATER, ALL_WAIT = Fate


def fate_of(failure: DeliveryFailure) -> Fate:
    if isinstance(failure, Refused):
        assert failure.meaning is Meaning.RETRY_LATER
        return ASIDE
    return {
        Meaning.GIVE_UP_ONE: GIVEN_UP,
        Meaning.RETRY_LATER: LATER,
        Meaning.HOLD_ALL: ALL_WAIT,
    }[failure.meaning]


# fmt: off
#: The address is Ada@Example.org's and the sender news@example.com, as in the conversation.
MICROSOFT_365 = [
    ("RCPT", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", GIVEN_UP),
    ("END", "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found", GIVEN_UP),
    ("END", "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded", GIVEN_UP),
    ("END", "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient", GIVEN_UP),
    ("END", "550 5.2.3 RESOLVER.RST.SendSizeLimit.Sender; message too large for this sender", ASIDE),
    ("END", "554 5.2.252 SendAsDenied; news@example.com not allowed to send as info@example.com; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", ASIDE),
    ("END", "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception with message Cannot submit message.", ASIDE),
    ("END", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; the submission quota was exceeded", ASIDE),
    ("END", "550 5.1.8 Access denied, bad outbound sender AS(42004)", ASIDE),
    ("END", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", ASIDE),
    ("END", "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", ASIDE),
    ("RCPT", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", ASIDE),
    ("RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", ASIDE),
    ("MAIL", "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM", ALL_WAIT),
    ("GREETING", "421 4.3.2 The maximum number of concurrent server connections has exceeded a limit, closing transmission channel", ALL_WAIT),
    ("END", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", LATER),
    ("RCPT", "451 4.7.500 Server busy. Please try again later", LATER),
]
GMAIL = [
    ("RCPT", "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n550-5.1.1 double-checking the recipient's email address for typos or\r\n550 5.1.1 unnecessary spaces. https://support.google.com/mail/?p=NoSuchUser", GIVEN_UP),
    ("RCPT", "550 5.2.1 The email account that you tried to reach is disabled.", GIVEN_UP),
    ("END", "552-5.2.2 The recipient's inbox is out of storage space and inactive. Please\r\n552 5.2.2 direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm", GIVEN_UP),
    ("MAIL", "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail", ALL_WAIT),
    ("RCPT", "550 5.4.5 Daily SMTP relay sending limit exceeded for customer.", ASIDE),
    ("END", "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n550 5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.", ASIDE),
    ("END", "550-5.7.1 [192.0.2.1] Our system has detected that this message is\r\n550 5.7.1 likely unsolicited mail.", ASIDE),
    ("RCPT", "550-5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address you've\r\n550 5.7.1 registered in your G Suite SMTP Relay service doesn't match", ASIDE),
    ("AUTH", "535 5.7.8 Username and Password not accepted.", ALL_WAIT),
    ("RCPT", "450 4.2.1 The user you are trying to contact is receiving mail at a rate that", LATER),
    ("END", "421 4.7.0 Try again later, closing connection.", LATER),
]
POSTFIX = [
    ("RCPT", "550 5.1.1 <Ada@Example.org>: Recipient address rejected: User unknown in virtual mailbox table", GIVEN_UP),
    ("RCPT", "550 5.1.2 <Ada@Example.org>: Recipient address rejected: Domain not found", GIVEN_UP),
    ("RCPT", "556 5.1.10 <Ada@Example.org>: Recipient address rejected: Domain Example.org does not accept mail (nullMX)", GIVEN_UP),
    ("RCPT", "550 5.1.1 <Ada@Example.org>: Recipient address rejected: undeliverable address: host mx.example.org[192.0.2.1] said: 550 5.7.1 Message blocked (in reply to RCPT TO command)", ASIDE),
    ("RCPT", "550 5.1.0 <news@example.com>: Sender address rejected: User unknown in virtual mailbox table", ASIDE),
    ("RCPT", "550 5.1.1 <news@example.com>: User unknown in local recipient table", ASIDE),
    ("RCPT", "550 5.1.8 <news@example.com>: Sender address rejected: Domain not found", ASIDE),
    ("RCPT", "553 5.7.1 <news@example.com>: Sender address rejected: not owned by user muster", ASIDE),
    ("RCPT", "554 5.7.1 <Ada@Example.org>: Relay access denied", ASIDE),
    ("RCPT", "554 5.7.1 <Ada@Example.org>: Recipient address rejected: Access denied", ASIDE),
    ("RCPT", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", ASIDE),
    ("MAIL", "452 4.3.1 Insufficient system storage", ALL_WAIT),
    ("RCPT", "450 4.1.1 <Ada@Example.org>: Recipient address rejected: unverified address: Address verification in progress", LATER),
    ("END", "421 4.7.0 mail.example.com Error: too many messages in this session", LATER),
    ("END", "451 4.3.0 Error: queue file write error", LATER),
]
EXIM = [
    ("RCPT", "550 Unrouteable address", ASIDE),
    ("RCPT", "550 relay not permitted", ASIDE),
    ("RCPT", "550-Verification failed for <news@example.com>\r\n550 Sender verify failed", ASIDE),
    ("RCPT", "550 Administrative prohibition", ASIDE),
    ("END", "550 5.2.1 mailbox is disabled", GIVEN_UP),
    ("END", "552 Message size exceeds maximum permitted", ASIDE),
    ("RCPT", "503 requires authentication", ASIDE),
    ("RCPT", "451 Temporary local problem - please try later", LATER),
]
QMAIL = [
    ("RCPT", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", ASIDE),
    ("RCPT", "550 sorry, no mailbox here by that name. (#5.1.1)", GIVEN_UP),
    ("END", "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)", ASIDE),
    ("END", "552 sorry, that message size exceeds my databytes limit (#5.3.4)", ASIDE),
]
GMX_AND_WEB_DE = [
    ("RCPT", "550-Requested action not taken: mailbox unavailable\r\n550 For explanation visit https://postmaster.gmx.net/en/error-messages", ASIDE),
    ("END", "554-Transaction failed\r\n554-Reject due to policy restrictions.\r\n554 For explanation visit https://postmaster.web.de/de/error-messages", ASIDE),
    ("MAIL", "550-Requested action not taken: mailbox unavailable\r\n550 Sender address is not allowed.", ALL_WAIT),
    ("GREETING", "554-gmx.net (mxgmx016) Nemesis ESMTP Service not available\r\n554-No SMTP service\r\n554 IP address is block listed.", ALL_WAIT),
    ("END", "450-Requested mail action not taken: mailbox unavailable\r\n450 Mail rate limit exceeded.", LATER),
]
T_ONLINE = [
    ("RCPT", "550 5.1.1 Ada@Example.org recipient unknown", GIVEN_UP),
    ("GREETING", "554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.)", ALL_WAIT),
    ("END", "550-5.7.0 Message considered as spam or virus, rejected\r\n550 5.7.0 Message rejected because it was considered as spam.", ASIDE),
]
AMAZON_SES = [
    ("END", "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: news@example.com", ASIDE),
    ("END", "454 Throttling failure: Maximum sending rate exceeded.", LATER),
    ("END", "454 Throttling failure: Daily message quota exceeded.", LATER),
    ("AUTH", "535 Authentication Credentials Invalid", ALL_WAIT),
    ("RCPT", "530 Authentication required", ALL_WAIT),
]
SENDGRID = [
    ("END", "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.", ASIDE),
    ("RCPT", "550 Unauthenticated senders not allowed", ASIDE),
    ("END", "550 5.1.1 The from address does not match a verified identity", ASIDE),
    ("AUTH", "451 Authentication failed: Maximum credits exceeded", ALL_WAIT),
    ("RCPT", "452 Too many recipients received this hour", LATER),
]
OTHERS = [
    ("RCPT", "554", ASIDE),
    ("RCPT", "554 5.7.1 Access denied", ASIDE),
    ("RCPT", "550 5.1.1", GIVEN_UP),
    ("RCPT", "550 5.2.11 something new", ASIDE),
    ("RCPT", "550 version 5.1.1 of our filter says no", ASIDE),
    ("DATA", "554 5.1.1 no valid recipients", GIVEN_UP),
    ("DATA", "503 5.5.1 Error: need RCPT command", ASIDE),
    ("DATA", "451 4.3.0 later", LATER),
    ("END", "354 what", LATER),
]
# fmt: on


@pytest.mark.parametrize(
    ("step", "answer", "fate"),
    [
        *(*MICROSOFT_365, *GMAIL, *POSTFIX, *EXIM, *QMAIL),
        *(*GMX_AND_WEB_DE, *T_ONLINE, *AMAZON_SES, *SENDGRID, *OTHERS),
    ],
)
def test_a_refusal_is_the_mailbox_s_own_only_where_its_code_says_so(
    step: str, answer: str, fate: Fate
) -> None:
    with ScriptedSmtp({step: answer}) as server, postbox_at(server, password="x") as postbox:
        failure = failure_of(postbox)

    assert fate_of(failure) is fate
    assert not failure.outcome_unknown


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("550 5.1.1 <Ada@Example.org> unknown", "rcpt 550 5.1.1"),
        ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "rcpt 553 5.7.1"),
        ("550 <Ada@Example.org> no such user", "rcpt 550"),
    ],
)
def test_a_reason_holds_the_server_s_codes_and_none_of_its_words(answer: str, reason: str) -> None:
    with ScriptedSmtp({"RCPT": answer}) as server, postbox_at(server) as postbox:
        assert failure_of(postbox).reason == reason


@pytest.mark.parametrize(
    ("code", "text", "line"),
    [
        (250, b"2.0.0 Ok: queued as 4XyZ", "250 2.0.0 Ok: queued as 4XyZ"),
        (200, b"", "200 "),
        (250, b"Ok\r\nqueued\x00as \xfc", "250 Ok queued as \N{REPLACEMENT CHARACTER}"),
        (250, b"x" * 600, f"250 {'x' * 496}"),
    ],
)
def test_an_accepted_letters_reply_is_kept_as_one_line(code: int, text: bytes, line: str) -> None:
    assert expect("end", (code, text)) == line


def test_another_reply_may_be_wanted() -> None:
    assert expect("data", (354, b"go on"), wanted=3) == "354 go on"
    with pytest.raises(DeliveryFailure):
        expect("data", (250, b"Ok"), wanted=3)


@pytest.mark.parametrize("code", [-1, 0, 199, 600])
def test_what_is_no_reply_is_a_lost_connection(code: int) -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected, match=r"^no SMTP reply$"):
        expect("rcpt", (code, b""))


@pytest.mark.parametrize(
    ("step", "code", "words", "fate", "reason"),
    [
        ("mail", 451, b"4.3.0 later", ALL_WAIT, "mail 451 4.3.0"),
        ("rcpt", 530, b"5.7.0 sign in", ALL_WAIT, "rcpt 530 5.7.0"),
        ("rcpt", 200, b"", LATER, "rcpt 200"),
        ("rcpt", 499, b"4.2.2 full", LATER, "rcpt 499 4.2.2"),
        ("rcpt", 500, b"5.5.2 what", ASIDE, "rcpt 500 5.5.2"),
        ("rcpt", 599, b"5.1.1 unknown", GIVEN_UP, "rcpt 599 5.1.1"),
        ("rcpt", 550, b"5.1.1 xxxx@example.com is unknown", GIVEN_UP, "rcpt 550 5.1.1"),
        ("rcpt", 550, b"5.1.1 \xfc", GIVEN_UP, "rcpt 550 5.1.1"),
    ],
)
def test_a_refusal_has_a_meaning_and_a_reason(
    step: str, code: int, words: bytes, fate: Fate, reason: str
) -> None:
    with pytest.raises(DeliveryFailure) as refused:
        expect(step, (code, words), wanted=2 if code >= 300 else 3)

    assert (fate_of(refused.value), refused.value.reason) == (fate, reason)


def fate_of_words(words: str, code: int = 550) -> Fate:
    with pytest.raises(DeliveryFailure) as refused:
        expect("rcpt", (code, words.encode()))
    return fate_of(refused.value)


def test_these_enhanced_codes_are_the_mailboxs_own_and_no_others() -> None:
    codes = [f"5.{subject}.{detail}" for subject in range(10) for detail in range(100)]

    given_up = [code for code in codes if fate_of_words(f"{code} no") is GIVEN_UP]

    of_the_address = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"]
    assert given_up == [*of_the_address, "5.2.0", "5.2.1", "5.2.2", "5.2.3"]


def test_these_codes_ask_to_sign_in_and_no_others() -> None:
    codes = [code for code in range(500, 600) if fate_of_words("no", code) is ALL_WAIT]

    assert codes == [530, 535, 538]


ABOUT_THE_SENDER = [
    *("sender", "Sending limit", "SendAs", "send as", "submission quota", "outbound spam"),
    *("originator", "From: address", "return path", "Return-Path", "ReturnPath"),
    *("relay denied", "client host", "authentication", "unauthenticated"),
    *("your IP", "your account", "your domain", "your host", "your server"),
    *("not verified", "not permitted to send"),
]


@pytest.mark.parametrize("words", ABOUT_THE_SENDER)
def test_words_about_the_sender_are_not_about_the_mailbox(words: str) -> None:
    assert fate_of_words(f"5.1.1 {words}") is ASIDE


@pytest.mark.parametrize("words", ["fromage", "afrom", "a prelayer", "a subclient", "your mailbox"])
def test_words_that_only_look_alike_are_about_the_mailbox(words: str) -> None:
    assert fate_of_words(f"5.1.1 {words}") is GIVEN_UP


@pytest.mark.parametrize("words", ["5.7.8 Kennwort", "5.7.8 Kennwort ungültig".encode()])
def test_a_refused_sign_in_is_read_whatever_its_encoding(words: str | bytes) -> None:
    refused = smtplib.SMTPAuthenticationError(535, words)

    assert why_not_signed_in(refused) == "auth 535 5.7.8"
