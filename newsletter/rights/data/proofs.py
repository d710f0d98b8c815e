"""Proofs of earlier consents, and blocks: erased after the third calendar year, at Mailchimp too."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from newsletter.domain import periods
from newsletter.domain.lifecycle import SOFT_REASONS, Event, Reason, Status
from newsletter.ledger import log
from newsletter.rights.data.consents import ONE_ADDRESS
from newsletter.rights.data.ending import Ending, day_after_third_year, third_year_ended
from newsletter.storage.models import Subscription
from newsletter.subscriptions.ending import retire
from newsletter.texts.bilingual import Text
from newsletter.texts.described import DataClass

PROOFS = DataClass(
    "proofs",
    ("subscription.left_at", *ONE_ADDRESS),
    Text(
        "Nachweis der früheren Einwilligung nach Widerruf oder Sperre, und jede Sperre, die eine neue "
        "bestätigte Anmeldung aufhebt",
        "Proof of the earlier consent after a withdrawal or block, and every block that a new, "
        "confirmed sign-up ends",
    ),
    Text(
        "bis zum Ende des dritten Kalenderjahres nach der Abmeldung oder Sperre; eine neue, unbestätigte "
        "Anmeldung verlängert das nicht",
        "until the end of the third calendar year after the withdrawal or block; a new, unconfirmed sign-up "
        "does not extend this",
    ),
    Text(
        "Art. 17 Abs. 3 lit. e DSGVO, §§ 195, 199 BGB: Verjährung möglicher Ansprüche",
        "Art. 17(3)(e) GDPR, §§ 195, 199 BGB: when possible claims become time-barred",
    ),
)

#: The digest of a hard block has no end.
_ENDS = or_(
    Subscription.address.is_not(None),
    Subscription.confirmed_round.is_not(None),
    Subscription.reason.in_([*SOFT_REASONS, Reason.BOUNCE]),
)
_IS_BLOCKED = Subscription.status.in_((Status.BLOCKED, Status.RETURNING))


def _has_ended(now: datetime) -> ColumnElement[bool]:
    # A proof waits for the end of a later request.
    no_request = or_(Subscription.expires_at.is_(None), Subscription.expires_at <= now)
    return and_(Subscription.left_at < third_year_ended(now), no_request)


ENDING = Ending(
    PROOFS.name,
    Subscription.ref,
    Subscription.left_at,
    where=(_IS_BLOCKED, Subscription.hold.is_(False), _ENDS),
    has_ended=_has_ended,
    ends_on=day_after_third_year,
    end=retire,
    in_ledger=lambda: log.count(Event.ERASED, actor=periods.ACTOR),
)
