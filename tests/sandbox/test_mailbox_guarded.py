"""A mailbox that asks for a login, speaks TLS, or takes ASCII alone."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.mailbox import Mailbox
from tests.people import ADA
from tests.sandbox.letters import connected, letter_to, port_of, send


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.now(UTC) - timedelta(hours=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=1))
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return server_side(file)


def server_side(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def trusting() -> ssl.SSLContext:
    """A client's side of TLS that asks for no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture
def guarded() -> Iterator[Mailbox]:
    """A mailbox that asks for a login."""
    with Mailbox(auth=("newsletter", "p@ss/word")) as mailbox:
        yield mailbox


def test_the_url_of_a_guarded_mailbox_holds_the_login(guarded: Mailbox) -> None:
    port = port_of(guarded)

    assert guarded.smtp_url == f"smtp://newsletter:p%40ss%2Fword@127.0.0.1:{port}"


def test_a_guarded_mailbox_refuses_clients_without_a_login(guarded: Mailbox) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused) as raised:
        send(guarded, ADA)

    assert raised.value.smtp_code == 530


def test_a_guarded_mailbox_takes_letters_after_the_login(guarded: Mailbox) -> None:
    with connected(guarded) as client:
        client.login("newsletter", "p@ss/word")
        client.send_message(letter_to(ADA))

    assert len(guarded.letters) == 1


def test_a_wrong_password_is_refused(guarded: Mailbox) -> None:
    with (
        connected(guarded) as client,
        pytest.raises(smtplib.SMTPAuthenticationError) as raised,
    ):
        client.login("newsletter", "wrong")

    assert raised.value.smtp_code == 535


def test_a_login_can_fail_for_now(guarded: Mailbox) -> None:
    guarded.answer_next("auth", "454 4.7.0 Temporary failure", times=9)

    with (
        connected(guarded) as client,
        pytest.raises(smtplib.SMTPAuthenticationError) as raised,
    ):
        client.login("newsletter", "p@ss/word")

    assert raised.value.smtp_code == 454


def test_starttls_is_offered_with_a_certificate(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with Mailbox(tls=tls) as mailbox:
        with connected(mailbox) as client:
            client.starttls(context=trusting)
            client.send_message(letter_to(ADA))

        assert len(mailbox.letters) == 1


def test_without_a_certificate_there_is_no_starttls(
    mailbox: Mailbox, trusting: ssl.SSLContext
) -> None:
    with (
        connected(mailbox) as client,
        pytest.raises(smtplib.SMTPNotSupportedError),
    ):
        client.starttls(context=trusting)


def test_tls_can_begin_with_the_first_byte(tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    with Mailbox(tls=tls, implicit_tls=True) as mailbox:
        with smtplib.SMTP_SSL("127.0.0.1", port_of(mailbox), context=trusting) as client:
            client.send_message(letter_to(ADA))

        assert mailbox.smtp_url.startswith("smtps://")
        assert len(mailbox.letters) == 1


def test_stopping_ends_connections_under_tls_too(
    tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    mailbox = Mailbox(tls=tls)
    mailbox.start()
    with connected(mailbox) as client:
        client.starttls(context=trusting)
        mailbox.stop()

        with pytest.raises((smtplib.SMTPServerDisconnected, ssl.SSLError, OSError)):
            client.noop()


def test_addresses_beyond_ascii_are_taken_only_with_smtputf8() -> None:
    with Mailbox(smtputf8=False) as mailbox, pytest.raises(smtplib.SMTPNotSupportedError):
        send(mailbox, "jürgen@example.com")
