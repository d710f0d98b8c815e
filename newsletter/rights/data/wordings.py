"""Withdrawn consent texts: deleted once no record names them; their hashes stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, update

from newsletter.rights.data.ending import Ending
from newsletter.storage.database import writing
from newsletter.storage.models import LedgerRow, Letter, PrivacyNotice, Subscription, Wording
from newsletter.storage.runs import retention as runs
from newsletter.texts.bilingual import Text
from newsletter.texts.described import DataClass

WORDINGS = DataClass(
    "wordings",
    ("wording", "privacy_notice"),
    Text(
        "Einwilligungstexte, und Kopien der Datenschutzerklärung, die sie nennen (nichts Personenbezogenes)",
        "Consent texts, and copies of the privacy notice that they name (nothing personal)",
    ),
    Text(
        "solange sie gelten oder ein Nachweis sie nennt; zurückgezogene danach gelöscht bis auf ihren Hash, "
        "damit sie niemand wieder verwendet",
        "as long as they are in use or a proof names them; withdrawn ones are then deleted except for "
        "their hash, so that none is used again",
    ),
    Text(
        "Art. 7 Abs. 1 DSGVO: der Wortlaut gehört zum Nachweis",
        "Art. 7(1) GDPR: the wording is part of the proof",
    ),
    is_personal=False,
)

#: A form that was loaded before the text was withdrawn may still be sent, and is told that it was.
GRACE = timedelta(hours=24)


def _has_ended(now: datetime) -> ColumnElement[bool]:
    return and_(
        Wording.withdrawn_at <= now - GRACE,
        ~exists().where(Subscription.wording == Wording.hash),
        ~exists().where(Letter.wording == Wording.hash),
        # Also after an erasure: the reference number still leads to the consent text.
        ~exists().where(LedgerRow.wording == Wording.hash),
    )


def _end(hash_: str) -> bool:
    with writing() as session:
        session.execute(delete(PrivacyNotice).where(PrivacyNotice.wording == hash_))
        # The row stays, or settings that go back to the text would publish it again.
        session.execute(update(Wording).where(Wording.hash == hash_).values(text=""))
        runs.count(session, WORDINGS.name)
    return True


ENDING = Ending(
    WORDINGS.name,
    Wording.hash,
    Wording.withdrawn_at,
    where=(Wording.text != "", Wording.withdrawn_at.is_not(None)),
    has_ended=_has_ended,
    ends_on=None,  # when the last record that names a text will end is not known
    end=_end,
)
