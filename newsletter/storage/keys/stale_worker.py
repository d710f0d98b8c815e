"""Reports a worker that does not have the DATA_KEY with which the keyring was wrapped anew."""

from __future__ import annotations

from newsletter.domain import clock
from newsletter.domain.errors import WrongDataKey
from newsletter.storage import jobs, notices
from newsletter.storage.keys import keyring
from newsletter.storage.notices import Code


def report(owner: str) -> None:
    """Post the notice, or clear it.

    Raise WrongDataKey where there is also a newer key: this worker can do nothing, and must not count as alive.
    """
    try:
        is_stale = keyring.current().is_stale
    except WrongDataKey:
        _post(owner)
        raise
    if is_stale:
        _post(owner)
    else:
        notices.clear(Code.KEY_IS_STALE, owner)


def _post(owner: str) -> None:
    notices.post(Code.KEY_IS_STALE, owner, until=clock.now() + jobs.LEASE)
