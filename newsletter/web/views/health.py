"""Whether the process lives, and whether sign-ups can be taken, whatever is on hold behind it."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response

from newsletter import config
from newsletter.ledger import health as ledger_health
from newsletter.storage import database, deadline, jobs, outage, readiness
from newsletter.storage.keys import keyring, stale_worker
from newsletter.storage.runs import cleaning, reconciliation, retention
from newsletter.subscriptions import wording_registry
from newsletter.web.http import bearer, limits
from newsletter.web.openapi.endpoint import Endpoint
from newsletter.web.schemas.public import Alive, Readiness, say
from newsletter.web.views import webhooks

#: Whoever asks, a proxy or a supervisor, waits no longer, and takes us for dead.
READY_SECONDS = 2.0

bp = Blueprint("health", __name__)


@bp.get("/health")
@Endpoint("Whether the process answers.", {200: (Alive,)})
def health() -> Response:
    """Answer, asking nobody."""
    return say(Alive())


@bp.get("/ready")
@Endpoint(
    "Whether sign-ups can be taken; with a token, what else is amiss.",
    {200: (Readiness,), 503: (Readiness,)},
    bearer="optional",
    words={200: "`ready`, or `degraded`: something waits.", 503: "`unable` to take sign-ups."},
)
def ready() -> Response:
    """Tell how we are; why, only to staff: holds would tell strangers about letters."""
    with deadline.within(READY_SECONDS):
        found = _look()
    if bearer.actor() is None:
        found = Readiness(status=found.status)
    return say(found, 503 if found.status == "unable" else 200)


def _look() -> Readiness:
    if (trouble := readiness.present()) is not None:
        return Readiness(status="unable", reasons=[str(trouble)])
    try:
        reasons = list(_complaints())
    except outage.OF_THE_DATABASE as error:
        return Readiness(status="unable", reasons=[str(outage.trouble_of(error))])
    return Readiness(status="degraded" if reasons else "ready", reasons=reasons)


def _complaints() -> Iterator[str]:
    if keyring.current().is_left_out:
        yield keyring.LEFT_OUT
    if not jobs.worker_is_alive():
        yield "no live worker"
    if stale_worker.is_any():
        yield f"worker: {stale_worker.WRONG}; {stale_worker.REMEDY}"
    if (reason := jobs.hold_reason("mail")) is not None:
        yield f"mail on hold: {reason}"
    has_key = config.current().mailchimp_api_key is not None
    # Without a key a hold cannot end, and says nothing.
    if has_key and (reason := jobs.hold_reason("mailchimp")) is not None:
        yield f"mailchimp on hold: {reason}"
    if (reason := webhooks.refusals().complaint()) is not None:
        yield reason
    if (reason := reconciliation.complaint()) is not None:
        yield reason
    if (reason := reconciliation.complaint_of_owed()) is not None:
        yield reason
    if (reason := retention.complaint()) is not None:
        yield reason
    if (reason := cleaning.complaint()) is not None:
        yield reason
    if (reason := wording_registry.complaint()) is not None:
        yield reason
    yield from (str(notice.sentence) for notice in ledger_health.posted())
    yield from ledger_health.complaints()
    if not has_key and database.anyone_confirmed():
        yield "no MAILCHIMP_API_KEY, and somebody is confirmed"
    if not has_key and database.any_erasure_waits_for_mailchimp():
        yield "no MAILCHIMP_API_KEY, and an erasure waits for it"
    if not limits.is_applied():
        yield "CLIENT_LIMIT not applied: a proxy was seen, TRUSTED_PROXIES is 0"
