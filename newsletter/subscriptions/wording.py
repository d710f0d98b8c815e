"""The consent texts: rendered from settings, immutable, identified by their hash.

A changed setting or template makes a new text. It is stored before it is first shown, and kept as long as a record
names it. A withdrawn text is never shown or accepted again: each process checks its cached texts in the database, and
the row outlives the text, so that settings that go back to it do not publish it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace

from flask import current_app
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.config import Locale, Settings
from newsletter.domain import clock
from newsletter.domain.consent import ConsentText
from newsletter.domain.errors import UnknownWording
from newsletter.domain.lifecycle import SignUp
from newsletter.storage import statements
from newsletter.storage.database import reading, writing
from newsletter.storage.models import PrivacyNotice, Wording


def render(language: Locale, settings: Settings) -> ConsentText:
    """The text of these settings and the present template."""
    template = current_app.jinja_env.get_template(f"wordings/{language}.txt")
    text = template.render(
        organisation=settings.organisation,
        topics=settings.topics_in(language),
        contact_email=settings.contact_email,
        privacy_url=settings.privacy_url_in(language),
    )
    text = " ".join(text.split())
    return ConsentText(hashlib.sha256(f"{language}\n{text}".encode()).hexdigest(), language, text)


def publish(session: Session) -> dict[str, ConsentText]:
    """Store the settings' texts unless they are stored; return them by language."""
    texts = rendered()
    for text in texts.values():
        statements.insert_missing(session, Wording, **asdict(text), published_at=clock.now())
        _keep_notice(session, text)
    return texts


def _keep_notice(session: Session, consent: ConsentText) -> None:
    """Keep a dated copy of the privacy notice that a consent text names, if it has changed."""
    text = config.current().privacy_text_in(consent.language)
    if text is None:
        return
    hash_ = hashlib.sha256(text.encode()).hexdigest()
    of_text = select(PrivacyNotice.hash).where(PrivacyNotice.wording == consent.hash)
    if session.scalar(of_text.order_by(PrivacyNotice.since.desc()).limit(1)) != hash_:
        notice = {"wording": consent.hash, "since": clock.now(), "hash": hash_, "text": text}
        statements.append(session, PrivacyNotice, **notice)


def rendered() -> dict[str, ConsentText]:
    """The settings' texts by language, withdrawn or not."""
    settings = config.current()
    return {language: render(language, settings) for language in settings.locales}


def current(locale: str) -> ConsentText:
    """The text to show now; in the default language if `locale` is not offered.

    Raise UnknownWording if all texts were withdrawn.
    """
    if "wordings" not in current_app.extensions:
        current_app.extensions["wordings"] = _published()
    with reading() as session:
        return _pick(session, current_app.extensions["wordings"], locale)


def offered(hash_: str | None, locale: str) -> ConsentText:
    """The text that a form names, or the present one if it names none; raise UnknownWording."""
    return current(locale) if hash_ is None else find(hash_)


def offered_cached(hash_: str | None, locale: str) -> ConsentText:
    """`offered` without a query, if this process has cached the text.

    The text may have been withdrawn: the transaction of the sign-up checks that (WITHDRAWN_AT).
    """
    present = current_app.extensions.get("wordings")
    if hash_ is None:
        return present[locale] if present and locale in present else current(locale)
    return next((text for text in (present or {}).values() if text.hash == hash_), None) or find(
        hash_
    )


def replaced(session: Session, action: SignUp) -> SignUp:
    """A sign-up whose text was withdrawn, with another one if it was presumed. Raise UnknownWording if it was named."""
    if not action.is_presumed:
        raise UnknownWording
    return replace(action, consent=current_in(session, action.consent.language))


def _published() -> dict[str, ConsentText]:
    # The release has usually published them, so that a process can start while the database cannot be written.
    texts = rendered()
    with reading() as session:
        are_there = all(session.get(Wording, text.hash) for text in texts.values())
    if not are_there:
        with writing() as session:
            publish(session)
    return texts


def current_in(session: Session, locale: str) -> ConsentText:
    """`current` within a transaction of `writing`."""
    return _pick(session, current_app.extensions.get("wordings") or publish(session), locale)


def preview(locale: str) -> ConsentText:
    """`current` without storing the text. Raise UnknownWording."""
    with reading() as session:
        return _pick(session, rendered(), locale)


def _pick(session: Session, texts: Mapping[str, ConsentText], locale: str) -> ConsentText:
    """The settings' text; if that is withdrawn, the newest that is not, so that sign-ups are still possible."""
    for language in dict.fromkeys((locale, config.current().default_locale, *texts)):
        if (own := texts.get(language)) is None:
            continue
        if not session.connection().execute(_IS_WITHDRAWN, {"hash": own.hash}).scalar():
            return own
        if (other := session.scalar(_NEWEST, {"language": own.language})) is not None:
            return text_of(other)
    raise UnknownWording


# Built once, since every form and every sign-up needs them.
_IS_WITHDRAWN = select(Wording.withdrawn_at.is_not(None)).where(Wording.hash == bindparam("hash"))
#: NULL also where there is no such text.
WITHDRAWN_AT = (
    select(Wording.withdrawn_at).where(Wording.hash == bindparam("hash")).scalar_subquery()
)
_NEWEST = (
    select(Wording)
    .where(Wording.language == bindparam("language"), Wording.withdrawn_at.is_(None))
    .order_by(Wording.published_at.desc(), Wording.hash)
    .limit(1)
)


def find(hash_: str) -> ConsentText:
    """The text with this hash; raise UnknownWording if there is none, or if it was withdrawn."""
    with reading() as session:
        row = session.get(Wording, hash_)
    if row is None or row.withdrawn_at is not None:
        raise UnknownWording
    return text_of(row)


def find_any(session: Session, hash_: str) -> ConsentText:
    """The text that a letter or the ledger names, withdrawn or not; cached, since it never changes."""
    texts: dict[str, ConsentText] = current_app.extensions.setdefault("texts", {})
    if hash_ not in texts:
        texts[hash_] = text_of(session.get_one(Wording, hash_))
    return texts[hash_]


def text_of(row: Wording) -> ConsentText:
    return ConsentText(row.hash, row.language, row.text)
