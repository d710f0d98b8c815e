"""A sample of each e-mail."""

from __future__ import annotations

from newsletter.config import Locale, Settings
from newsletter.storage.models import LetterKind
from newsletter.texts.letters import ConfirmationValues, LetterValues, MyDataValues, WayBackValues
from newsletter.web.samples.times import DELETED_BY, EXPIRES_AT, REQUESTED_AT


def letter_values(
    kind: LetterKind, language: Locale, settings: Settings, consent_text: str
) -> LetterValues:
    """What is in an e-mail of this kind."""
    match kind:
        case LetterKind.CONFIRMATION:
            return _confirmation(language, settings, consent_text)
        case LetterKind.WAY_BACK:
            return _way_back(language, settings)
        case LetterKind.MY_DATA:
            return _my_data(language, settings)


def _confirmation(language: Locale, settings: Settings, consent_text: str) -> LetterValues:
    return ConfirmationValues(
        recipient="ada@example.com",
        language=language,
        consent_text=consent_text,
        requested_at=REQUESTED_AT,
        expires_at=EXPIRES_AT,
        deleted_by=DELETED_BY,
        confirm_url=f"{settings.public_url}/confirm/sample",
        not_me_url=f"{settings.public_url}/not-me/sample",
        from_our_form=True,
        reference="0" * 32,
        message_id="<sample@example.com>",
        sent_at=REQUESTED_AT,
    )


def _way_back(language: Locale, settings: Settings) -> LetterValues:
    return WayBackValues(
        recipient="ada@example.com",
        language=language,
        confirmed_at=REQUESTED_AT,
        signup_url=settings.mailchimp_signup_url or "https://example.com/mailchimp-form",
        unsubscribe_url=f"{settings.public_url}/unsubscribe/sample",
        reference="0" * 32,
        message_id="<sample@example.com>",
        sent_at=EXPIRES_AT,
    )


def _my_data(language: Locale, settings: Settings) -> LetterValues:
    return MyDataValues(
        recipient="ada@example.com",
        language=language,
        requested_at=REQUESTED_AT,
        expires_at=EXPIRES_AT,
        my_data_url=f"{settings.public_url}/my-data/sample",
        reference="0" * 32,
        message_id="<sample@example.com>",
        sent_at=REQUESTED_AT,
    )
