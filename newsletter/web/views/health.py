"""`/health`: the process answers. `/ready`: sign-ups can be accepted, and for staff what else is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response

from newsletter import config
from newsletter.ledger import sealing
from newsletter.storage import backlog, deadline, jobs, notices, outage, readiness
from newsletter.storage.keys import keyring
from newsletter.storage.notices import Code
from newsletter.subscriptions import wording_registry
from newsletter.web.http import bearer, limits
from newsletter.web.openapi.endpoint import Endpoint
from newsletter.web.schemas.public import Alive, Readiness, say

#: Proxies and supervisors wait no longer, and then take the process for dead.
READY_SECONDS = 2.0

bp = Blueprint("health", __name__)


@bp.get("/health")
@Endpoint("Whether the process answers.", {200: (Alive,)})
def health() -> Response:
    """Answer without the database."""
    return say(Alive())


@bp.get("/ready")
@Endpoint(
    "Whether sign-ups can be taken; with a token, what else is wrong.",
    {200: (Readiness,), 503: (Readiness,)},
    bearer="optional",
    words={200: "`ready`, or `degraded`: something waits.", 503: "`unable` to take sign-ups."},
)
def ready() -> Response:
    """Answer with the reasons only for staff: a hold would reveal to strangers that letters are sent."""
    with deadline.within(READY_SECONDS):
        readiness_ = _readiness()
    if bearer.actor() is None:
        readiness_ = Readiness(status=readiness_.status)
    return say(readiness_, 503 if readiness_.status == "unable" else 200)


def _readiness() -> Readiness:
    if (trouble := readiness.trouble()) is not None:
        return Readiness(status="unable", reasons=[str(trouble)])
    try:
        reasons = list(_reasons())
    except outage.OF_THE_DATABASE as error:
        return Readiness(status="unable", reasons=[str(outage.trouble_of(error))])
    return Readiness(status="degraded" if reasons else "ready", reasons=reasons)


def _reasons() -> Iterator[str]:
    if keyring.current().is_stale:
        yield keyring.STALE
    if not jobs.worker_is_alive():
        yield "no live worker"
    has_key = config.current().mailchimp_api_key is not None
    yield from dict.fromkeys(
        posted.sentence.wrong
        for posted in notices.current()
        # Without a key no probe can end a hold, so it means nothing any more.
        if has_key or posted.code is not Code.MAILCHIMP_ON_HOLD
    )
    yield from (f"{kind}: {waiting}" for kind, waiting in backlog.overdue())
    if (reason := wording_registry.warning()) is not None:
        yield reason
    if (reason := sealing.overdue()) is not None:
        yield reason
    if not has_key and backlog.anyone_confirmed():
        yield "no MAILCHIMP_API_KEY, and somebody is confirmed"
    if not has_key and backlog.erasures() is not None:
        yield "no MAILCHIMP_API_KEY, and an erasure waits for it"
    if not limits.is_applied():
        yield "CLIENT_LIMIT not applied: a proxy was seen, TRUSTED_PROXIES is 0"
