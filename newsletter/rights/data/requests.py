"""Sign-ups that nobody confirmed: deleted when the confirmation link ends."""

from __future__ import annotations

from newsletter.domain.lifecycle import Event
from newsletter.ledger import log
from newsletter.rights.data.consents import ONE_ADDRESS
from newsletter.rights.data.ending import Ending, day_of
from newsletter.storage.models import Subscription
from newsletter.subscriptions.ending import expire
from newsletter.texts.bilingual import Text
from newsletter.texts.described import DataClass

REQUESTS = DataClass(
    "requests",
    ("subscription.expires_at", "subscription.replaces_ref", *ONE_ADDRESS),
    Text(
        "Anmeldungen, die niemand bestätigt hat: Adresse, Zeiten, Einwilligungstext",
        "Sign-ups that nobody confirmed: address, times, consent text",
    ),
    Text(
        "bis zum Ende des Bestätigungslinks, dann binnen 24 Stunden gelöscht",
        "until the confirmation link ends, then deleted within 24 hours",
    ),
    Text(
        "Art. 5 Abs. 1 lit. e, Art. 17 Abs. 1 lit. a DSGVO: ohne Bestätigung kein Zweck",
        "Art. 5(1)(e), 17(1)(a) GDPR: without a confirmation there is no purpose",
    ),
)

ENDING = Ending(
    REQUESTS.name,
    Subscription.ref,
    Subscription.expires_at,
    where=(Subscription.expires_at.is_not(None), Subscription.hold.is_(False)),
    has_ended=lambda now: Subscription.expires_at <= now,
    ends_on=day_of,
    end=expire,
    in_ledger=lambda: log.count(Event.EXPIRED),
)
