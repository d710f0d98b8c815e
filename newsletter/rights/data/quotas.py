"""When e-mails were sent to an address: deleted after 24 hours."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from newsletter.domain import clock
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Quota
from newsletter.texts.bilingual import Text
from newsletter.texts.described import DataClass

QUOTAS = DataClass(
    "quotas",
    ("quota",),
    Text(
        "Wann zuletzt E-Mails an eine Adresse gingen (Kennwert, aus dem sie sich nicht ablesen lässt, und Zeiten)",
        "When e-mails were recently sent to an address (code from which it cannot be read, and times)",
    ),
    Text("24 Stunden; eine Löschung löscht es sofort", "24 hours; a deletion deletes it at once"),
    Text(
        "Art. 6 Abs. 1 lit. f DSGVO: niemand soll mit Bestätigungsmails überhäuft werden",
        "Art. 6(1)(f) GDPR: nobody should be flooded with confirmation e-mails",
    ),
)

PERIOD = timedelta(hours=24)
BATCH = 1000  #: rows deleted in one transaction, so that no sign-up waits long for it


def purge() -> bool:
    """Delete a batch; True if there may be more."""
    ended = clock.now() - PERIOD
    query = select(Quota.digest).where(Quota.touched_at <= ended).limit(BATCH)
    with reading() as session:
        digests = session.scalars(query).all()
    if not digests:
        return False
    with writing() as session:
        # The period is checked again: another letter may have been written meanwhile.
        has_ended = (Quota.digest.in_(digests), Quota.touched_at <= ended)
        session.execute(delete(Quota).where(*has_ended))
    return len(digests) == BATCH
