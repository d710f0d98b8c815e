"""Erasures: the address until Mailchimp has confirmed, the record to the end of the third calendar year."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, or_
from sqlalchemy.orm import aliased

from newsletter.rights.data.ending import Ending, day_after_third_year, end_by, third_year_ended
from newsletter.storage.models import Erasure
from newsletter.texts.bilingual import Text
from newsletter.texts.described import DataClass

OPEN_ERASURES = DataClass(
    "open_erasures",
    ("erasure.address", "erasure.digest", "erasure.settles_at", "erasure.error"),
    Text(
        "Laufende Löschungen: die verschlüsselte Adresse und ihr Kennwert",
        "Deletions under way: the encrypted address and its code",
    ),
    Text("bis Mailchimp die Löschung bestätigt hat", "until Mailchimp has confirmed the deletion"),
    Text(
        "Art. 17 Abs. 1, Art. 19 DSGVO: der Empfänger muss erfahren, wen er löschen soll",
        "Art. 17(1), 19 GDPR: the recipient has to know whom to delete",
    ),
)

ERASURES = DataClass(
    "erasures",
    (
        "erasure.id",
        "erasure.ref",
        "erasure.case_id",
        "erasure.keep_block",
        "erasure.found",
        "erasure.found_at_mailchimp",
        "erasure.actor",
        "erasure.requested_at",
        "erasure.try_at",
        "erasure.tries",
        "erasure.mailchimp_done_at",
        "erasure.deleted_at",
        "erasure.file_done_at",
        "erasure.completed_at",
    ),
    Text(
        "Belege erledigter Löschungen: Vorgangsnummer und Zeiten, weder Name noch E-Mail-Adresse",
        "Records of completed deletions: reference number and times, neither name nor e-mail address",
    ),
    Text(
        "bis zum Ende des dritten Kalenderjahres nach der Erledigung",
        "until the end of the third calendar year after their completion",
    ),
    Text(
        "Art. 5 Abs. 2, Art. 12 Abs. 3 DSGVO: Nachweis, dass gelöscht wurde",
        "Art. 5(2), 12(3) GDPR: proof that data was deleted",
    ),
)

_OTHER = aliased(Erasure)


def _has_ended(now: datetime) -> ColumnElement[bool]:
    """The records of one case end together."""
    end = third_year_ended(now)
    is_of_case = _OTHER.case_id == Erasure.case_id
    is_kept = or_(_OTHER.completed_at.is_(None), _OTHER.completed_at >= end)
    return and_(Erasure.completed_at < end, ~exists().where(is_of_case, is_kept))


ENDING = Ending(
    ERASURES.name,
    Erasure.id,
    Erasure.completed_at,
    where=(Erasure.completed_at.is_not(None),),
    has_ended=_has_ended,
    ends_on=day_after_third_year,
    end=end_by(ERASURES.name, lambda id_: delete(Erasure).where(Erasure.id == id_)),
)
