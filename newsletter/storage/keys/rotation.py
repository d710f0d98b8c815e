"""Rotates keys: wraps the keyring with a new DATA_KEY, makes a new data key or a new signing key.

The digest key is never changed: no address could be recognised any more. Each function is one short transaction, so
that a crash leaves a complete keyring. reencryption.py re-encrypts the values with a new data key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring, reencryption
from newsletter.storage.keys.keyring import DATA, SIGNING, VERIFYING
from newsletter.storage.keys.signing import public_octets
from newsletter.storage.keys.wrapping import unwrap, wrap
from newsletter.storage.models import Keyring

#: How long after a new data key was made the old ones are kept: by then every process has read the keyring anew.
KNOWN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class KeyInfo:
    """A key of the keyring, without the key itself."""

    id: int
    purpose: str
    made_at: datetime
    place: int  #: which DATA_KEY of the list wraps it, from 0


def list_keys() -> list[KeyInfo]:
    """All keys of the keyring; raise WrongDataKey."""
    data_keys = config.current().data_key
    with reading() as session:
        return [
            KeyInfo(
                row.id,
                row.purpose,
                row.created_at,
                unwrap(row.wrapped, row.purpose, data_keys).place,
            )
            for row in _rows(session)
        ]


def rewrap() -> tuple[int, int]:
    """Wrap all keys with the newest DATA_KEY; return how many changed, and how many there are. Raise WrongDataKey."""
    data_keys, changed = config.current().data_key, 0
    with writing() as session:
        keyring.lock(session)
        rows = _rows(session)
        for row in rows:
            opened = unwrap(row.wrapped, row.purpose, data_keys)
            if opened.place > 0:
                row.wrapped = wrap(opened.key, row.purpose, data_keys)
                changed += 1
        return changed, len(rows)


def new_data_key() -> bool:
    """Make a new data key; False where the rotation to the last one is still under way."""
    with writing() as session:
        keyring.lock(session)
        keys = _rows(session, DATA)
        if len(keys) > 1 and not _is_known(keys):
            return False
        keyring.add(session, DATA)
    discard_cached()
    return True


def new_signing_key() -> None:
    """Make a new signing key.

    Of the earlier one only the public half is kept: its signatures can be verified, but it can sign nothing more.
    """
    data_keys = config.current().data_key
    with writing() as session:
        keyring.lock(session)
        for row in _rows(session, SIGNING):
            private = unwrap(row.wrapped, SIGNING, data_keys).key
            public = public_octets(Ed25519PrivateKey.from_private_bytes(private).public_key())
            row.purpose, row.wrapped = VERIFYING, wrap(public, VERIFYING, data_keys)
        keyring.add(session, SIGNING)
    discard_cached()


def has_deletable_key() -> bool:
    """Whether there is an old data key that no process uses for encrypting any more."""
    if len(keyring.current().data) < 2:
        return False
    with reading() as session:
        keys = _rows(session, DATA)
    return len(keys) > 1 and _is_known(keys)


def delete_old_keys() -> int:
    """Delete the old data keys that no value needs, once KNOWN_AFTER has passed; return how many stay."""
    with reading() as session:
        keys = _rows(session, DATA)
        *old, _ = keys
        if not old or not _is_known(keys):
            return len(old)
        # Nobody encrypts with them any more, so the result still holds in the transaction below.
        needed = [key.id for key in old if reencryption.uses(session, key.id)]
    with writing() as session:
        keyring.lock(session)
        for key in old:
            row = session.get(Keyring, key.id)
            if row is not None and row.id not in needed:
                session.delete(row)
    discard_cached()
    return len(needed)


def discard_cached() -> None:
    """Read the keyring anew at its next use."""
    current_app.extensions.pop("keyring", None)


def _rows(session: Session, purpose: str | None = None) -> Sequence[Keyring]:
    query = select(Keyring).order_by(Keyring.id)
    if purpose is not None:
        query = query.where(Keyring.purpose == purpose)
    return session.scalars(query).all()


def _is_known(keys: Sequence[Keyring]) -> bool:
    return clock.now() - keys[-1].created_at >= KNOWN_AFTER
