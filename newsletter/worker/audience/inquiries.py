"""Asks Mailchimp about addresses that staff ask about and that are unknown here."""

from __future__ import annotations

from sqlalchemy import select

from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure, Meaning, Unreadable
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Inquiry
from newsletter.storage.moments import has_come
from newsletter.subscriptions import inquiries
from newsletter.worker import backoff
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.progress import Progress, after_failure


class Inquiries:
    def __init__(self, mailchimp: Mailchimp) -> None:
        self._mailchimp = mailchimp

    def step(self) -> Progress:
        """Ask about one address."""
        inquiry = _next_due()
        if inquiry is None:
            return Progress.IDLE
        try:
            member = self._mailchimp.look_up(inquiries.address_of(inquiry))
        except Unreadable:
            _postpone(inquiry.id, "unreadable", is_tried=True)
            return Progress.FAILED
        except DeliveryFailure as failure:
            is_tried = failure.meaning is not Meaning.HOLD_ALL
            _postpone(inquiry.id, failure.reason, is_tried=is_tried)
            return after_failure(failure)
        _settle(inquiry.id, member.place if member is not None else MailchimpStatus.ABSENT)
        return Progress.DONE


def _next_due() -> Inquiry | None:
    now = clock.now()
    is_due = has_come(Inquiry.try_at, now, backoff.latest_after(Inquiry.tries, now))
    query = select(Inquiry).where(Inquiry.place.is_(None), is_due).order_by(Inquiry.asked_at)
    with reading() as session:
        return session.scalar(query.limit(1))


def _settle(id_: str, place: MailchimpStatus) -> None:
    with writing() as session:
        if (inquiry := session.get(Inquiry, id_, with_for_update=True)) is not None:
            inquiry.place, inquiry.error = place, None


def _postpone(id_: str, reason: str, *, is_tried: bool) -> None:
    with writing() as session:
        if (inquiry := session.get(Inquiry, id_, with_for_update=True)) is not None:
            backoff.postpone(inquiry, reason, is_tried=is_tried)
