"""A worker whose DATA_KEY does not open the keyring any more, since it was not given the newest."""

from __future__ import annotations

from newsletter.domain import clock
from newsletter.domain.errors import WrongDataKey
from newsletter.storage import jobs, notices
from newsletter.storage.keys import keyring
from newsletter.storage.notices import Code


def note(owner: str) -> None:
    """Let staff know for as long as it is so; raise WrongDataKey where the worker can do nothing.

    Where a newer key encrypts or signs already, it does not even count as alive.
    """
    try:
        is_stale = keyring.current().is_left_out
    except WrongDataKey:
        _post(owner)
        raise
    if is_stale:
        _post(owner)
    else:
        notices.clear(Code.KEY_IS_STALE, owner)


def _post(owner: str) -> None:
    notices.post(Code.KEY_IS_STALE, owner, until=clock.now() + jobs.LEASE)
