"""Addresses that staff ask about and that are unknown here: deleted after a day."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from newsletter.domain import clock
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Inquiry
from newsletter.texts.bilingual import Text
from newsletter.texts.described import DataClass

INQUIRIES = DataClass(
    "inquiries",
    ("inquiry",),
    Text(
        "Adressen, nach denen die Verwaltung für eine Auskunft fragt und die hier unbekannt sind, und die Antwort"
        " von Mailchimp",
        "Addresses that staff ask about for an access request and that are unknown here, and Mailchimp’s answer",
    ),
    Text("24 Stunden; eine Löschung löscht es sofort", "24 hours; a deletion deletes it at once"),
    Text(
        "Art. 12, 15 DSGVO: eine Auskunft soll auch stimmen, wenn nur Mailchimp jemanden kennt",
        "Art. 12, 15 GDPR: an answer has to be true, too, where only Mailchimp knows somebody",
    ),
)

PERIOD = timedelta(hours=24)


def purge() -> None:
    """Delete inquiries whose period is over."""
    has_ended = Inquiry.asked_at <= clock.now() - PERIOD
    with reading() as session:
        if session.scalar(select(Inquiry.id).where(has_ended).limit(1)) is None:
            return
    with writing() as session:
        session.execute(delete(Inquiry).where(has_ended))
