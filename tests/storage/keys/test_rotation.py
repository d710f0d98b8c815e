"""DATA_KEY, data key and signing key are rotated while the service runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import delete, select, text, update

from newsletter.app import create_core
from newsletter.config import load
from newsletter.domain.address import Address
from newsletter.domain.errors import Unreadable, WrongDataKey
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring, rotation, signing
from newsletter.storage.keys.keyring import READ_EVERY, Keyring, prefix
from newsletter.storage.keys.wrapping import unwrap, wrap
from newsletter.storage.models import Keyring as KeyringRow
from newsletter.storage.models import db
from tests.conftest import COMPANY, Clock, both_databases
from tests.people import ADA

pytestmark = both_databases

OLD = COMPANY["DATA_KEY"]
NEW = "a-newer-key-of-thirty-two-characters"
BOTH = f"{NEW},{OLD}"
REF = "0" * 32
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)

Start = Callable[[str], Flask]
Change = Callable[[Flask], object]


@pytest.fixture
def start(app: Flask, environ: dict[str, Any]) -> Iterator[Start]:
    """Start another process of the same service, with a DATA_KEY of its own."""
    apps: list[Flask] = []

    def start(data_key: str) -> Flask:
        apps.append(create_core(load({**environ, "DATA_KEY": data_key})))
        return apps[-1]

    yield start
    for each in apps:
        with each.app_context():
            db.engine.dispose()


@pytest.fixture
def elsewhere(start: Start) -> Flask:
    """Another process of the same service, which has cached the keyring."""
    other = start(OLD)
    ring_of(other)
    return other


def ring_of(app: Flask) -> Keyring:
    with app.app_context():
        return keyring.current()


def digest_by(app: Flask) -> bytes:
    return ring_of(app).digest(Address.parse(ADA))


def rewrap(app: Flask) -> tuple[int, int]:
    with app.app_context():
        return rotation.rewrap()


def rotate_signing(app: Flask) -> None:
    with app.app_context():
        rotation.new_signing_key()


def signed_by(app: Flask) -> str:
    """The fingerprint of the key that a process signs with."""
    with app.app_context():
        document = signing.sign({"told": "now"}, keyring.signer())
    return signing.fingerprint(signing.verify(document))


def signs_now(app: Flask) -> str:
    """The fingerprint of the signing key, as `newsletter keys public` prints it."""
    return signing.fingerprint(ring_of(app).public_keys[0])


def rotate_data(app: Flask) -> int:
    """Make a new data key; its id."""
    with app.app_context():
        assert rotation.new_data_key()
    return newest(app)


def newest(app: Flask) -> int:
    return max(ring_of(app).data)


def encrypted_by(app: Flask) -> bytes:
    with app.app_context():
        return keyring.current().encrypt(ADA, ref=REF, column="c")


def read_by(app: Flask, sealed: bytes) -> str:
    with app.app_context():
        return keyring.current().decrypt(sealed, ref=REF, column="c")


def wrapped_by_old(session: Any) -> list[KeyringRow]:
    rows = session.scalars(select(KeyringRow).order_by(KeyringRow.id)).all()
    both = load({**COMPANY, "DATA_KEY": BOTH}).data_key
    return [row for row in rows if unwrap(row.wrapped, row.purpose, both).place == 1]


def test_rewrap_wraps_every_key_with_the_newest_data_key(start: Start) -> None:
    process = start(BOTH)

    assert rewrap(process) == (3, 3)
    with process.app_context(), reading() as session:
        assert wrapped_by_old(session) == []


def test_a_key_wrapped_with_the_newest_data_key_is_not_wrapped_again(start: Start) -> None:
    rewrap(start(BOTH))

    assert rewrap(start(BOTH)) == (0, 3)


def test_the_old_data_key_is_not_needed_afterwards(app: Flask, start: Start) -> None:
    sealed, digest = encrypted_by(app), digest_by(app)
    rewrap(start(BOTH))

    alone = start(NEW)

    assert (read_by(alone, sealed), digest_by(alone)) == (ADA, digest)


def test_the_old_data_key_alone_opens_nothing_afterwards(start: Start) -> None:
    rewrap(start(BOTH))

    with start(OLD).app_context(), pytest.raises(WrongDataKey):
        keyring.check()


def test_a_half_rewrapped_keyring_needs_both_data_keys_and_can_be_finished(
    app: Flask, start: Start
) -> None:
    process, digest = start(BOTH), digest_by(app)
    with process.app_context(), writing() as session:
        row, *_ = wrapped_by_old(session)
        both = load({**COMPANY, "DATA_KEY": BOTH}).data_key
        row.wrapped = wrap(unwrap(row.wrapped, row.purpose, both).key, row.purpose, both)

    assert digest_by(process) == digest
    assert rewrap(process) == (2, 3)


def test_where_one_key_cannot_be_unwrapped_none_is_rewrapped(app: Flask, start: Start) -> None:
    process = start(BOTH)
    with app.app_context(), writing() as session:
        strange = update(KeyringRow).where(KeyringRow.purpose == "signing")
        session.execute(strange.values(wrapped=bytes(60)))

    with pytest.raises(WrongDataKey):
        rewrap(process)
    with app.app_context(), writing() as session:
        session.execute(delete(KeyringRow).where(KeyringRow.purpose == "signing"))
        assert len(wrapped_by_old(session)) == 2


def test_a_running_process_goes_on_after_the_keyring_was_rewrapped(
    elsewhere: Flask, start: Start, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    sealed = encrypted_by(elsewhere)
    rewrap(start(BOTH))
    clock.shift(READ_EVERY)

    assert read_by(elsewhere, sealed) == ADA
    assert "works until it ends; put the one that does into" in caplog.text


@pytest.mark.parametrize("change", [rotate_data, rotate_signing])
def test_a_process_that_cannot_unwrap_a_newest_key_neither_encrypts_nor_signs(
    elsewhere: Flask, start: Start, clock: Clock, change: Change
) -> None:
    process = start(BOTH)
    rewrap(process)
    change(process)
    clock.shift(READ_EVERY)

    with pytest.raises(WrongDataKey):
        encrypted_by(elsewhere)
    with pytest.raises(WrongDataKey):
        signed_by(elsewhere)


def test_a_process_that_has_noticed_new_keys_no_longer_uses_the_cached_ones(
    app: Flask, elsewhere: Flask, start: Start
) -> None:
    """Also within the minute: it has read a value with the new key."""
    process = start(BOTH)
    rewrap(process)
    rotate_data(process)
    with pytest.raises(WrongDataKey):
        read_by(elsewhere, encrypted_by(process))

    with pytest.raises(WrongDataKey):
        encrypted_by(elsewhere)


def test_a_rewrapped_signing_key_still_signs(elsewhere: Flask, start: Start) -> None:
    before = signed_by(elsewhere)
    rewrap(start(BOTH))

    assert signed_by(elsewhere) == before


def test_the_newest_data_key_encrypts_and_the_old_one_still_reads(app: Flask) -> None:
    before = encrypted_by(app)

    made = rotate_data(app)

    assert encrypted_by(app).startswith(prefix(made))
    assert not before.startswith(prefix(made))
    assert read_by(app, before) == ADA


def test_no_digest_changes(app: Flask) -> None:
    digest = digest_by(app)

    rotate_data(app)

    assert digest_by(app) == digest


def test_every_process_encrypts_with_a_new_data_key_within_a_minute(
    app: Flask, elsewhere: Flask, clock: Clock
) -> None:
    ring_of(elsewhere)
    made = rotate_data(app)
    clock.shift(READ_EVERY - SECOND)
    assert newest(elsewhere) < made

    clock.shift(SECOND)

    assert newest(elsewhere) == made


def test_a_value_that_another_process_encrypted_with_a_new_data_key_is_read_at_once(
    app: Flask, elsewhere: Flask
) -> None:
    rotate_data(app)

    assert read_by(elsewhere, encrypted_by(app)) == ADA
    assert newest(elsewhere) == newest(app)


def test_a_value_with_an_unknown_key_cannot_be_read(app: Flask) -> None:
    strange = prefix(newest(app) + 1) + encrypted_by(app)[4:]

    with pytest.raises(Unreadable):
        read_by(app, strange)


def test_a_cached_keyring_is_read_anew_after_the_clock_was_set_forward_or_back(
    app: Flask, elsewhere: Flask, clock: Clock
) -> None:
    made = rotate_data(app)
    clock.shift(-HOUR)

    assert newest(elsewhere) == made


def test_a_rotation_under_way_makes_no_second_key(app: Flask, clock: Clock) -> None:
    rotate_data(app)
    clock.shift(HOUR - SECOND)
    with app.app_context():
        assert not rotation.new_data_key()
        clock.shift(SECOND)
        assert rotation.new_data_key()


def test_an_old_data_key_stays_for_an_hour(app: Flask, clock: Clock) -> None:
    rotate_data(app)
    with app.app_context():
        clock.shift(HOUR - SECOND)
        assert (rotation.has_deletable_key(), rotation.delete_old_keys()) == (False, 1)
        clock.shift(SECOND)
        assert (rotation.has_deletable_key(), rotation.delete_old_keys()) == (True, 0)

    assert list(ring_of(app).data) == [newest(app)]


def test_the_only_data_key_is_never_deleted(app: Flask, clock: Clock) -> None:
    clock.shift(1000 * HOUR)
    with app.app_context():
        assert (rotation.has_deletable_key(), rotation.delete_old_keys()) == (False, 0)

    assert read_by(app, encrypted_by(app)) == ADA


def test_every_process_signs_with_a_new_key_at_once(app: Flask, elsewhere: Flask) -> None:
    before = signed_by(elsewhere)
    rotate_signing(app)

    assert signed_by(elsewhere) == signs_now(app) != before


@pytest.fixture
def backup_restored(app: Flask, elsewhere: Flask) -> None:
    """A process has cached keys that were made after a backup; then the backup is restored."""
    with app.app_context(), reading() as session:
        kept = {row.id: row.wrapped for row in session.scalars(select(KeyringRow))}
    rotate_signing(app)
    rotate_data(app)
    encrypted_by(elsewhere)
    read_by(elsewhere, encrypted_by(app))
    with app.app_context(), writing() as session:
        session.execute(delete(KeyringRow).where(KeyringRow.id.not_in(kept)))
        for id_, wrapped in kept.items():
            row = session.get_one(KeyringRow, id_)
            row.wrapped = wrapped
            row.purpose = "signing" if row.purpose == "verifying" else row.purpose


@pytest.mark.usefixtures("backup_restored")
def test_after_a_restored_backup_its_own_key_signs(app: Flask, elsewhere: Flask) -> None:
    rotation_lost = signed_by(elsewhere)
    with app.app_context():
        rotation.discard_cached()

    assert rotation_lost == signs_now(app)


@pytest.mark.usefixtures("backup_restored")
def test_a_lost_key_is_not_taken_for_a_later_one_with_the_same_id(
    app: Flask, elsewhere: Flask, database_url: str
) -> None:
    with app.app_context():
        if database_url.startswith("postgresql"):
            with writing() as session:
                session.execute(text("SELECT setval('keyring_id_seq', 3)"))
        rotation.discard_cached()
    rotate_signing(app)

    assert signed_by(elsewhere) == signs_now(app)


@pytest.mark.usefixtures("backup_restored")
def test_the_keyring_is_read_anew_after_the_database_was_away(app: Flask, elsewhere: Flask) -> None:
    """It may be a restored backup: a value encrypted with a key that is lost could never be read."""
    with app.app_context():
        rotation.discard_cached()
    with elsewhere.app_context():
        db.engine.dispose()
        with reading() as session:
            session.scalar(select(KeyringRow.id))

    assert read_by(app, encrypted_by(elsewhere)) == ADA


def test_the_newest_key_signs(app: Flask) -> None:
    before = ring_of(app)

    rotate_signing(app)

    after = ring_of(app)
    assert after.signing_key.public_key() == after.public_keys[0]
    assert after.public_keys[1:] == before.public_keys


def test_a_document_signed_with_an_earlier_key_is_ours(app: Flask) -> None:
    signed = signing.sign({"told": "before"}, ring_of(app).signing_key)
    rotate_signing(app)
    rotate_signing(app)

    with app.app_context():
        assert keyring.is_ours(signing.fingerprint(signing.verify(signed)))


def test_a_document_signed_with_a_foreign_key_is_not_ours(app: Flask) -> None:
    signed = signing.sign({"told": "never"}, Ed25519PrivateKey.generate())

    with app.app_context():
        assert not keyring.is_ours(signing.fingerprint(signing.verify(signed)))


def test_a_document_that_another_process_signed_with_a_new_key_is_ours_at_once(
    app: Flask, elsewhere: Flask
) -> None:
    rotate_signing(app)
    signed = signing.sign({"told": "now"}, ring_of(app).signing_key)

    with elsewhere.app_context():
        assert keyring.is_ours(signing.fingerprint(signing.verify(signed)))


def test_only_the_public_half_of_an_earlier_signing_key_is_kept(app: Flask) -> None:
    before = ring_of(app).signing_key
    rotate_signing(app)

    with app.app_context(), reading() as session:
        rows = session.scalars(select(KeyringRow).order_by(KeyringRow.id.desc())).all()
    kept = [unwrap(row.wrapped, row.purpose, load(COMPANY).data_key).key for row in rows]
    assert before.private_bytes_raw() not in kept
    assert before.public_key().public_bytes_raw() in kept


def test_public_halves_are_rewrapped_too(app: Flask, start: Start) -> None:
    rotate_signing(app)
    public_keys = ring_of(app).public_keys

    assert rewrap(start(BOTH)) == (4, 4)
    assert ring_of(start(NEW)).public_keys == public_keys
