"""What a record of consent says beside the facts: who asks, for what, how long, and what the person may do.

The fields are those of ISO/IEC TS 27560:2023, in lower case with underscores. Their words are in the language that the
person signed up in; what exactly was agreed to says the consent text alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from newsletter.config import Locale, Settings
from newsletter.domain import periods
from newsletter.domain.lifecycle import Status
from newsletter.storage.models import Subscription
from newsletter.texts import formatting

CONFORMS_TO = "ISO/IEC TS 27560:2023"
_MAILCHIMP = "Mailchimp (The Rocket Science Group LLC, Atlanta)"


class _Words(NamedTuple):
    purpose: str
    lawful_basis: str
    pii: str
    collection: str
    processing: str
    here: str
    recipient: str
    validity: str
    until_withdrawn: str
    until_expired: str
    until_day: str
    nothing: str
    newsletter_link: str
    by_email: str
    rights: tuple[str, ...]


_WORDS: dict[Locale, _Words] = {
    "de": _Words(
        "Zusendung des Newsletters von {organisation} per E-Mail; worum es darin geht, sagt der Einwilligungstext",
        "Art. 6 Abs. 1 Buchst. a DSGVO, § 7 Abs. 2 Nr. 2 UWG; für den Nachweis nach einem Widerruf Art. 6 Abs. 1 "
        "Buchst. f, Art. 17 Abs. 3 Buchst. e DSGVO",
        "E-Mail-Adresse",
        "Formular im Web, bestätigt über einen Link an diese Adresse (Double-Opt-in)",
        "Speichern, Senden, Übermitteln an den Auftragsverarbeiter",
        "Datenbank des Verantwortlichen",
        "Auftragsverarbeiter für den Versand, erst nach der Bestätigung",
        "bis zum Widerruf",
        "bis zum Widerruf; der Nachweis danach bis zum Ende des dritten Kalenderjahres",
        "binnen 24 Stunden nach {moment} gelöscht, wenn nicht bestätigt wird",
        "der Nachweis bis {day}, dann gelöscht",
        "gelöscht; die Ereignisse unter der Vorgangsnummer sagen nichts mehr über eine Person",
        "der Abmeldelink in jedem Newsletter",
        "per E-Mail an {contact}",
        (
            "Auskunft (Art. 15 DSGVO)",
            "Berichtigung (Art. 16)",
            "Löschung (Art. 17)",
            "Einschränkung der Verarbeitung (Art. 18)",
            "Datenübertragbarkeit (Art. 20)",
            "Widerspruch gegen das, was auf Art. 6 Abs. 1 Buchst. f beruht (Art. 21)",
            "Widerruf der Einwilligung, jederzeit (Art. 7 Abs. 3)",
            "Beschwerde bei einer Aufsichtsbehörde (Art. 77)",
        ),
    ),
    "en": _Words(
        "Sending the newsletter of {organisation} by e-mail; what it is about, the consent text says",
        "Art. 6(1)(a) GDPR, § 7(2) no. 2 UWG; for the proof after a withdrawal Art. 6(1)(f), 17(3)(e) GDPR",
        "e-mail address",
        "Form on the web, confirmed by a link to this address (double opt-in)",
        "Storing, sending, passing on to the processor",
        "the controller's database",
        "processor that sends it, only after the confirmation",
        "until withdrawn",
        "until withdrawn; the proof after that to the end of the third calendar year",
        "deleted within 24 hours of {moment} unless confirmed",
        "the proof until {day}, then deleted",
        "deleted; the events under the reference number tell of nobody any more",
        "the unsubscribe link in every newsletter",
        "by e-mail to {contact}",
        (
            "access (Art. 15 GDPR)",
            "rectification (Art. 16)",
            "erasure (Art. 17)",
            "restriction of processing (Art. 18)",
            "portability (Art. 20)",
            "objecting to what rests on Art. 6(1)(f) (Art. 21)",
            "withdrawing the consent at any time (Art. 7(3))",
            "a complaint to a supervisory authority (Art. 77)",
        ),
    ),
}


def duties(
    row: Subscription | None, language: Locale, settings: Settings, *, link: str | None = None
) -> dict[str, Any]:
    """Controller, purpose and rights; `link` is the person's own to withdraw, for their eyes alone."""
    words = _WORDS[language]
    contact = settings.contact_email
    withdrawal = [words.newsletter_link, words.by_email.format(contact=contact)]
    return {
        "language": language,
        "privacy_notice": settings.privacy_url_in(language),
        "controller": {
            "name": settings.organisation,
            "address": settings.imprint_in(language),
            "contact": contact,
            "type": "controller",
        },
        "purposes": [
            {
                "purpose": words.purpose.format(organisation=settings.organisation),
                "purpose_type": "marketing",
                "lawful_basis": words.lawful_basis,
                "consent_type": "explicit",
                "pii": [{"type": words.pii, "optional": False, "sensitive": False}],
                "collection_method": words.collection,
                "processing_method": words.processing,
                "storage_locations": [words.here, "Mailchimp (US)"],
                "retention_period": _retention(row, language, settings),
                "recipient_third_parties": [
                    {"name": _MAILCHIMP, "role": words.recipient, "country": "US"}
                ],
                "withdrawal_method": [link, *withdrawal] if link else withdrawal,
                "validity_duration": words.validity,
                "jurisdiction": "DE",
            }
        ],
        "privacy_rights": list(words.rights),
        "authority": settings.authority,
    }


def _retention(row: Subscription | None, language: Locale, settings: Settings) -> str:
    words = _WORDS[language]
    if row is None:
        return words.nothing
    if row.status is Status.PENDING and row.expires_at is not None:
        moment = formatting.moment(row.expires_at, language, settings.zone)
        return words.until_expired.format(moment=moment)
    if row.left_at is not None:
        day = periods.proof_until(row.left_at, settings.zone)
        told = formatting.long_date(day, language, settings.zone)
        return words.until_day.format(day=told)
    return words.until_withdrawn
