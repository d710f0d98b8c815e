"""Subscribes many people with few calls: POST /lists/{list_id} takes 500 at once.

Only people are taken who are to be subscribed and have no earlier call of unknown outcome. The outcome is recorded for
each person; if the answer does not say enough about one, they get a call of their own.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.errors import DeliveryFailure, Meaning, Unreadable
from newsletter.domain.lifecycle import Event, MailchimpStatus, Status
from newsletter.ledger import log as ledger
from newsletter.storage import holds
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import LedgerRow, Subscription
from newsletter.storage.moments import SETTLING
from newsletter.subscriptions.person import ADDRESS_COLUMN
from newsletter.worker.audience import outcome as settling
from newsletter.worker.audience.due import TURN, Errand, Progress, is_plain
from newsletter.worker.mailchimp.client import (
    COMPLIANCE_STATE,
    MOST_AT_ONCE,
    REFUSALS,
    Joining,
    Mailchimp,
)

log = logging.getLogger(__name__)

#: Simultaneous calls. An account has 10, and others use it, too (Mailchimp, "Rate limits and timeouts").
CONNECTIONS = 4
#: A single person gets a call of their own, whose answer says more.
LEAST = 2
#: For how long a batch that was refused because of somebody in it is repeated in halves.
SPLITTING_SECONDS = 20.0

Outcome = MailchimpStatus | DeliveryFailure | None


class Batches:
    """After a step, `left_over` has references of people who need a call of their own."""

    def __init__(self, mailchimp: Mailchimp) -> None:
        self._mailchimp = mailchimp
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="mailchimp")
        self._most = 1
        self.left_over: list[str] = []
        self.in_compliance: set[str] = (
            set()
        )  #: of those, whom Mailchimp adds only after asking them once more

    def step(self) -> Progress:
        """Send as many batches at once as there are connections, and record the outcomes."""
        self.left_over, self.in_compliance = [], set()
        if holds.reason_of("mailchimp") is not None:
            # A probe is a call for one person, in case the refusal is about a person after all.
            return Progress.IDLE
        calls: dict[Future[list[Outcome]], list[Errand]] = {}
        while len(calls) < self._most and (batch := self._take()):
            calls[self._pool.submit(self._send, batch, time.monotonic())] = batch
        results = {self._record(calls[call], call.result()) for call in as_completed(calls)}
        # The first batch goes alone: if Mailchimp refuses everything, one call is enough to know.
        self._most = CONNECTIONS if results == {Progress.DONE} else 1
        for progress in (Progress.STOP, Progress.DONE, Progress.FAILED):
            if progress in results:
                return progress
        return Progress.IDLE

    def _take(self) -> list[Errand]:
        if not _anything_to_take():
            return []
        now = clock.now()
        with writing() as session:
            batch = [self._errand(row, now) for row in session.execute(_taken(now))]
            taken = [errand for errand in batch if errand is not None]
            _set(
                session,
                taken,
                audience=MailchimpStatus.UNKNOWN,
                audience_asked=MailchimpStatus.SUBSCRIBED,
                audience_settles_at=now + SETTLING,
            )
        return taken

    def _errand(self, row: Any, now: datetime) -> Errand | None:
        try:
            text = keyring.current().decrypt(row.address, ref=row.ref, column=ADDRESS_COLUMN)
        except Unreadable:
            self.left_over.append(row.ref)
            return None
        return Errand(
            ref=row.ref,
            digest=row.digest,
            round=row.round,
            joining=Joining(
                Address.unchecked(text), row.locale, row.asked_at or row.since, row.since
            ),
            wanted=MailchimpStatus.SUBSCRIBED,
            known=row.audience,
            synced_round=row.synced_round,
            asked=None,
            settles_at=None,
            taken_at=now,
        )

    def _send(self, batch: Sequence[Errand], began: float) -> list[Outcome]:
        try:
            return self._mailchimp.subscribe_all([errand.joining for errand in batch])
        except DeliveryFailure as failure:
            if failure.meaning not in REFUSALS:
                return [failure] * len(batch)
        # The whole batch was refused because of somebody in it: the others must not wait.
        if len(batch) == 1 or time.monotonic() - began > SPLITTING_SECONDS:
            return [None] * len(batch)
        half = len(batch) // 2
        return self._send(batch[:half], began) + self._send(batch[half:], began)

    def _record(self, batch: Sequence[Errand], outcomes: Sequence[Outcome]) -> Progress:
        told = list(zip(batch, outcomes, strict=True))
        _settle_all([errand for errand, outcome in told if outcome is MailchimpStatus.SUBSCRIBED])
        failed = [(errand, why) for errand, why in told if isinstance(why, DeliveryFailure)]
        for errand, failure in failed:
            if failure.reason == COMPLIANCE_STATE:
                self.in_compliance.add(errand.ref)
                self._leave_over(errand, errand.known)
        settling.fail_all([each for each in failed if each[0].ref not in self.in_compliance])
        for errand, outcome in told:
            if outcome is None:
                self._leave_over(errand, MailchimpStatus.UNKNOWN)
        reasons = Counter(failure.reason for _, failure in failed)
        log.info("mailchimp took %d of %d, failed: %s", len(told), len(batch), dict(reasons))
        return _progress_after(failed, len(batch))

    def _leave_over(self, errand: Errand, known: MailchimpStatus) -> None:
        settling.hand_back(errand, known)
        self.left_over.append(errand.ref)


def _progress_after(failed: Sequence[tuple[Errand, DeliveryFailure]], of: int) -> Progress:
    refusal = next((why for _, why in failed if why.meaning is Meaning.HOLD_ALL), None)
    if refusal is not None:
        holds.begin("mailchimp", refusal.reason)
        return Progress.STOP
    is_passing = len(failed) == of and all(why.meaning is Meaning.RETRY_LATER for _, why in failed)
    return Progress.FAILED if is_passing else Progress.DONE


def _settle_all(batch: Sequence[Errand]) -> None:
    """Record that all are subscribed; people who changed meanwhile are recorded one by one."""
    by_ref = {errand.ref: errand for errand in batch}
    with writing() as session:
        rows = session.execute(_UNMOVED, {"refs": list(by_ref)})
        unmoved = {row.ref: row.nonce for row in rows if row.round == by_ref[row.ref].round}
        settled = [errand for errand in batch if errand.ref in unmoved]
        _set(
            session,
            settled,
            audience=MailchimpStatus.SUBSCRIBED,
            audience_asked=None,
            audience_settles_at=None,
            audience_tries=0,
            audience_error=None,
            audience_try_at=None,
            synced_round=Subscription.round,
        )
        _log(session, settled, unmoved)
    for errand in batch:
        if errand.ref not in unmoved:
            settling.settle(errand, MailchimpStatus.SUBSCRIBED, is_change=True)


def _set(session: Session, batch: Sequence[Errand], **values: object) -> None:
    refs = [errand.ref for errand in batch]
    session.connection().execute(
        update(Subscription).where(Subscription.ref.in_(refs)).values(values)
    )


def _log(session: Session, settled: Sequence[Errand], nonces: Mapping[str, bytes | None]) -> None:
    now = clock.now()
    logged = [
        {
            "ref": errand.ref,
            "round": errand.round,
            "event": Event.SYNCED,
            "at": now,
            "detail": str(MailchimpStatus.SUBSCRIBED),
            "commitment": ledger.commitment(nonce, errand.joining.address) if nonce else None,
        }
        for errand in settled
        for nonce in (nonces[errand.ref],)
    ]
    if logged:
        session.connection().execute(insert(LedgerRow), logged)


def _anything_to_take() -> bool:
    with reading() as session:
        query = select(Subscription.ref).where(is_plain(clock.now())).limit(LEAST)
        return len(session.scalars(query).all()) == LEAST


_ASKED_AT = (
    select(func.min(LedgerRow.at))
    .where(
        LedgerRow.ref == Subscription.ref,
        LedgerRow.round == Subscription.round,
        LedgerRow.event == Event.SIGNUP,
    )
    .scalar_subquery()
)


def _taken(now: datetime) -> Select[*tuple[Any, ...]]:
    """Locked rows are skipped, so that this transaction does not wait while it locks others."""
    return (
        select(
            Subscription.ref,
            Subscription.digest,
            Subscription.round,
            Subscription.address,
            Subscription.locale,
            Subscription.since,
            Subscription.audience,
            Subscription.synced_round,
            _ASKED_AT.label("asked_at"),
        )
        .where(is_plain(now))
        .order_by(TURN)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )


_UNMOVED = (
    select(Subscription.ref, Subscription.round, Subscription.nonce)
    .where(
        Subscription.ref.in_(bindparam("refs", expanding=True)),
        Subscription.status == Status.CONFIRMED,
        Subscription.hold.is_(False),
        Subscription.audience == MailchimpStatus.UNKNOWN,
        Subscription.audience_asked == MailchimpStatus.SUBSCRIBED,
    )
    .with_for_update(skip_locked=True)
)
