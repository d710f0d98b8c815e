"""The codes of an access export in words, German and English; a test checks that none is missing.

They are not in the catalogue of the pages, since the command `newsletter access` runs outside any request.
"""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.config import Locale
from newsletter.domain.lifecycle import PRESUMED, Event, MailchimpStatus, Reason, Status
from newsletter.storage.models import LetterKind

Words = Mapping[Locale, str]

STATUS: Mapping[str, Words] = {
    Status.PENDING: {
        "de": "angemeldet, noch nicht bestätigt",
        "en": "signed up, not yet confirmed",
    },
    Status.CONFIRMED: {"de": "bestätigt", "en": "confirmed"},
    Status.BLOCKED: {
        "de": "gesperrt: kein Newsletter",
        "en": "blocked: no newsletter",
    },
    Status.RETURNING: {
        "de": "gesperrt, neu angemeldet, noch nicht bestätigt",
        "en": "blocked, signed up again, not yet confirmed",
    },
    # The status is still `blocked`, but a new confirmation ends it.
    "lifted": {
        "de": "Sperre aufgehoben, neue Anmeldung möglich: kein Newsletter, bis sie bestätigt ist",
        "en": "unblocked, a new sign-up is possible: no newsletter until it is confirmed",
    },
    "lifted and returning": {
        "de": "neu angemeldet, noch nicht bestätigt: kein Newsletter",
        "en": "signed up again, not yet confirmed: no newsletter",
    },
    "erasing": {
        "de": "gelöscht; die Löschung bei Mailchimp läuft",
        "en": "deleted; the deletion at Mailchimp is under way",
    },
}
REASON: Mapping[str, Words] = {
    Reason.REMOVED_AT_MAILCHIMP: {"de": "bei Mailchimp entfernt", "en": "removed at Mailchimp"},
    Reason.RECTIFIED: {"de": "Adresse berichtigt", "en": "address corrected"},
    Reason.UNSUBSCRIBED: {"de": "abgemeldet", "en": "unsubscribed"},
    Reason.BOUNCE: {"de": "E-Mails kamen zurück", "en": "e-mails bounced"},
    Reason.NOT_ME: {"de": "„Das war ich nicht“", "en": "“This was not me”"},
    Reason.COMPLAINT: {"de": "Beschwerde", "en": "complaint"},
    Reason.STAFF: {"de": "dauerhaft gesperrt", "en": "permanently blocked"},
}
EVENT: Mapping[str, Words] = {
    Event.SIGNUP: {"de": "angemeldet", "en": "signed up"},
    Event.MAIL_SENT: {"de": "E-Mail gesendet", "en": "e-mail sent"},
    Event.MAIL_FAILED: {"de": "E-Mail nicht zustellbar", "en": "e-mail could not be delivered"},
    Event.CONFIRMED: {"de": "bestätigt", "en": "confirmed"},
    Event.BLOCKED: {"de": "gesperrt", "en": "blocked"},
    Event.LIFTED: {"de": "Sperre aufgehoben", "en": "unblocked"},
    Event.DISOWNED: {"de": "„Das war ich nicht“ erklärt", "en": "declared “This was not me”"},
    # At this point the new address is not confirmed yet; later the old one is blocked as `rectified`.
    Event.RECTIFIED: {
        "de": "Berichtigung der Adresse verlangt",
        "en": "correction of the address requested",
    },
    Event.HELD: {"de": "Verarbeitung eingeschränkt", "en": "processing restricted"},
    Event.RELEASED: {"de": "Einschränkung beendet", "en": "restriction ended"},
    # The detail names the new status there.
    Event.SYNCED: {"de": "bei Mailchimp", "en": "at Mailchimp"},
    Event.SYNC_FAILED: {"de": "von Mailchimp abgelehnt", "en": "refused by Mailchimp"},
    Event.EXPIRED: {"de": "ohne Bestätigung abgelaufen", "en": "expired without confirmation"},
    Event.ERASED: {"de": "gelöscht", "en": "deleted"},
    Event.VIEWED: {"de": "eingesehen", "en": "viewed"},
    Event.RESTORED: {"de": "aus Sicherung wiederhergestellt", "en": "restored from a backup"},
    Event.IMPORTED: {"de": "übernommen", "en": "taken over"},
}
#: From where a person was taken over.
ORIGIN: Mapping[str, Words] = {
    "mailchimp": {"de": "aus einem Export von Mailchimp", "en": "from an export of Mailchimp"},
    "list": {"de": "aus einer Liste", "en": "from a list"},
    "newsletter": {
        "de": "aus dem Export eines anderen Newsletter-Dienstes dieser Art",
        "en": "from the export of another newsletter service of this kind",
    },
    "without_proof": {
        "de": "ohne Zeitpunkt der Einwilligung, also ohne Nachweis",
        "en": "without a time of consent, and so without proof",
    },
}
PLACE: Mapping[str, Words] = {
    MailchimpStatus.ABSENT: {"de": "nicht vorhanden", "en": "not present"},
    MailchimpStatus.UNKNOWN: {"de": "wird gerade geprüft", "en": "being checked"},
    MailchimpStatus.SUBSCRIBED: {"de": "eingetragen", "en": "subscribed"},
    MailchimpStatus.UNSUBSCRIBED: {"de": "abgemeldet", "en": "unsubscribed"},
    MailchimpStatus.AWAITING: {"de": "wartet auf Bestätigung", "en": "waiting for confirmation"},
    MailchimpStatus.REFUSED: {
        "de": "von Mailchimp nicht angenommen",
        "en": "not accepted by Mailchimp",
    },
}
LETTER: Mapping[str, Words] = {
    LetterKind.CONFIRMATION: {"de": "Bitte um Bestätigung", "en": "request to confirm"},
    LetterKind.WAY_BACK: {"de": "Weg zurück zu Mailchimp", "en": "way back to Mailchimp"},
    LetterKind.MY_DATA: {"de": "Link zu den eigenen Daten", "en": "link to one’s own data"},
}
#: Details of events that are neither a letter's kind nor a place at Mailchimp.
DETAIL: Mapping[str, Words] = {
    PRESUMED: {
        "de": "vermutlich mit dem damals veröffentlichten Einwilligungstext; das Formular nannte keinen",
        "en": "presumably with the consent text published then; the form named none",
    },
}
#: Who did it; the name of an admin token is shown as it is.
ACTOR: Mapping[str, Words] = {
    "person": {"de": "von Ihnen selbst", "en": "by yourself"},
    "mailchimp": {"de": "von Mailchimp gemeldet", "en": "reported by Mailchimp"},
    "retention": {"de": "durch Ablauf der Frist", "en": "because its period ended"},
    "cli": {"de": "durch unsere Verwaltung", "en": "by our administration"},
}
LANGUAGE: Mapping[str, Words] = {
    "de": {"de": "Deutsch", "en": "German"},
    "en": {"de": "Englisch", "en": "English"},
}
#: Headings and labels.
LABEL: Mapping[str, Words] = {
    "data": {"de": "Daten", "en": "Data"},
    "reference": {"de": "Vorgangsnummer", "en": "Reference number"},
    "email": {"de": "E-Mail-Adresse", "en": "E-mail address"},
    "digest": {
        "de": "nur noch als Kennwert, aus dem sie sich nicht ablesen lässt",
        "en": "only as a code from which it cannot be read",
    },
    "status": {"de": "Stand", "en": "Status"},
    "reason": {"de": "Grund", "en": "Reason"},
    "since": {"de": "Seit", "en": "Since"},
    "expires_at": {"de": "Zu bestätigen bis", "en": "To be confirmed by"},
    "left_at": {"de": "Abgemeldet oder gesperrt am", "en": "Unsubscribed or blocked on"},
    "language": {"de": "Sprache", "en": "Language"},
    "hold": {"de": "Eingeschränkt (Art. 18 DSGVO)", "en": "Restricted (Art. 18 GDPR)"},
    "yes": {"de": "ja", "en": "yes"},
    "no": {"de": "nein", "en": "no"},
    "none": {"de": "keine", "en": "none"},
    "mailchimp": {"de": "Bei Mailchimp", "en": "At Mailchimp"},
    "erasure_id": {"de": "Laufende Löschung", "en": "Erasure under way"},
    "events": {"de": "Was geschehen ist", "en": "What has happened"},
    "actor": {"de": "durch unsere Verwaltung", "en": "by our administration"},
    "letters": {"de": "E-Mails von uns", "en": "E-mails from us"},
    "word_for_word": {"de": "Wortlaut der E-Mails", "en": "E-mails word for word"},
    "in_the_file": {
        "de": "siehe die JSON-Datei zu dieser Auskunft",
        "en": "see the JSON file that comes with this information",
    },
    "written_at": {"de": "verfasst", "en": "written"},
    "sent_at": {"de": "gesendet", "en": "sent"},
    "failed_at": {"de": "nicht zustellbar", "en": "could not be delivered"},
    "message_id": {"de": "Message-ID", "en": "Message-ID"},
    "reply": {"de": "Antwort des Mailservers", "en": "The mail server’s reply"},
    "wording": {"de": "Einwilligungstext im Wortlaut", "en": "Consent text, word for word"},
    "about": {"de": "Zur Verarbeitung", "en": "About the processing"},
    "imported": {
        "de": "Übernommen, wie dort angegeben",
        "en": "Taken over, as stated there",
    },
    "confirmed_at": {"de": "Eingewilligt am", "en": "Consented on"},
    "requested_at": {"de": "Angefragt am", "en": "Requested on"},
    "source": {"de": "Quelle", "en": "Source"},
    "note": {"de": "Vermerk", "en": "Note"},
    "service": {"de": "Bestätigt bei", "en": "Confirmed at"},
    "row": {"de": "Zeile der Datei", "en": "Row of the file"},
    "file": {"de": "SHA-256 der Datei", "en": "SHA-256 of the file"},
    "file_name": {"de": "SHA-256 ihres Namens", "en": "SHA-256 of its name"},
    "purpose": {"de": "Zweck", "en": "Purpose"},
    "origin": {"de": "Herkunft", "en": "Origin"},
    "recipients": {"de": "Empfänger", "en": "Recipients"},
    "safeguards": {"de": "Übermittlung in die USA", "en": "Transfer to the USA"},
    "retention": {"de": "Dauer der Speicherung", "en": "Retention"},
    "automated_decisions": {"de": "Automatisierte Entscheidungen", "en": "Automated decisions"},
    "rights": {"de": "Ihre Rechte", "en": "Your rights"},
    "entitled": {"de": "Ihnen stehen zu", "en": "You are entitled to"},
    "authority": {"de": "Aufsichtsbehörde", "en": "Supervisory authority"},
    "any_authority": {
        "de": "die Datenschutzaufsicht Ihres Wohnorts oder unseres Sitzes",
        "en": "the authority at your place of residence or at our seat",
    },
    "controller": {"de": "Verantwortlich", "en": "Controller"},
    "contact": {"de": "Kontakt", "en": "Contact"},
    "privacy_notice": {"de": "Datenschutzerklärung", "en": "Privacy notice"},
    "related": {
        "de": "Weitere Adresse nach einer Berichtigung",
        "en": "Another address, after a correction",
    },
    "title": {"de": "Auskunft nach Art. 15 DSGVO", "en": "Access under Art. 15 GDPR"},
}
