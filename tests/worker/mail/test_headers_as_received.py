"""What a mail server gets, whatever strangers and operators put into a header: through a real SMTP conversation.

Each letter is read once more by a reader that decodes too much, as the oldest Python does that the service runs on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import settings as as_set
from hypothesis import strategies as st
from sqlalchemy import select
from time_machine import Traveller

from newsletter.config import Settings, SmtpServer, load
from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress, SettingsError, UnsafeLetter
from newsletter.storage.database import writing
from newsletter.storage.models import Subscription
from newsletter.subscriptions.person import keep_address
from newsletter.texts import brand, formatting, letters
from newsletter.worker.mail.smtp import SmtpPostbox
from sandbox.mailbox import Mailbox
from tests.conftest import COMPANY, Drain, Join
from tests.domain.test_address import ENCODED_WORDS, NO_HOST, NO_LOCAL_PART, PIECES, TEXTS
from tests.people import ADA, GRACE, STAFF, access, sign_up, webhook
from tests.texts.test_letters import values
from tests.worker.mail.old_reader import addresses_in, headers_of
from tests.worker.scripted_smtp import ScriptedSmtp

HEADERS = [
    *(
        "auto-submitted",
        "content-language",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
    ),
    *("reply-to", "subject", "to", "x-auto-response-suppress"),
]
LIST = "a1b2c3d4e5"  #: the stand-in's audience
PATH = re.compile(r"(MAIL FROM|RCPT TO):<([!-;=?-~]+)>")
_HOSTS = ["example.com", "straße.de", "例え.jp", "a。b.de", "localhost"]
_ODD_LOCAL_PARTS = st.sampled_from(
    [*ENCODED_WORDS, "=?", "?=", "=?utf-8?q?", "x=?y", "%0a", "%0d%0aBcc", "ada..l"]
) | st.builds('"{}"'.format, st.text('ab =?\\",<>@()[]:;', max_size=20))
_PLAIN = st.text("ab0=?_+%'{|}~/.-", min_size=1, max_size=70)
#: Many are taken: by both parsers, by the lenient one, and others by none.
ADDRESSES = st.one_of(
    st.builds("{}@{}".format, _PLAIN, st.sampled_from(_HOSTS)),
    st.builds("{}{}@{}".format, _PLAIN, _ODD_LOCAL_PARTS, st.sampled_from(_HOSTS)),
    st.builds("ada@{}".format, st.text("abü.-0", min_size=1, max_size=70)),
    st.builds("ada@{}{}".format, st.sampled_from(_HOSTS), st.sampled_from(PIECES)),
    TEXTS,
)
NAMES = st.one_of(
    st.lists(st.sampled_from([piece for piece in PIECES if piece.isprintable()])).map("".join),
    st.text(st.characters(exclude_categories=["C", "Z"]), max_size=120),
    st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
)


class Server:
    """A mail server that keeps the last letter and the commands before it."""

    def __init__(self) -> None:
        self._server = ScriptedSmtp()
        self._postbox: SmtpPostbox | None = None

    def __enter__(self) -> Server:
        self._server.__enter__()
        url = f"smtp://127.0.0.1:{self._server.port}?starttls=never"
        self._postbox = SmtpPostbox(SmtpServer.parse(url), helo="news.example.com")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._postbox is not None
        self._postbox.close()
        self._server.__exit__()

    def get(self, letter: letters.Finished) -> tuple[bytes, str, str]:
        """What arrives of a letter: the octets, and by whom and for whom the envelope says that it is."""
        assert self._postbox is not None
        self._postbox.send(letter, lambda: True)
        (_, sender), (_, recipient) = filter(None, map(_path, self._server.connections[-1][-3:]))
        return re.sub(rb"(?m)^\.", b"", self._server.letters[-1]), sender, recipient


def _path(command: str) -> tuple[str, str] | None:
    if not command.upper().startswith(("MAIL", "RCPT")):
        return None
    found = PATH.fullmatch(command)
    assert found, command
    return found[1], found[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(autouse=True, scope="module")
def _texts() -> Iterator[None]:
    app = brand.new_flask()
    formatting.register(app)
    with app.app_context():
        yield


def confirmation(company: Settings, recipient: str = ADA) -> letters.Finished:
    """A confirmation letter; raise UnsafeLetter."""
    return letters.finish(replace(values(), recipient=recipient), company)


ORDINARY = load(COMPANY)


def look_at(octets: bytes, recipient: str, company: Settings) -> None:
    """Every header once, for every reader; To exactly the recipient; From and Reply-To as they are set."""
    names = sorted(name for name, _ in headers_of(octets))
    assert names == HEADERS or names == [name for name in HEADERS if name != "reply-to"]
    assert b"\r\nTo: %s\r\n" % recipient.encode() in octets
    assert addresses_in(octets, "to") == [recipient]
    library = message_from_bytes(octets, policy=policy.default)
    assert str(library["To"]) == recipient
    assert sorted(name.lower() for name in library) == names
    raw = message_from_bytes(octets)
    ((name, sender),) = getaddresses([_unfolded(raw["From"])])
    assert (str(make_header(decode_header(name))), sender) == (
        company.sender.name,
        company.sender.address.text,
    )
    assert raw["Reply-To"] in (None, company.contact_email)
    assert octets.isascii()
    assert all(len(line) <= 998 for line in octets.split(b"\r\n"))
    assert octets.count(b"\n") == octets.count(b"\r") == octets.count(b"\r\n")
    assert b"Newsletter" in octets.split(b"\r\n\r\n", 1)[1]


def _unfolded(value: str) -> str:
    return re.sub(r"\r?\n(?=[ \t])", "", value)


@given(text=ADDRESSES, lenient=st.booleans())
@example(text="x=?y@example.com", lenient=False)
def test_no_address_brings_a_header_a_recipient_or_a_parameter(
    server: Server, text: str, lenient: bool
) -> None:
    try:
        address = (Address.parse_leniently if lenient else Address.parse)(text)
    except InvalidAddress:
        return
    if not address.is_mailable:
        with pytest.raises(UnsafeLetter, match="To"):
            confirmation(ORDINARY, address.text)
        return

    octets, sender, recipient = server.get(confirmation(ORDINARY, address.text))

    assert (sender, recipient) == ("newsletter@example.com", address.text)
    look_at(octets, address.text, ORDINARY)


@as_set(max_examples=50)
@given(
    variables=st.fixed_dictionaries(
        {},
        optional={
            "ORGANISATION": NAMES,
            "MAIL_FROM": st.builds("{} <{}>".format, NAMES, st.just("news@example.com") | ADDRESSES)
            | st.builds('"{}" <news@example.com>'.format, NAMES),
            "CONTACT_EMAIL": ADDRESSES,
            "PUBLIC_URL": st.builds("https://{}/x".format, TEXTS | st.sampled_from(_HOSTS)),
        },
    )
)
@example(variables={"MAIL_FROM": "=?utf-8?q?x=0aReply-To=3ax=40evil.de?= <news@example.com>"})
@example(variables={"MAIL_FROM": '"Muster, Söhne \\"Nord\\" (Ltd.)" <news@example.com>'})
@example(variables={"ORGANISATION": "M" * 2000, "MAIL_FROM": ""})
@example(variables={"ORGANISATION": "=?utf-8?b?CgpTaWU=?=", "MAIL_FROM": ""})
def test_no_setting_brings_a_header_or_a_recipient(
    server: Server, variables: dict[str, str]
) -> None:
    online = {"SMTP_URL": "smtp://mail.example.com"} if variables.get("MAIL_FROM", "x") else {}
    try:
        company = load({**COMPANY, **online, **variables})
    except SettingsError:
        return

    octets, sender, recipient = server.get(confirmation(company))

    assert (sender, recipient) == (company.sender.address.text, ADA)
    look_at(octets, ADA, company)


def test_nobody_signs_up_as_an_encoded_word(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    answers = [sign_up(client, f"{word}@angreifer.de").status_code for word in ENCODED_WORDS]
    drain()

    assert answers == [422] * len(ENCODED_WORDS)
    assert mailbox.letters == []


def test_mailchimp_cannot_bring_us_to_write_to_what_is_no_address(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, join: Join
) -> None:
    join(ADA)
    for new in (*NO_HOST, *NO_LOCAL_PART):
        told = {"data_list_id": LIST, "data_old_email": ADA, "data_new_email": new}
        assert webhook(client, type="upemail", **told).status_code == 204
    drain()

    assert len(mailbox.letters) == 1


@pytest.mark.parametrize(
    "smuggled",
    [f"{ENCODED_WORDS[0]}@evil.de", NO_HOST[0], "grüße@evil.de", '"ada lovelace"@evil.de'],
)
def test_an_address_in_the_database_that_means_something_else_gets_no_letter(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, smuggled: str
) -> None:
    sign_up(client, ADA)
    sign_up(client, GRACE)
    with app.app_context(), writing() as session:
        first = session.scalars(select(Subscription).order_by(Subscription.since)).first()
        assert first is not None
        keep_address(first, Address.unchecked(smuggled))
    drain()

    assert [letter.recipients for letter in mailbox.letters] == [(GRACE,)]
    signup, failed, *_ = access(client, ADA)["events"]
    assert (signup["event"], failed["event"]) == ("signup", "mail_failed")
    assert failed["detail"] == "letter_unsafe To"


def test_a_sender_that_means_something_else_holds_all_letters_and_loses_none(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Traveller
) -> None:
    right = app.extensions["settings"]
    app.extensions["settings"] = right.model_copy(
        update={"mail_from": None, "organisation": "Muster\r\nBcc: x@evil.de"}
    )
    sign_up(client, ADA)
    drain()

    assert mailbox.letters == []
    assert "letter_unsafe From" in client.get("/ready", headers=STAFF).text
    app.extensions["settings"] = right
    clock.shift(31)
    drain()
    assert [letter.recipients for letter in mailbox.letters] == [("Ada@example.org",)]
