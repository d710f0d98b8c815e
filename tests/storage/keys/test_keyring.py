"""Values are bound to row and column, keys are wrapped, and a wrong DATA_KEY is recognised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from newsletter.app import create_core
from newsletter.config import load
from newsletter.domain.address import Address
from newsletter.domain.errors import LostKeyring, Unavailable, Unreadable, WrongDataKey
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring
from newsletter.storage.keys.keyring import Keyring
from newsletter.storage.models import Keyring as KeyringRow
from newsletter.storage.models import db
from tests.conftest import COMPANY, both_databases
from tests.people import ADA, sign_up

pytestmark = both_databases

REF = "0" * 32


@pytest.fixture
def ring(app: Flask) -> Keyring:
    with app.app_context():
        return keyring.current()


def test_an_encrypted_value_can_be_decrypted(ring: Keyring) -> None:
    sealed = ring.encrypt(ADA, ref=REF, column="subscription.address")

    assert ring.decrypt(sealed, ref=REF, column="subscription.address") == ADA
    assert ADA.encode() not in sealed


def test_the_same_text_has_another_ciphertext_each_time(ring: Keyring) -> None:
    once, again = (ring.encrypt(ADA, ref=REF, column="c") for _ in range(2))

    assert once != again


@pytest.mark.parametrize(("ref", "column"), [("1" * 32, "c"), (REF, "d")])
def test_a_value_moved_to_another_row_or_column_cannot_be_read(
    ring: Keyring, ref: str, column: str
) -> None:
    sealed = ring.encrypt(ADA, ref=REF, column="c")

    with pytest.raises(Unreadable):
        ring.decrypt(sealed, ref=ref, column=column)


@pytest.mark.requires("R38")
def test_a_digest_is_keyed_and_the_same_for_all_spellings_of_an_address(ring: Keyring) -> None:
    other = replace(ring, digest_key=b"another key" * 3)

    assert ring.digest(Address.parse(ADA)) == ring.digest(Address.parse(ADA.upper()))
    assert ring.digest(Address.parse(ADA)) != other.digest(Address.parse(ADA))


def test_the_repr_of_a_keyring_shows_no_key(ring: Keyring) -> None:
    assert str(ring.digest_key) not in repr(ring)


def opened_with(environ: dict[str, Any], data_key: str) -> Flask:
    return create_core(load({**environ, "DATA_KEY": data_key}))


def test_a_wrong_data_key_is_recognised(environ: dict[str, Any]) -> None:
    app = opened_with(environ, "another-key-that-wraps-nothing-here")

    with app.app_context(), pytest.raises(WrongDataKey):
        keyring.check()
    with app.app_context():
        db.engine.dispose()


def test_an_older_data_key_still_opens_what_it_wrapped(app: Flask, environ: dict[str, Any]) -> None:
    later = opened_with(environ, f"a-newer-key-of-thirty-two-characters,{COMPANY['DATA_KEY']}")

    with app.app_context(), later.app_context():
        digest = keyring.current().digest(Address.parse(ADA))
        db.engine.dispose()

    with app.app_context():
        assert keyring.current().digest(Address.parse(ADA)) == digest


def test_making_the_keyring_twice_keeps_the_first(app: Flask, ring: Keyring) -> None:
    with app.app_context(), writing() as session:
        keyring.make_if_missing(session)
        session.flush()

        assert session.query(KeyringRow).count() == 3


def test_a_lost_keyring_is_not_made_anew_where_there_are_subscriptions(
    app: Flask, client: FlaskClient
) -> None:
    sign_up(client, ADA)
    with app.app_context():
        with writing() as session:
            session.execute(delete(KeyringRow))
        with pytest.raises(LostKeyring), writing() as session:
            keyring.make_if_missing(session)

        with reading() as session:
            assert session.scalar(select(KeyringRow.id)) is None


def test_before_release_there_is_no_keyring(app: Flask) -> None:
    with app.app_context():
        with writing() as session:
            session.query(KeyringRow).delete()

        with pytest.raises(Unavailable):
            keyring.current()
        keyring.check()


def test_a_keyring_of_an_earlier_release_gets_the_key_that_signs(app: Flask, ring: Keyring) -> None:
    with app.app_context():
        with writing() as session:
            session.execute(delete(KeyringRow).where(KeyringRow.purpose == "signing"))
        app.extensions.pop("keyring")
        with writing() as session:
            keyring.make_if_missing(session)

        made = keyring.current()
        assert made.digest_key == ring.digest_key
        assert made.signing_key.public_key() != ring.signing_key.public_key()
