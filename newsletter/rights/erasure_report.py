"""The report of an erasure: what was deleted where, what is kept, why and until when (Art. 12, 17, 19 GDPR).

A completed erasure has a signed receipt with neither name nor address, which can be checked without us. It is made only
from what is stored, so that it always has the same octets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.config import Locale
from newsletter.domain import periods
from newsletter.domain.clock import rfc3339
from newsletter.storage.database import is_sqlite, reading
from newsletter.storage.keys import keyring, signing
from newsletter.storage.keys.signing import Document
from newsletter.storage.models import Erasure
from newsletter.subscriptions import erasures
from newsletter.texts import erasure_words
from newsletter.texts.bilingual import Text

SCHEMA = "doi-erasure/1"
DATABASE, MAILCHIMP, FILE = "database", "mailchimp", "database file"
BLOCK = "block"


def find(number: str, locale: Locale) -> dict[str, object] | None:
    """An erasure as staff see it, its report in a language; None if there is none by this id or reference."""
    with reading() as session:
        query = select(Erasure).where(or_(Erasure.id == number, Erasure.ref == number))
        erasure = session.scalar(query.order_by(Erasure.requested_at.desc()).limit(1))
        return None if erasure is None else of(session, erasure, locale)


def of(session: Session, erasure: Erasure, locale: Locale) -> dict[str, object]:
    """An erasure as JSON, with neither name nor address; a place is done when it is done for the whole case."""
    case = erasures.of_case(session, erasure.case_id)
    completed_at = _completed_at(case)
    return {
        "id": erasure.id,
        "status": "pending" if completed_at is None else "completed",
        "reference": erasure.ref,
        "requested_at": rfc3339(erasure.requested_at),
        "completed_at": rfc3339(completed_at) if completed_at else None,
        "keep_block": erasure.keep_block,
        "related": [each.id for each in case if each is not erasure],
        "places": _places(case),
        "report": _report(erasure, case, completed_at, locale),
        "receipt": receipt(erasure, case, completed_at) if completed_at else None,
    }


def _completed_at(case: Sequence[Erasure]) -> datetime | None:
    """When the last erasure of the case was completed; None while one is open."""
    return _latest([each.completed_at for each in case])


def _latest(times: Sequence[datetime | None]) -> datetime | None:
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None


def _places(case: Sequence[Erasure]) -> list[dict[str, object]]:
    places: list[dict[str, object]] = [
        {"place": DATABASE, "state": "done", "reason": None},
        _place(MAILCHIMP, [(each.mailchimp_done_at, each.error) for each in case]),
    ]
    if is_sqlite():
        places.append(_place(FILE, [(each.file_done_at, None) for each in case]))
    return places


def _place(name: str, states: Sequence[tuple[datetime | None, str | None]]) -> dict[str, object]:
    waiting = [reason for done_at, reason in states if done_at is None]
    if not waiting:
        return {"place": name, "state": "done", "reason": None}
    # A rejected call is repeated, but staff should look at it.
    rejected = [reason for reason in waiting if reason and reason.startswith("rejected")]
    reason = next((reason for reason in [*rejected, *waiting] if reason), None)
    if reason is None and name == MAILCHIMP and config.current().mailchimp_api_key is None:
        reason = "no MAILCHIMP_API_KEY"
    return {"place": name, "state": "failed" if rejected else "waiting", "reason": reason}


def _deleted_at(erasure: Erasure, case: Sequence[Erasure]) -> dict[str, datetime | None]:
    """When each place had deleted, None if not yet; by the stored times, whatever the database is now."""
    at = {DATABASE: erasure.requested_at, MAILCHIMP: _latest([e.mailchimp_done_at for e in case])}
    has_file = erasure.file_done_at is not None or (erasure.completed_at is None and is_sqlite())
    return at | ({FILE: _latest([each.file_done_at for each in case])} if has_file else {})


def _was_known(place: str, erasure: Erasure, case: Sequence[Erasure]) -> bool | None:
    """Tell whether anybody was known there; None until Mailchimp was asked."""
    if place != MAILCHIMP:
        return erasures.SUBSCRIPTION in erasure.found
    if any(each.found_at_mailchimp for each in case):
        return True
    return None if any(each.mailchimp_done_at is None for each in case) else False


def _deleted(place: str, erasure: Erasure, case: Sequence[Erasure]) -> list[tuple[str, Text]]:
    """What existed there, and is not kept."""
    texts = erasure_words.DELETED[place]
    if place == MAILCHIMP:
        return list(texts) if _was_known(place, erasure, case) else []
    if place == FILE:
        return list(texts)
    kept = {BLOCK} if erasure.keep_block else set()
    return [(code, text) for code, text in texts if code in set(erasure.found) - kept]


def _note(place: str, was_known: bool | None) -> Text | None:
    if was_known or place == FILE:
        return None
    return erasure_words.NOT_ASKED_YET if was_known is None else erasure_words.NOBODY[place]


def _report(
    erasure: Erasure, case: Sequence[Erasure], completed_at: datetime | None, locale: Locale
) -> dict[str, object]:
    return {
        "deleted": [
            _deleted_there(place, at, erasure, case, locale)
            for place, at in _deleted_at(erasure, case).items()
        ],
        "kept": [_kept(code, completed_at, locale) for code in _kept_codes(erasure, completed_at)],
        "rights": erasure_words.RIGHTS.in_(locale),
        "authority": config.current().authority,
    }


def _deleted_there(
    place: str,
    at: datetime | None,
    erasure: Erasure,
    case: Sequence[Erasure],
    locale: Locale,
) -> dict[str, object]:
    was_known = _was_known(place, erasure, case)
    note = _note(place, was_known)
    what = _deleted(place, erasure, case)
    return {
        "place": place,
        "at": rfc3339(at) if at else None,
        "was_known": was_known,
        "what": [{"code": code, "text": text.in_(locale)} for code, text in what],
        "note": note.in_(locale) if note else None,
    }


def _kept_codes(erasure: Erasure, completed_at: datetime | None) -> list[str]:
    waiting = ["address"] if completed_at is None else []
    block = [BLOCK] if erasure.keep_block else []
    return [*waiting, "ledger", *block, "record", "backups"]


def _kept(code: str, completed_at: datetime | None, locale: Locale) -> dict[str, object]:
    kept = erasure_words.KEPT[code]
    until = None
    if code == "record" and completed_at is not None:
        until = periods.kept_until(completed_at, config.current().zone)
    return {
        "code": code,
        "text": kept.text.in_(locale),
        "why": kept.why.in_(locale),
        "articles": [article.in_(locale) for article in kept.articles],
        "period": kept.period.in_(locale),
        "until": until.isoformat() if until else None,
    }


def receipt(erasure: Erasure, case: Sequence[Erasure], completed_at: datetime) -> Document:
    """The signed receipt, for the person who has the reference number from the e-mails."""
    document: Document = {
        "schema": SCHEMA,
        "id": erasure.id,
        "reference": erasure.ref,
        "related_references": sorted(each.ref for each in case if each is not erasure),
        "requested_at": rfc3339(erasure.requested_at),
        "completed_at": rfc3339(completed_at),
        "deleted": [
            {
                "place": place,
                "at": rfc3339(at),
                "was_known": bool(_was_known(place, erasure, case)),
                "what": [code for code, _ in _deleted(place, erasure, case)],
            }
            for place, at in _deleted_at(erasure, case).items()
            if at is not None
        ],
        "kept": _kept_codes(erasure, completed_at),
        "statement": erasure_words.statement(
            was_known_here=bool(_was_known(DATABASE, erasure, case)),
            was_known_at_mailchimp=bool(_was_known(MAILCHIMP, erasure, case)),
        ),
    }
    return signing.sign(document, keyring.signer())
