"""The statements of the controller beside the data, in German and English: purpose, recipients, rights.

Art. 13 and 15 GDPR require them in notices and access exports, ISO/IEC TS 27560:2023 in a record of consent, whose
field names `consent_record` uses, in lower case with underscores.
"""

from __future__ import annotations

from typing import Any

from newsletter.config import Locale, Settings
from newsletter.storage.models import Subscription
from newsletter.texts import retention_words, third_countries
from newsletter.texts.bilingual import Text

CONFORMS_TO = "ISO/IEC TS 27560:2023"
MAILCHIMP = "Mailchimp (The Rocket Science Group LLC, USA)"

PURPOSE = Text(
    "Versand des Newsletters von {organisation} per E-Mail und Nachweis der Einwilligung dazu; eine Sperre dient dazu, "
    "einen Widerruf oder Widerspruch zu beachten",
    "Sending the newsletter of {organisation} by e-mail, and proving the consent to it; a block serves to respect a "
    "withdrawal or an objection",
)
LAWFUL_BASIS = Text(
    "Versand: Einwilligung (Art. 6 Abs. 1 lit. a DSGVO, § 7 Abs. 2 Nr. 2 UWG); Nachweis: Art. 7 Abs. 1, nach einem "
    "Widerruf Art. 6 Abs. 1 lit. f, Art. 17 Abs. 3 lit. e DSGVO; Sperre: Art. 6 Abs. 1 lit. f, Art. 21 Abs. 3 DSGVO",
    "sending: consent (Art. 6(1)(a) GDPR, § 7(2) no. 2 UWG); proof: Art. 7(1), after a withdrawal Art. 6(1)(f), "
    "17(3)(e) GDPR; block: Art. 6(1)(f), 21(3) GDPR",
)
ORIGIN = Text(
    "Im Anmeldeformular eingetragen und, wo es vermerkt ist, vom Inhaber der Adresse bestätigt; oder uns mit einem "
    "Widerruf oder einer Sperre genannt.",
    "Entered in the sign-up form and, where noted, confirmed by the owner of the address; or given to us with a "
    "withdrawal or a block.",
)
ORIGIN_OF_CORRECTED = Text(
    "Uns als neue Adresse einer früheren Anmeldung genannt und, wo es vermerkt ist, vom Inhaber bestätigt.",
    "Given to us as the new address of an earlier sign-up and, where noted, confirmed by its owner.",
)
ORIGIN_OF_TAKEN_OVER = Text(
    "Aus einem anderen System übernommen; was dort zur Einwilligung oder Abmeldung angegeben war, steht, soweit es "
    "aufbewahrt ist, unter „Übernommen“.",
    "Taken over from another system; what was stated there about the consent or the withdrawal is, as far as it is "
    "kept, listed under “Taken over”.",
)
MAILCHIMP_ROLE = Text(
    "Auftragsverarbeiter für den Versand, erst nach der Bestätigung",
    "processor that sends the newsletter, only after the confirmation",
)
RIGHTS = (
    Text("Auskunft (Art. 15 DSGVO)", "access (Art. 15 GDPR)"),
    Text("Berichtigung (Art. 16 DSGVO)", "rectification (Art. 16 GDPR)"),
    Text("Löschung (Art. 17 DSGVO)", "erasure (Art. 17 GDPR)"),
    Text("Einschränkung der Verarbeitung (Art. 18 DSGVO)", "restriction (Art. 18 GDPR)"),
    Text("Datenübertragbarkeit (Art. 20 DSGVO)", "portability (Art. 20 GDPR)"),
    Text(
        "Widerspruch gegen Verarbeitungen, die auf Art. 6 Abs. 1 lit. f DSGVO beruhen (Art. 21 DSGVO)",
        "objection to processing that rests on Art. 6(1)(f) GDPR (Art. 21 GDPR)",
    ),
    Text(
        "Widerruf der Einwilligung, jederzeit (Art. 7 Abs. 3 DSGVO)",
        "withdrawal of the consent at any time (Art. 7(3) GDPR)",
    ),
    Text(
        "Beschwerde bei einer Aufsichtsbehörde (Art. 77 DSGVO)",
        "complaint to a supervisory authority (Art. 77 GDPR)",
    ),
)

_HOSTING = Text(
    "Auftragsverarbeiter für Betrieb oder E-Mail-Versand", "processor for hosting or e-mail"
)
_MAIL = Text("Mailserver für unsere E-Mails", "mail server for our e-mails")
_UNNAMED = Text(
    "Dienstleister, die unsere Server in unserem Auftrag betreiben (Art. 28 DSGVO)",
    "providers that run our servers on our behalf (Art. 28 GDPR)",
)

_COLLECTION = Text(
    "Formular im Web, bestätigt über einen Link an diese Adresse (Double-Opt-in)",
    "form on the web, confirmed by a link to this address (double opt-in)",
)
_TAKEN_OVER = Text(
    "aus einem anderen System übernommen; Nachweis, soweit er dort angegeben ist",
    "taken over from another system; evidence as stated there",
)
_PROCESSING = Text(
    "Speichern, Senden, Übermitteln an den Auftragsverarbeiter",
    "storing, sending, passing on to the processor",
)
_STORAGE = Text("Datenbank des Verantwortlichen", "the controller’s database")
_ADDRESS = Text("E-Mail-Adresse", "e-mail address")
_VALIDITY = Text("bis zum Widerruf", "until withdrawn")
_BY_LINK = Text("der Abmeldelink in jedem Newsletter", "the unsubscribe link in every newsletter")
_BY_EMAIL = Text("per E-Mail an {contact}", "by e-mail to {contact}")


def access_duties(
    row: Subscription, settings: Settings, locale: Locale, *, is_taken_over: bool
) -> dict[str, object]:
    """The information that Art. 15(1) and (2) GDPR require beside one person's data."""
    purpose = PURPOSE.in_(locale).format(organisation=settings.organisation)
    origin = ORIGIN if row.follows_ref is None else ORIGIN_OF_CORRECTED
    origin = ORIGIN_OF_TAKEN_OVER if is_taken_over else origin
    return {
        "controller": settings.imprint_in(locale),
        "contact": settings.contact_email,
        "privacy_notice": settings.privacy_url_in(locale),
        "purpose": f"{purpose}. {LAWFUL_BASIS.in_(locale)}.",
        "origin": origin.in_(locale),
        "recipients": recipients(settings, locale),
        "safeguards": third_countries.BASIS.in_(locale),
        "retention": retention_words.retention(row, settings, locale),
        "rights": rights(locale),
        "authority": settings.authority,
        "automated_decisions": None,
    }


def consent_record(
    row: Subscription | None,
    locale: Locale,
    settings: Settings,
    *,
    link: str | None = None,
    is_taken_over: bool = False,
) -> dict[str, Any]:
    """Controller, purpose and rights of a consent; `link` is the unsubscribe link, for the receipt alone.

    If the person `is_taken_over`, only the other system knows how they consented.
    """
    contact = settings.contact_email
    withdrawal = [_BY_LINK.in_(locale), _BY_EMAIL.in_(locale).format(contact=contact)]
    return {
        "language": locale,
        "privacy_notice": settings.privacy_url_in(locale),
        "controller": {
            "name": settings.organisation,
            "address": settings.imprint_in(locale),
            "contact": contact,
            "type": "controller",
        },
        "purposes": [
            {
                "purpose": PURPOSE.in_(locale).format(organisation=settings.organisation),
                "purpose_type": "marketing",
                "lawful_basis": LAWFUL_BASIS.in_(locale),
                "consent_type": "stated elsewhere" if is_taken_over else "explicit",
                "pii": [{"type": _ADDRESS.in_(locale), "optional": False, "sensitive": False}],
                "collection_method": (_TAKEN_OVER if is_taken_over else _COLLECTION).in_(locale),
                "processing_method": _PROCESSING.in_(locale),
                "storage_locations": [_STORAGE.in_(locale), "Mailchimp (US)"],
                "retention_period": retention_words.retention(row, settings, locale),
                "recipient_third_parties": [
                    {"name": MAILCHIMP, "role": MAILCHIMP_ROLE.in_(locale), "country": "US"},
                    *({"name": name, "role": role} for name, role in _others(settings, locale)),
                ],
                "withdrawal_method": [link, *withdrawal] if link else withdrawal,
                "validity_duration": _VALIDITY.in_(locale),
                "jurisdiction": "DE",
            }
        ],
        "privacy_rights": rights(locale),
        "authority": settings.authority,
    }


def recipients(settings: Settings, locale: Locale) -> list[str]:
    """The recipients by name, not by category, as far as the settings name them (CJEU, C-154/21)."""
    mailchimp = f"{MAILCHIMP}: {MAILCHIMP_ROLE.in_(locale)}"
    others = [f"{name}: {role}" for name, role in _others(settings, locale)]
    return [mailchimp, *([] if settings.recipients else [_UNNAMED.in_(locale)]), *others]


def _others(settings: Settings, locale: Locale) -> list[tuple[str, str]]:
    """All but Mailchimp, each with its role."""
    mail = [(settings.smtp.host, _MAIL.in_(locale))] if settings.smtp else []
    return [*((name, _HOSTING.in_(locale)) for name in settings.recipients), *mail]


def rights(locale: Locale) -> list[str]:
    return [right.in_(locale) for right in RIGHTS]
