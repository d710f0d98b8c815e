"""Changing keys: a new DATA_KEY around the keyring, a new data key, a new signing key.

Digests are never changed: nobody could be recognised any more. What is done here is one short transaction each,
so a crash leaves a keyring that is whole; bringing values under a new data key is reencryption.py's part.
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

#: How long after a new data key an old one stays: every process has read the keyring anew by far.
NOTICED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class KeptKey:
    """What may be told of a key: never the key."""

    id: int
    purpose: str
    made_at: datetime
    place: int  #: which DATA_KEY of the list wraps it, from 0


def kept() -> list[KeptKey]:
    """All keys of the keyring; raise WrongDataKey."""
    data_keys = config.current().data_key
    with reading() as session:
        return [
            KeptKey(
                row.id,
                row.purpose,
                row.created_at,
                unwrap(row.wrapped, row.purpose, data_keys).place,
            )
            for row in _rows(session)
        ]


def rewrap() -> tuple[int, int]:
    """Wrap every key by the newest DATA_KEY; how many were not, and how many there are. Raise WrongDataKey."""
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
    """Make a data key, from now on the newest; False where one was made of late: its rotation goes on."""
    with writing() as session:
        keyring.lock(session)
        keys = _rows(session, DATA)
        if len(keys) > 1 and not _is_noticed(keys):
            return False
        keyring.add(session, DATA)
    forget_kept()
    return True


def new_signing_key() -> None:
    """Make a key that signs from now on.

    Of the one before, the public half alone stays: what it signed can be checked, and nothing be signed by it.
    """
    data_keys = config.current().data_key
    with writing() as session:
        keyring.lock(session)
        for row in _rows(session, SIGNING):
            private = unwrap(row.wrapped, SIGNING, data_keys).key
            public = public_octets(Ed25519PrivateKey.from_private_bytes(private).public_key())
            row.purpose, row.wrapped = VERIFYING, wrap(public, VERIFYING, data_keys)
        keyring.add(session, SIGNING)
    forget_kept()


def is_to_be_ended() -> bool:
    """Tell whether an old data key is there that every process has had time to turn from."""
    if len(keyring.current().data) < 2:
        return False
    with reading() as session:
        keys = _rows(session, DATA)
    return len(keys) > 1 and _is_noticed(keys)


def end_old_keys() -> int:
    """Take away the old data keys that no value needs any more; how many stay. Nothing before their time."""
    with reading() as session:
        keys = _rows(session, DATA)
        *old, _ = keys
        if not old or not _is_noticed(keys):
            return len(old)
        # Nobody encrypts by them any more, so that what is found out here still holds below.
        needed = [key.id for key in old if reencryption.uses(session, key.id)]
    with writing() as session:
        keyring.lock(session)
        for key in old:
            row = session.get(Keyring, key.id)
            if row is not None and row.id not in needed:
                session.delete(row)
    forget_kept()
    return len(needed)


def forget_kept() -> None:
    """Have this process read the keyring anew."""
    current_app.extensions.pop("keyring", None)


def _rows(session: Session, purpose: str | None = None) -> Sequence[Keyring]:
    query = select(Keyring).order_by(Keyring.id)
    if purpose is not None:
        query = query.where(Keyring.purpose == purpose)
    return session.scalars(query).all()


def _is_noticed(keys: Sequence[Keyring]) -> bool:
    return clock.now() - keys[-1].created_at >= NOTICED_WITHIN
